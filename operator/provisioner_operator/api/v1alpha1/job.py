"""ProvisionerJob: one run of some Terraform for a workspace or template.

The spec is what a user asks for and is frozen once created, but for `JobSpec.mutable_fields`. The status is written by
the controller (queue, clocks) and by the assigned daemon (run), each with conditional patches.
"""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import (
    Model,
    ObjectMeta,
    ObjectName,
    Seconds,
    ShortText,
    Uid,
    UserName,
    WorkspaceName,
)
from provisioner_operator.api.v1alpha1.enums import CancelMode, JobType, Phase, Provisioner, Transition
from provisioner_operator.api.v1alpha1.inputs import MAX_VARIABLE_BYTES, Source, Variable, VariablesSource
from provisioner_operator.api.v1alpha1.job_status import JobStatus
from provisioner_operator.api.v1alpha1.rules import frozen_except, rule, validated_by
from provisioner_operator.api.v1alpha1.tags import Tags

MAX_JOB_NAME = 63
"""A job's name is the value of a label on everything made for it."""

SPEC_RULES = (
    rule(
        f"self.type != '{JobType.WORKSPACE_BUILD}' || has(self.workspaceRef)",
        "spec.workspaceRef is required when spec.type is WorkspaceBuild",
        field="workspaceRef",
        reason="FieldValueRequired",
    ),
    rule(
        f"self.type != '{JobType.WORKSPACE_BUILD}' || has(self.transition)",
        "spec.transition is required when spec.type is WorkspaceBuild: Start, Stop or Delete",
        field="transition",
        reason="FieldValueRequired",
    ),
    rule(
        f"self.type == '{JobType.WORKSPACE_BUILD}' || !has(self.transition)",
        "spec.transition is only for spec.type WorkspaceBuild",
        field="transition",
        reason="FieldValueForbidden",
    ),
    rule(
        f"self.provisioner != '{Provisioner.TERRAFORM}' || has(self.source)",
        "spec.source is required when spec.provisioner is terraform",
        field="source",
        reason="FieldValueRequired",
    ),
)

JOB_RULES = (
    rule(
        f"self.metadata.name.size() <= {MAX_JOB_NAME}",
        f"metadata.name of a job has at most {MAX_JOB_NAME} characters: it serves as a label's value",
    ),
    rule(
        # At creation the API server runs the rules on an object without a status, and only then gives it the default.
        f"!has(self.status) || self.status.phase != '{Phase.CANCELED}' || self.spec.cancel",
        "a job becomes Canceled only when spec.cancel is true",
        field="status.phase",
        reason="FieldValueForbidden",
    ),
)


class WorkspaceReference(Model):
    """Names a workspace of the job's namespace."""

    name: WorkspaceName
    """The workspace's name. Jobs of one workspace run one at a time, oldest first, and share its Terraform state."""
    uid: Uid | None = None
    """The Workspace whose build this is; absent for a job that somebody submitted by hand."""
    build_number: Annotated[int, Field(ge=1)] | None = None
    """Which of its builds. The job's name ends with it."""
    change: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Digest of what the workspace wanted: there is one build of each change."""
    owner: UserName | None = None
    """Whose workspace it is."""


class TemplateReference(Model):
    """Names a template of the job's namespace."""

    name: ObjectName
    """The template's name."""
    uid: Uid | None = None
    """The WorkspaceTemplate that imports a version by this job."""
    version: Annotated[str, StringConstraints(max_length=63)] | None = None
    """The version that the source is."""


class JobSpec(Model):
    """What to run, on which daemons, within which times."""

    mutable_fields: ClassVar[frozenset[str]] = frozenset(
        {"cancel", "cancelReason", "cancelMode", "canceledBy", "suspend", "priority", "ttlSecondsAfterFinished"}
    )

    model_config = ConfigDict(
        json_schema_extra=frozen_except(mutable_fields, "spec", *SPEC_RULES, follows=frozenset({"transition"}))
    )

    type: JobType = JobType.WORKSPACE_BUILD
    """What the job does. WorkspaceBuild applies or destroys a workspace; TemplateImport validates a template;
    TemplateDryRun plans one."""
    transition: Transition | None = None
    """What a WorkspaceBuild does to its workspace: Start and Stop apply (the variable `provisioner_transition` tells
    which), Delete destroys."""
    provisioner: Provisioner = Provisioner.TERRAFORM
    """Which program runs the job. `echo` runs nothing real: it waits, writes log lines and ends as its variables say."""
    tags: Tags = {}
    """What a daemon must have to run this job: every tag, key and value, case-exact. A job without tags runs only on
    daemons without tags. `scope` (organization or user) and `owner` are reserved."""
    workspace_ref: WorkspaceReference | None = None
    """The workspace that is built. Required for a WorkspaceBuild."""
    template_ref: TemplateReference | None = None
    """The template that the source belongs to, for display and metrics."""
    source: Source | None = None
    """The Terraform files. Required when the provisioner is terraform."""
    variables: Annotated[
        list[Variable],
        Field(
            max_length=128,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                **validated_by(
                    rule(
                        f"self.map(each, has(each.value) ? bytes(each.value).size() : 0).sum() <= {MAX_VARIABLE_BYTES}",
                        "values of variables are at most 256 KiB together: put larger ones into a Secret",
                    )
                ),
            },
        ),
    ] = []
    """Input variables, by name; all values together at most 256 KiB."""
    variables_from: Annotated[
        list[VariablesSource], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Secrets that hold further input variables; a later one wins over an earlier one."""
    initiator: UserName | None = None
    """Who asked for the job. Stamped by the API server where it can; otherwise only your own name is accepted."""
    priority: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)] = 0
    """Jobs of higher priority start first; equal ones oldest first."""
    suspend: bool = False
    """Holds a pending job out of the queue, and its pending clock still, until set to false. Has no effect on a job
    that runs."""
    cancel: Annotated[
        bool,
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self || !oldSelf",
                    "a cancel cannot be withdrawn; create a new job",
                    reason="FieldValueForbidden",
                )
            )
        ),
    ] = False
    """Set to true to stop the job; cannot be withdrawn. A pending job is Canceled at once; a running one is
    interrupted, and killed after its daemon's grace period. Needs the verb `cancel` on provisionerjobs."""
    owner_may_cancel: bool = False
    """Whether the owner of the workspace may cancel the job without the verb `cancel`. Set by the controller, as the
    template allows it."""
    cancel_reason: ShortText | None = None
    """Why it is canceled, for whoever looks at the job later."""
    cancel_mode: CancelMode = CancelMode.GRACEFUL
    """Graceful interrupts the run and waits; Force kills it at once, which may lose what it did."""
    canceled_by: UserName | None = None
    """Who set `cancel`. Stamped by the API server where it can; otherwise only your own name is accepted."""
    pending_timeout_seconds: Seconds = 1800
    """A job that has not started this long after its creation fails with PendingTimeout. Time suspended does not count."""
    active_deadline_seconds: Seconds = 3600
    """A job that has not ended this long after its start fails with DeadlineExceeded, and its run is stopped."""
    stall_timeout_seconds: Seconds | None = None
    """A run that has written no output for so long is stopped and fails with Stalled. Off when absent."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=315_360_000)] | None = None
    """The job is deleted this long after it ended, its log archive with it. Kept when absent."""


class ProvisionerJob(Model):
    """One provisioner job: a run of Terraform that creates, changes, stops or deletes a workspace, or checks a template.

    It waits until a daemon with its tags is free, runs once, and is never retried. `kubectl get pj` tells what is stuck
    and why; setting `spec.cancel` to true stops it.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*JOB_RULES))

    metadata: ObjectMeta
    """Its name, at most 63 characters, and labels."""
    spec: JobSpec
    """What to run, on which daemons, within which times. Frozen, but for the cancel fields, suspend, priority and
    ttlSecondsAfterFinished."""
    status: JobStatus = JobStatus(phase=Phase.PENDING)
    """What became of the job so far. Written by the controller and the assigned daemon."""
