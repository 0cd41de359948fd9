"""Workspace: a wanted environment. Changing it generates jobs.

The spec is its users' wish; the status is the controller's. Each wanted change is built by one job, named after the
workspace and the number of the build.
"""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import (
    Condition,
    Model,
    ObjectMeta,
    ObjectName,
    Seconds,
    ShortText,
    UserName,
)
from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    DeletionPolicy,
    Phase,
    Transition,
    UpdatePolicy,
    WorkspacePhase,
)
from provisioner_operator.api.v1alpha1.job_status import Output, Resource
from provisioner_operator.api.v1alpha1.parameters import ParameterValue
from provisioner_operator.api.v1alpha1.rules import rule, unchanged, validated_by
from provisioner_operator.api.v1alpha1.tags import Tags
from provisioner_operator.api.v1alpha1.template import VersionName

MAX_WORKSPACE_NAME = 53
"""As a job's workspaceRef has it."""

MAX_PARAMETER_BYTES = 131_072

WORKSPACE_RULES = (
    rule(
        f"self.metadata.name.size() <= {MAX_WORKSPACE_NAME} && !self.metadata.name.contains('.')",
        f"metadata.name of a workspace has at most {MAX_WORKSPACE_NAME} characters and no dot: its jobs are named after it",
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
        "spec.owner is immutable",
        field="owner",
        reason="FieldValueForbidden",
    ),
    rule(
        "self.rebuildGeneration >= oldSelf.rebuildGeneration",
        "spec.rebuildGeneration can only be raised",
        field="rebuildGeneration",
    ),
)

PARAMETER_BYTES_RULE = rule(
    f"self.map(each, bytes(each.value).size()).sum() <= {MAX_PARAMETER_BYTES}",
    "values of parameters are at most 128 KiB together",
)


class WorkspaceTemplateReference(Model):
    """Which template, and if need be which version of it."""

    name: ObjectName
    """The WorkspaceTemplate, of the workspace's namespace."""
    version: VersionName | None = None
    """The version to build; absent, spec.updatePolicy chooses."""


class WorkspaceSpec(Model):
    """What is wanted."""

    model_config = ConfigDict(json_schema_extra=validated_by(*SPEC_RULES))

    template_ref: WorkspaceTemplateReference
    """What it is made from."""
    owner: UserName | None = None
    """Whose it is. Stamped by the API server where it can; otherwise only your own name is accepted."""
    initiator: UserName | None = None
    """Who changed the workspace last; its next job has the same. Stamped by the API server where it can; otherwise only
    your own name is accepted."""
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
    """What it chooses of what its template offers. A change builds it anew."""
    tags: Tags = {}
    """What a daemon must have to build it, beside the template's tags, which these override key by key."""
    running: bool = True
    """Whether it is to run: true starts it, false stops it."""
    autostop_seconds: Seconds | None = None
    """It is stopped so long after it was started. To start it again, raise rebuildGeneration, or set running to false and
    then to true."""
    rebuild_generation: Annotated[int, Field(ge=0)] = 0
    """Raise it to build again what is wanted already: after a failure, or to mend what was changed by hand."""
    update_policy: UpdatePolicy = UpdatePolicy.MANUAL
    """When it moves to the template's active version: Manual (when templateRef.version says so), OnStart (with its next
    start), Always (at once)."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Delete destroys its resources before it goes; Orphan leaves them and Terraform's state where they are."""


class WorkspaceBuild(Model):
    """One build: a job, and what it was for."""

    number: Annotated[int, Field(ge=1)]
    """The number of the build."""
    job: Annotated[str, StringConstraints(max_length=63)]
    """Its job."""
    transition: Transition
    """Start, Stop or Delete."""
    version: VersionName | None = None
    """The template's version that it builds."""
    change: Annotated[str, StringConstraints(max_length=64)]
    """Digest of what was wanted."""
    phase: Phase
    """The job's phase."""
    reason: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The job's reason."""
    message: ShortText | None = None
    """What the job says, if it ended without success or will not start by itself."""
    started_at: AwareDatetime | None = None
    """When it began; absent for one that never did."""
    finished_at: AwareDatetime | None = None
    """When it ended."""


class WorkspaceStatus(Model):
    """How it is, and what was built."""

    phase: WorkspacePhase = WorkspacePhase.PENDING
    """Pending, Starting, Running, Stopping, Stopped, Deleting, Deleted, Canceling, Canceled or Failed."""
    build_number: Annotated[int, Field(ge=0)] = 0
    """The number of the latest build."""
    latest_build: WorkspaceBuild | None = None
    """The latest build, though it may not have begun."""
    last_run: WorkspaceBuild | None = None
    """The last build that began: what exists is what it left."""
    version: VersionName | None = None
    """The template's version that it has."""
    parameters: Annotated[
        list[ParameterValue],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """All parameters of the last build that began, defaults included."""
    stops_at: AwareDatetime | None = None
    """When it will be stopped, by spec.autostopSeconds."""
    outputs: Annotated[
        list[Output],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Output values of the last build that completed, without the sensitive ones."""
    resources: Annotated[
        list[Resource], Field(max_length=256, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The resources that the last completed build changed or kept."""
    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (it is as wanted), Reconciling (a build is under way), Stalled (it needs somebody). Readable by kstatus."""


UNSEEN = WorkspaceStatus(
    phase=WorkspacePhase.PENDING,
    conditions=[
        Condition.model_validate(
            {
                "type": "Ready",
                "status": ConditionStatus.UNKNOWN,
                "reason": "Pending",
                "message": "The controller has not seen it yet.",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }
        )
    ],
)
"""The status of a workspace that the controller has not seen: without it kstatus would take it for ready (as the Gateway
API's objects have it)."""


class Workspace(Model):
    """A wanted environment: what it is made from, what it chooses, whether it runs.

    Each change generates one job. `kubectl wait --for=condition=Ready ws/NAME` waits until all is as wanted; deleting it
    destroys its resources first.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*WORKSPACE_RULES))

    metadata: ObjectMeta
    """Its name, at most 53 characters, and labels."""
    spec: WorkspaceSpec
    """What is wanted."""
    status: WorkspaceStatus = UNSEEN
    """How it is, and what was built. Written by the controller."""
