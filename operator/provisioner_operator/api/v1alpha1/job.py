"""ProvisionerJob: one run of Terraform for a workspace or template.

The spec is a user's request and is frozen once created, except for `JobSpec.mutable_fields`. The status is written by
the controller (queue, timeouts) and by the assigned daemon (run), each with conditional patches.
"""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import (
    Model,
    ObjectMeta,
    ObjectName,
    PlanDigest,
    Seconds,
    ShortText,
    Uid,
    UserName,
    WorkspaceName,
)
from provisioner_operator.api.v1alpha1.enums import CancelMode, JobType, Phase, Provisioner, Transition
from provisioner_operator.api.v1alpha1.inputs import MAX_VARIABLE_BYTES, ModuleLogins, Source, Variable, VariablesSource
from provisioner_operator.api.v1alpha1.job_status import JobStatus
from provisioner_operator.api.v1alpha1.limits import HIGHEST_PRIORITY, LOWEST_PRIORITY
from provisioner_operator.api.v1alpha1.phase_rules import TERMINAL_PHASES
from provisioner_operator.api.v1alpha1.rules import (
    after_creation,
    frozen_except,
    of_the_name,
    one_of,
    rule,
    unchanged,
    validated_by,
)
from provisioner_operator.api.v1alpha1.state import STATE_RULES, StateStorage
from provisioner_operator.api.v1alpha1.tags import Tags
from provisioner_operator.api.v1alpha1.terraform_settings import Parallelism, VersionConstraint
from provisioner_operator.api.v1alpha1.unseen import not_observed

MAX_JOB_NAME = 63
"""Characters of a job's name, which is the value of a label on all objects made for it."""

_OF_A_WORKSPACE = f"self.type in {one_of([JobType.WORKSPACE_BUILD, JobType.WORKSPACE_PLAN])}"

SPEC_RULES = (
    rule(
        f"!({_OF_A_WORKSPACE}) || has(self.workspaceRef)",
        "spec.workspaceRef is required when spec.type is WorkspaceBuild or WorkspacePlan",
        field="workspaceRef",
        reason="FieldValueRequired",
    ),
    rule(
        f"!({_OF_A_WORKSPACE}) || has(self.transition)",
        "spec.transition is required when spec.type is WorkspaceBuild or WorkspacePlan: Start, Stop or Delete",
        field="transition",
        reason="FieldValueRequired",
    ),
    rule(
        f"{_OF_A_WORKSPACE} || !has(self.transition)",
        "spec.transition is allowed only if spec.type is WorkspaceBuild or WorkspacePlan",
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

PLAN_RULES = (
    rule(
        f"!self.keepPlan || self.type == '{JobType.WORKSPACE_PLAN}'",
        "spec.keepPlan is allowed only if spec.type is WorkspacePlan",
        field="keepPlan",
        reason="FieldValueForbidden",
    ),
    rule(
        f"!has(self.planRef) || self.type == '{JobType.WORKSPACE_BUILD}'",
        "spec.planRef is allowed only if spec.type is WorkspaceBuild",
        field="planRef",
        reason="FieldValueForbidden",
    ),
)

REQUESTS = ("cancel", "cancelMode", "suspend", "priority", "cancelReason", "canceledBy")
"""Fields of the spec that ask something of a job that has not ended."""
_REQUESTS_UNCHANGED = " && ".join(unchanged(f"spec.{field}") for field in REQUESTS)

JOB_RULES = (
    of_the_name(
        f"self.metadata.name.size() <= {MAX_JOB_NAME}",
        f"metadata.name of a job has at most {MAX_JOB_NAME} characters, because it is used as the value of a label",
    ),
    after_creation(
        rule(
            f"self.status.phase != '{Phase.CANCELED}' || self.spec.cancel",
            "a job becomes Canceled only if spec.cancel is true",
            field="status.phase",
            reason="FieldValueForbidden",
        )
    ),
    rule(
        # A cancel that comes too late would name a canceler in a job that nobody canceled.
        f"!(oldSelf.status.phase in {TERMINAL_PHASES}) || ({_REQUESTS_UNCHANGED})",
        "a job that has ended takes no more requests: only spec.ttlSecondsAfterFinished may change",
        message_expression="'the job is ' + self.status.phase + ' already: only spec.ttlSecondsAfterFinished may change'",
        field="spec",
        reason="FieldValueForbidden",
    ),
)


class WorkspaceReference(Model):
    """Reference to a workspace in the job's namespace."""

    name: WorkspaceName
    """The workspace's name. The jobs that build a workspace run one at a time, oldest first, and share its Terraform state."""
    uid: Uid | None = None
    """UID of the Workspace that this job builds or plans; absent in a job that a user submitted directly."""
    build_number: Annotated[int, Field(ge=1)] | None = None
    """Number of the build, with which its job's name ends; of a plan, that of the build that it shows, or checks for drift."""
    change: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Digest of the workspace's desired state: each change is built once. A plan has that of the build which it checks for drift."""
    owner: UserName | None = None
    """The workspace's owner."""


class TemplateReference(Model):
    """Reference to a template in the job's namespace."""

    name: ObjectName
    """The template's name."""
    uid: Uid | None = None
    """UID of the WorkspaceTemplate that imports a version with this job."""
    version: Annotated[str, StringConstraints(max_length=63)] | None = None
    """The version to which the source belongs."""


class PlanReference(Model):
    """Reference to a plan that is kept."""

    job: ObjectName
    """Name of the WorkspacePlan job that made and keeps it."""
    digest: PlanDigest
    """Its digest, `status.planDigest` of that job. Any other plan is refused."""


class JobSpec(Model):
    """The program to run, the daemons that may run it, and the time limits."""

    mutable_fields: ClassVar[frozenset[str]] = frozenset(
        {"cancel", "cancelReason", "cancelMode", "canceledBy", "suspend", "priority", "ttlSecondsAfterFinished"}
    )

    model_config = ConfigDict(json_schema_extra=frozen_except(mutable_fields, "spec", *SPEC_RULES, *PLAN_RULES))

    type: JobType = JobType.WORKSPACE_BUILD
    """Kind of work. WorkspaceBuild applies or destroys a workspace; WorkspacePlan shows what a build would change, and changes
    nothing; TemplateImport validates a template; TemplateDryRun plans one."""
    transition: Transition | None = None
    """Effect of a WorkspaceBuild on its workspace: Start and Stop apply the files (the variable
    `provisioner_transition` holds which of the two), Delete destroys the resources. A WorkspacePlan shows this effect."""
    provisioner: Provisioner = Provisioner.TERRAFORM
    """Program that runs the job. `echo` is for tests: it waits, writes log lines, and ends as its variables
    describe."""
    tags: Tags = {}
    """Tags that a daemon must offer to run this job: each with the same key and value, case-sensitive. A job without
    tags runs only on daemons without tags. `scope` (organization or user) and `owner` are reserved."""
    workspace_ref: WorkspaceReference | None = None
    """The workspace to build, or to plan. Required for a WorkspaceBuild and a WorkspacePlan."""
    template_ref: TemplateReference | None = None
    """The template to which the source belongs, for display and metrics."""
    source: Source | None = None
    """The Terraform files. Required if the provisioner is terraform."""
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
                        "values of variables are larger than 256 KiB in total: put large ones into a Secret and set valueFrom",
                    )
                ),
            },
        ),
    ] = []
    """Input variables by name; all values together have at most 256 KiB."""
    variables_from: Annotated[
        list[VariablesSource], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Secrets with further input variables; later ones override earlier ones."""
    module_credentials: ModuleLogins = []
    """Logins at hosts of private modules and registries: git over https, archives over https, and registries of modules and
    providers. Only `init` gets them."""
    state: Annotated[StateStorage, Field(json_schema_extra=STATE_RULES)] | None = None
    """The place of the workspace's Terraform state; Secrets of the namespace if absent. All jobs of a workspace need the same."""
    terraform_version: VersionConstraint | None = None
    """Versions of Terraform or OpenTofu that may run the job, such as `>= 1.9, < 2` or `~> 1.11.0`. The daemon chooses the newest
    that it has; if it has none, the job fails at once. Without it, the daemon's default program runs the job."""
    parallelism: Parallelism | None = None
    """The number of resources on which plan and apply work at the same time. Terraform's default is 10."""
    keep_plan: bool = False
    """True for a WorkspacePlan that keeps its plan for a build, in Secrets that are deleted with the job. Set by the controller, for
    workspaces whose spec.approval is Required."""
    plan_ref: PlanReference | None = None
    """The approved plan that a WorkspaceBuild applies, exactly as it is. Set by the controller."""
    initiator: UserName | None = None
    """User who requested the job. The API server fills it in where it supports that; otherwise only your own name is
    accepted."""
    priority: Annotated[int, Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY)] = 0
    """Jobs with a higher priority start first; among equals, the oldest."""
    suspend: bool = False
    """Set to true to keep a pending job out of the queue and to pause its pending timeout. Has no effect on a running
    job."""
    cancel: Annotated[
        bool,
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self || !oldSelf",
                    "spec.cancel cannot be reset: create a new job instead",
                    reason="FieldValueForbidden",
                )
            )
        ),
    ] = False
    """Set to true to stop the job; this cannot be undone. A pending job becomes Canceled at once; a running one is
    interrupted, and killed after its daemon's grace period; an ended one refuses it. Requires the verb `cancel` on
    provisionerjobs."""
    owner_may_cancel: bool = False
    """True if the workspace's owner may cancel the job without the verb `cancel`. Set by the controller, from the
    template's allowUserCancel."""
    cancel_reason: ShortText | None = None
    """Reason for the cancel, for those who look at the job later."""
    cancel_mode: CancelMode = CancelMode.GRACEFUL
    """Graceful interrupts the run and waits; Force kills it at once, which may lose track of resources that it made."""
    canceled_by: UserName | None = None
    """User who set `cancel`. The API server fills it in where it supports that; otherwise only your own name is
    accepted."""
    pending_timeout_seconds: Seconds = 1800
    """Time after creation within which the job must start; otherwise it fails with PendingTimeout. Time suspended does
    not count."""
    active_deadline_seconds: Seconds = 3600
    """Time after the start within which the job must end; otherwise its run is stopped and it fails with
    DeadlineExceeded."""
    stall_timeout_seconds: Seconds | None = None
    """Time without progress after which the run is stopped and the job fails with Stalled. Progress is a complete line of output
    that is not blank, and not Terraform's "Still creating...", so allow for the slowest resource. No limit if absent."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=315_360_000)] | None = None
    """Time after the end at which the job and its log archive are deleted. Kept if absent."""


class ProvisionerJob(Model):
    """A run of Terraform that creates, changes, stops or deletes a workspace, or checks a template.

    A job waits until a daemon with its tags is free, runs once, and is never retried. `kubectl get pj` shows which jobs
    are stuck, and why; setting `spec.cancel` to true stops a job.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*JOB_RULES))

    metadata: ObjectMeta
    """Its name, at most 63 characters, and labels."""
    spec: JobSpec
    """The program to run, the daemons that may run it, and the time limits. Frozen, except for the cancel fields,
    suspend, priority and ttlSecondsAfterFinished."""
    status: JobStatus = JobStatus(phase=Phase.PENDING, conditions=not_observed("job"))
    """Progress and result of the job. Written by the controller and the assigned daemon."""
