"""Workspace: the desired state of an environment. Each change of it makes a job.

Users write the spec, the controller the status. One job builds each change; it is named after the workspace and the
number of the build.
"""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import (
    Condition,
    Model,
    ObjectMeta,
    ObjectName,
    PlanDigest,
    Seconds,
    ShortText,
    UserName,
)
from provisioner_operator.api.v1alpha1.drift import DriftCheckSeconds, WorkspaceDrift
from provisioner_operator.api.v1alpha1.enums import (
    Approval,
    DeletionPolicy,
    Phase,
    Transition,
    UpdatePolicy,
    WorkspacePhase,
)
from provisioner_operator.api.v1alpha1.job_status import Output, Resource
from provisioner_operator.api.v1alpha1.parameters import ParameterValue
from provisioner_operator.api.v1alpha1.rules import of_the_name, rule, unchanged, validated_by
from provisioner_operator.api.v1alpha1.tags import Tags
from provisioner_operator.api.v1alpha1.template import VersionName
from provisioner_operator.api.v1alpha1.unseen import not_observed

MAX_WORKSPACE_NAME = 53
"""Characters of a workspace's name, as in a job's workspaceRef."""

MAX_PARAMETER_BYTES = 131_072

WORKSPACE_RULES = (
    of_the_name(
        f"self.metadata.name.size() <= {MAX_WORKSPACE_NAME} && !self.metadata.name.contains('.')",
        f"metadata.name of a workspace has at most {MAX_WORKSPACE_NAME} characters and no dot, because its jobs are named after it",
    ),
)

SPEC_RULES = (
    rule(
        "self.templateRef.name == oldSelf.templateRef.name",
        "spec.templateRef.name is immutable: create another workspace instead",
        field="templateRef",
        reason="FieldValueForbidden",
    ),
    rule(
        unchanged("owner"),
        "spec.owner is immutable: create another workspace instead",
        field="owner",
        reason="FieldValueForbidden",
    ),
    rule(
        "self.rebuildGeneration >= oldSelf.rebuildGeneration",
        "spec.rebuildGeneration cannot be lowered: raise it to build the workspace again",
        field="rebuildGeneration",
    ),
)

PARAMETER_BYTES_RULE = rule(
    f"self.map(each, bytes(each.value).size()).sum() <= {MAX_PARAMETER_BYTES}",
    "values of parameters are larger than 128 KiB in total: shorten them",
)


class WorkspaceTemplateReference(Model):
    """Reference to a template, and optionally to one of its versions."""

    name: ObjectName
    """Name of a WorkspaceTemplate in the workspace's namespace."""
    version: VersionName | None = None
    """The version to build; if absent, spec.updatePolicy determines it."""


class WorkspaceSpec(Model):
    """Desired state of the environment."""

    model_config = ConfigDict(json_schema_extra=validated_by(*SPEC_RULES))

    template_ref: WorkspaceTemplateReference
    """The template from which the workspace is made."""
    owner: UserName | None = None
    """The workspace's owner. The API server fills it in where it supports that; otherwise only your own name is
    accepted."""
    initiator: UserName | None = None
    """User who changed the workspace last, and the initiator of its next job. The API server fills it in where it
    supports that; otherwise only your own name is accepted."""
    parameters: Annotated[
        list[ParameterValue],
        Field(
            max_length=64,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                **validated_by(PARAMETER_BYTES_RULE),
            },
        ),
    ] = []
    """Values for the parameters of its template. A change builds the workspace again."""
    tags: Tags = {}
    """Tags that a daemon must offer to build it, in addition to the template's tags, which they override key by key."""
    running: bool = True
    """Set to true to start the workspace, to false to stop it."""
    autostop_seconds: Seconds | None = None
    """Time after the start at which the workspace is stopped. To start it again, raise rebuildGeneration, or set
    running to false and then to true."""
    rebuild_generation: Annotated[int, Field(ge=0)] = 0
    """Raise it to build the same state again: after a failure, or to repair resources that were changed by hand."""
    update_policy: UpdatePolicy = UpdatePolicy.MANUAL
    """Time at which the workspace moves to the template's active version: Manual (never automatically once a build has
    completed; set templateRef.version), OnStart (at its next start), Always (at once)."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Treatment of the resources when the workspace is deleted: Delete destroys them first; Orphan keeps them and
    Terraform's state."""
    approval: Approval = Approval.AUTOMATIC
    """Required makes each build stop after its plan, until that plan is approved; the stop by autostopSeconds and the destroy of a
    deleted workspace too. Automatic builds at once. Only who has the verb `approve` on workspaces may go back to Automatic."""
    approved: PlanDigest | None = None
    """Digest of the plan to apply, `status.plan.digest`. Only who has the verb `approve` on workspaces may set it."""
    approval_timeout_seconds: Seconds = 604_800
    """Time after which a plan that nobody has approved is given up."""
    drift_check_seconds: DriftCheckSeconds | None = None
    """Interval at which the last completed build is planned again, to find resources that were changed outside of Terraform:
    the condition Drifted. Nothing is applied. No checks if absent."""


class WorkspaceBuild(Model):
    """One build: a job and the change that it built."""

    number: Annotated[int, Field(ge=1)]
    """Number of the build."""
    job: Annotated[str, StringConstraints(max_length=63)]
    """Name of its job."""
    transition: Transition
    """Start, Stop or Delete."""
    version: VersionName | None = None
    """The template's version that was built."""
    change: Annotated[str, StringConstraints(max_length=64)]
    """Digest of the desired state."""
    phase: Phase
    """The job's phase."""
    reason: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The job's reason."""
    message: ShortText | None = None
    """The job's message, if the job ended without success or needs help to start."""
    started_at: AwareDatetime | None = None
    """Start of the job; absent if it never started."""
    finished_at: AwareDatetime | None = None
    """End of the job."""


class WorkspacePlan(Model):
    """The plan of a build that requires approval."""

    number: Annotated[int, Field(ge=1)]
    """Number of its job; builds and plans of a workspace are numbered together."""
    job: Annotated[str, StringConstraints(max_length=63)]
    """Name of the job that made it."""
    transition: Transition
    """Start, Stop or Delete: what its build does."""
    version: VersionName | None = None
    """The template's version that it plans."""
    change: Annotated[str, StringConstraints(max_length=64)]
    """Digest of the desired state. A plan of another state is never applied."""
    phase: Phase
    """The job's phase."""
    reason: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The job's reason."""
    message: ShortText | None = None
    """The changes that the build would make, in words; or why there is no plan."""
    digest: PlanDigest | None = None
    """Digest of the plan: setting spec.approved to it approves the plan."""
    finished_at: AwareDatetime | None = None
    """End of the job. The time to approve the plan counts from then."""


class WorkspaceStatus(Model):
    """Observed state of the workspace, and its builds."""

    phase: WorkspacePhase = WorkspacePhase.PENDING
    """Pending, Starting, Running, Stopping, Stopped, Deleting, Deleted, Canceling, Canceled or Failed."""
    build_number: Annotated[int, Field(ge=0)] = 0
    """Number of the latest build, or of a later plan."""
    latest_build: WorkspaceBuild | None = None
    """The latest build, even if it has not started."""
    last_run: WorkspaceBuild | None = None
    """The last build that started, or may have (reason JobVanished): it determined the resources that exist."""
    completed_build: Annotated[int, Field(ge=0)] | None = None
    """Number of the last build that completed; 0 if none has. Until one has, each start uses the template's active
    version, unless spec.templateRef.version pins one, and so does a destroy if that version has all parameters that were built and a value for each other one."""
    plan: WorkspacePlan | None = None
    """The latest plan, if spec.approval is Required. The reason of the condition Ready says whether it waits for approval."""
    version: VersionName | None = None
    """The template's version with which the workspace was last built."""
    parameters: Annotated[
        list[ParameterValue],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """All parameters of the last build that started, including defaults."""
    stops_at: AwareDatetime | None = None
    """Time at which the workspace will be stopped, by spec.autostopSeconds."""
    outputs: Annotated[
        list[Output],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Output values of the last completed build, except for sensitive ones."""
    resources: Annotated[
        list[Resource], Field(max_length=256, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Resources that the last completed build changed or kept."""
    drift: WorkspaceDrift | None = None
    """Result of the last check for drift of the last build, by spec.driftCheckSeconds; absent until it is checked."""
    observed_generation: int | None = None
    """Generation of the spec on which this status is based."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (the workspace matches its spec), Reconciling (a build is in progress), Stalled (somebody must act), which
    kstatus can read; Outdated (its template has another active version than the one it was built with); Drifted (resources
    were changed outside of Terraform; only with spec.driftCheckSeconds)."""


class Workspace(Model):
    """The desired state of an environment: its template, its parameters, and whether it runs.

    Each change makes one job. `kubectl wait --for=condition=Ready ws/NAME` waits until the environment matches the
    spec; deleting the workspace destroys its resources first.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*WORKSPACE_RULES))

    metadata: ObjectMeta
    """Its name, at most 53 characters, and labels."""
    spec: WorkspaceSpec
    """Desired state of the environment."""
    status: WorkspaceStatus = WorkspaceStatus(phase=WorkspacePhase.PENDING, conditions=not_observed("workspace"))
    """Observed state of the workspace, and its builds. Written by the controller."""
