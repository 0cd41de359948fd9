"""Enumerations of the API: the values that a field may have.

Phases have the names that admins know from Coder's job list, in Kubernetes' spelling. Reasons are machine-readable, and
new ones may be added; code that switches on them needs a default.
"""

from enum import StrEnum


class ApiEnum(StrEnum):
    """Values of a field, hashed as the texts that they equal."""

    # Not Enum's own, a function in Python that each look into a set of phases or reasons would call.
    __hash__ = str.__hash__


class Phase(ApiEnum):
    """Stage of a job's life; the legal steps between them are the table in `core.lifecycle`."""

    PENDING = "Pending"
    RUNNING = "Running"
    CANCELING = "Canceling"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


class JobType(ApiEnum):
    """Kind of work of a job: Coder's `workspace_build`, `template_version_import`, `template_version_dry_run`, and one of our own."""

    WORKSPACE_BUILD = "WorkspaceBuild"
    TEMPLATE_IMPORT = "TemplateImport"
    TEMPLATE_DRY_RUN = "TemplateDryRun"
    WORKSPACE_PLAN = "WorkspacePlan"


class Transition(ApiEnum):
    """Effect of a build on its workspace."""

    START = "Start"
    STOP = "Stop"
    DELETE = "Delete"


class BackgroundWork(ApiEnum):
    """Reason of a job that nobody waits for."""

    AUTOSTOP = "Autostop"
    """The workspace is stopped because its time is over (`autostopSeconds`)."""
    TEMPLATE_IMPORT = "TemplateImport"
    """A version of a template is imported."""
    DRIFT = "Drift"
    """The workspace is checked for drift (`driftCheckSeconds`)."""


class GroupField(ApiEnum):
    """Field of a job by whose value jobs are grouped."""

    INITIATOR = "Initiator"
    """`spec.initiator`: the user who requested the job."""
    OWNER = "Owner"
    """`spec.workspaceRef.owner`: the user whose workspace it is."""
    TEMPLATE = "Template"
    """`spec.templateRef.name`."""
    LABEL = "Label"
    """The value of a label."""


class Provisioner(ApiEnum):
    """Program that runs a job."""

    TERRAFORM = "terraform"
    ECHO = "echo"


class CancelMode(ApiEnum):
    """Way to stop a running job."""

    GRACEFUL = "Graceful"
    FORCE = "Force"


class StateBackend(ApiEnum):
    """Place of a workspace's Terraform state."""

    KUBERNETES = "Kubernetes"
    TEMPLATE = "Template"


class ConditionStatus(ApiEnum):
    """Status of a condition (metav1.Condition)."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class JobCondition(ApiEnum):
    """Condition types of a job. kstatus, and so Flux, Argo CD and `kubectl wait`, read `Ready` and `Stalled`."""

    ASSIGNED = "Assigned"
    """True once a daemon is chosen; while False, its reason and message explain why the job is pending."""
    READY = "Ready"
    """True if the job is Completed."""
    STALLED = "Stalled"
    """True if the job ended without success; it makes no further progress."""
    CANCEL_REQUESTED = "CancelRequested"
    """True once the controller has seen the cancel; its reason is the result of the cancel."""


class PendingReason(ApiEnum):
    """Reason why a job is still pending."""

    SUSPENDED = "Suspended"
    """`spec.suspend` is true."""
    BEING_DELETED = "BeingDeleted"
    """The job is being deleted, and finalizers hold up its deletion."""
    WORKSPACE_BUSY = "WorkspaceBusy"
    """An earlier job of the same workspace has not ended, or the controller does not know yet what a daemon runs."""
    STATE_UNSAVED = "StateUnsaved"
    """An earlier job of the same workspace could not save its Terraform state, which its daemon keeps until that succeeds."""
    LIMIT_REACHED = "LimitReached"
    """As many jobs run as a limit of the namespace's ProvisionerQueue allows."""
    NO_MATCHING_DAEMON = "NoMatchingDaemon"
    """No daemon has the job's tags and provisioner."""
    DAEMONS_STARTING = "DaemonsStarting"
    """A pool is starting daemons that match the job."""
    DAEMONS_OFFLINE = "DaemonsOffline"
    """Every matching daemon is offline or shutting down, or the pool that would start one fails."""
    DAEMONS_CORDONED = "DaemonsCordoned"
    """Every matching daemon that is online is cordoned."""
    DAEMONS_BUSY = "DaemonsBusy"
    """Every matching daemon is at its capacity."""


class EndReason(ApiEnum):
    """Reason of a job's end. The controller writes those of timeouts and permissions, the daemon the others."""

    COMPLETED = "Completed"
    """The run succeeded."""
    CANCELED = "Canceled"
    """The job was canceled."""
    PENDING_TIMEOUT = "PendingTimeout"
    """The job did not start within `spec.pendingTimeoutSeconds`."""
    NOT_WORKSPACE_OWNER = "NotWorkspaceOwner"
    """The job names a Workspace of another user, and did not start."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The job did not end within `spec.activeDeadlineSeconds` of its start."""
    DAEMON_LOST = "DaemonLost"
    """The daemon that ran the job ended, or missed its heartbeats for `lostAfterSeconds`."""
    STALLED = "Stalled"
    """The run made no progress for `spec.stallTimeoutSeconds`: no line of output but "Still creating..."."""
    RUN_FAILED = "RunFailed"
    """A stage of the run failed; the message quotes its error."""
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    """The files of `spec.source` could not be read, or exceed a limit."""
    VARIABLE_UNAVAILABLE = "VariableUnavailable"
    """A Secret that a variable or a setting of the backend refers to, or its key, could not be read; or a value is an expression,
    and a file of the source might replace it."""
    APPROVAL_REQUIRED = "ApprovalRequired"
    """The job would build a Workspace that requires approval, without a plan that is approved, and did not start."""
    PLAN_STALE = "PlanStale"
    """The approved plan was not applied: the state has changed since it was made."""
    PLAN_UNAVAILABLE = "PlanUnavailable"
    """The approved plan is gone, or is not the one that was approved."""
    STATE_LOCKED = "StateLocked"
    """Somebody whose death is not certain holds the lock of the workspace's Terraform state."""
    STATE_UNSAVED = "StateUnsaved"
    """Terraform could not save the workspace's state, which the daemon keeps; or that of an earlier run could not be saved yet."""
    DAEMON_SHUTDOWN = "DaemonShutdown"
    """The daemon was shut down and stopped the run, which had not ended in the time to drain, or was not waited for."""
    DELETED = "Deleted"
    """The job was deleted while it ran, and its run was stopped; finalizers hold up the deletion."""


class CancelReason(ApiEnum):
    """Result of a cancel: the reasons of the condition `CancelRequested`."""

    STOPPING = "Stopping"
    """The daemon is stopping the run."""
    STOPPED = "Stopped"
    """The daemon stopped the run."""
    NEVER_STARTED = "NeverStarted"
    """The job was canceled while it was pending."""
    DAEMON_GONE = "DaemonGone"
    """The daemon was lost, and the run with it; the controller finished the cancel."""
    DAEMON_UNRESPONSIVE = "DaemonUnresponsive"
    """The daemon did not confirm in time that the run stopped; the controller finished the cancel."""
    TOO_LATE = "TooLate"
    """The run had ended before it could be stopped."""


class DaemonState(ApiEnum):
    """Activity of a daemon (Coder's `idle`, `busy`, `offline`)."""

    IDLE = "Idle"
    BUSY = "Busy"
    DRAINING = "Draining"
    OFFLINE = "Offline"


class DaemonCondition(ApiEnum):
    """Condition types of a daemon."""

    READY = "Ready"
    """True while the daemon reports."""
    HEALTHY = "Healthy"
    """False while its runs fail as soon as they start: other daemons with the same tags get jobs first. Else absent."""


class PoolCondition(ApiEnum):
    """Condition types of a pool, all read by kstatus. At most one of Reconciling and Stalled is True."""

    READY = "Ready"
    """True if the desired number of daemons is ready and up to date."""
    RECONCILING = "Reconciling"
    """True while daemons are started, replaced, or drained for the pool's deletion."""
    STALLED = "Stalled"
    """True while Pods fail: something has to be fixed, though the pool retries with backoff."""


class PoolReason(ApiEnum):
    """Reason of a pool's conditions. While Pods fail, `Ready` has the container's own reason instead."""

    DAEMONS_READY = "DaemonsReady"
    """All desired daemons are ready and up to date."""
    SCALED_TO_ZERO = "ScaledToZero"
    """No daemon is desired."""
    SCALING_UP = "ScalingUp"
    """Daemons are being started."""
    ROLLING_OUT = "RollingOut"
    """Daemons of a former revision are being replaced."""
    DRAINING = "Draining"
    """The pool is being deleted and waits for its daemons' jobs."""
    PODS_FAILING = "PodsFailing"
    """Pods fail, and no more specific reason is known."""
    WRITE_REFUSED = "WriteRefused"
    """The API server, or a policy of the cluster, refuses a write that the pool needs; the message quotes it."""


class QueueCondition(ApiEnum):
    """Condition types of a queue, read by kstatus."""

    READY = "Ready"
    """True once the policy is in effect."""


class QueueReason(ApiEnum):
    """Reason of a queue's conditions."""

    IN_FORCE = "InForce"
    """Jobs start by the policy."""


class SupplyPart(ApiEnum):
    """Part of a ProvisionerSupply."""

    SUPPLIES = "Supplies"
    TEMPLATES = "Templates"


class TaintEffect(ApiEnum):
    """Effect of a node's taint (core/v1)."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class TolerationOperator(ApiEnum):
    """Comparison of a toleration with a taint's value (core/v1)."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class NodeOperator(ApiEnum):
    """Comparison of a node's label or field (core/v1)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class SelectorOperator(ApiEnum):
    """Comparison of a label (meta/v1)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class UnsatisfiableAction(ApiEnum):
    """Consequence for a Pod that would be spread unevenly (core/v1)."""

    DO_NOT_SCHEDULE = "DoNotSchedule"
    SCHEDULE_ANYWAY = "ScheduleAnyway"


class VolumeMedium(ApiEnum):
    """Medium of an empty directory (core/v1)."""

    MEMORY = "Memory"


class ParameterType(ApiEnum):
    """Type of a parameter's value (Coder's `coder_parameter`)."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    LIST = "list(string)"


class UpdatePolicy(ApiEnum):
    """Time at which a workspace moves to its template's active version."""

    MANUAL = "Manual"
    ON_START = "OnStart"
    ALWAYS = "Always"


class DeletionPolicy(ApiEnum):
    """Treatment of a workspace's resources when the workspace is deleted."""

    DELETE = "Delete"
    ORPHAN = "Orphan"


class Approval(ApiEnum):
    """Whether somebody has to approve the plan of each build."""

    AUTOMATIC = "Automatic"
    REQUIRED = "Required"


class WorkspacePhase(ApiEnum):
    """State of a workspace (Coder's workspace statuses)."""

    PENDING = "Pending"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DELETING = "Deleting"
    DELETED = "Deleted"
    CANCELING = "Canceling"
    CANCELED = "Canceled"
    FAILED = "Failed"


class WorkspaceReason(ApiEnum):
    """Reason of a workspace's conditions, where its phase does not show it."""

    UP_TO_DATE = "UpToDate"
    """The last build is what the spec asks for."""
    BUILD_WAITING = "BuildWaiting"
    """The build is to be created, or waits for a daemon."""
    BUILD_RUNNING = "BuildRunning"
    """The build runs, or is being canceled."""
    PLANNING = "Planning"
    """The build requires approval, and its plan is being made."""
    AWAITING_APPROVAL = "AwaitingApproval"
    """The build's plan waits for `spec.approved`."""
    APPROVAL_EXPIRED = "ApprovalExpired"
    """Nobody approved the build's plan within `spec.approvalTimeoutSeconds`."""
    PLAN_FAILED = "PlanFailed"
    """The build requires approval, and its plan could not be made or was deleted."""
    BUILD_FAILED = "BuildFailed"
    """The last build failed."""
    BUILD_CANCELED = "BuildCanceled"
    """The last build was canceled, or its job was deleted before it ended."""
    DESTROY_FAILED = "DestroyFailed"
    """The workspace is being deleted, and the job that destroys its resources failed."""
    DESTROY_CANCELED = "DestroyCanceled"
    """The workspace is being deleted, and the job that destroys its resources was canceled or deleted."""
    INVALID_PARAMETERS = "InvalidParameters"
    """The parameters do not fit the template."""
    TEMPLATE_NOT_FOUND = "TemplateNotFound"
    """The template does not exist."""
    TEMPLATE_NOT_READY = "TemplateNotReady"
    """The template has no version that can be built."""
    VERSION_NOT_FOUND = "VersionNotFound"
    """The template has no version of the name in `spec.templateRef.version`."""
    VERSION_NOT_READY = "VersionNotReady"
    """That version's import has not completed."""
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    """The namespace is being deleted, so that no job can be created in it."""
    BUILD_REFUSED = "BuildRefused"
    """The API server refuses the build's job."""
    WRITE_REFUSED = "WriteRefused"
    """The API server, or a policy of the cluster, refuses a write that the workspace needs; the message quotes it."""


class OutdatedReason(ApiEnum):
    """Reason of a workspace's condition `Outdated`."""

    NEWER_VERSION = "NewerVersion"
    """The active version of the template is not the one that the workspace was built with."""
    ACTIVE_VERSION = "ActiveVersion"
    """The workspace was built with the active version of its template."""


class DriftReason(ApiEnum):
    """Reason of a workspace's condition `Drifted`."""

    DETECTED = "DriftDetected"
    """Resources of the workspace were changed or removed outside of Terraform since its last build."""
    NO_DRIFT = "NoDrift"
    """All resources of the workspace are as its last build left them."""
    NOT_CHECKED = "NotChecked"
    """The last build has not been checked for drift yet."""
    CHECK_FAILED = "CheckFailed"
    """The job that checked the workspace for drift did not complete."""


class StateReason(ApiEnum):
    """Reason of a workspace's condition `StateSaved`."""

    UNSAVED = "Unsaved"
    """A run could not save the state, and a daemon keeps it; no job of the workspace starts before it is saved."""
    SAVED = "Saved"
    """No daemon has an unsaved state of the workspace any more."""


class VersionPhase(ApiEnum):
    """State of the import of a template's version."""

    IMPORTING = "Importing"
    READY = "Ready"
    FAILED = "Failed"


class TemplateReason(ApiEnum):
    """Reason of a template's conditions."""

    IMPORTED = "Imported"
    """The version of the current source is imported."""
    IMPORTING = "Importing"
    """The version of the current source is being imported."""
    IMPORT_FAILED = "ImportFailed"
    """The import of the current source ended without success."""
    TOO_MANY_VERSIONS = "TooManyVersions"
    """Workspaces use so many versions that the template's status has no room for another."""
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    """The ConfigMap that holds the source cannot be used."""
    IN_USE = "InUse"
    """The template is being deleted and waits for the workspaces that were created from it."""
    NO_VERSION = "NoVersion"
    """No version can be built yet."""
    WRITE_REFUSED = "WriteRefused"
    """The API server, or a policy of the cluster, refuses a write that the template needs; the message quotes it."""


class StatusCondition(ApiEnum):
    """Condition types of workspaces and templates. kstatus reads Ready, Reconciling and Stalled."""

    READY = "Ready"
    """True if everything matches the spec."""
    RECONCILING = "Reconciling"
    """True while work is in progress toward the spec."""
    STALLED = "Stalled"
    """True if no further progress is made until somebody acts."""
    AVAILABLE = "Available"
    """For a template: True if at least one version can be built."""
    OUTDATED = "Outdated"
    """For a workspace: True if its template's active version is not the one that it was last built with."""
    DRIFTED = "Drifted"
    """For a workspace that is checked for drift: True if resources were changed outside of Terraform since the last build."""
    STATE_SAVED = "StateSaved"
    """For a workspace: False while a daemon has a Terraform state of it that could not be saved; absent if there never was one."""
