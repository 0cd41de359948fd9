"""The closed vocabularies of the API: what a field may say.

Phases carry the names that admins know from Coder's job list, in Kubernetes' spelling. Reasons are machine-readable
and may grow; code that switches on them needs a default.
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where a job is in its life; the legal steps between them are the table in `core.lifecycle`."""

    PENDING = "Pending"
    RUNNING = "Running"
    CANCELING = "Canceling"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


class JobType(StrEnum):
    """What a job does (Coder's `workspace_build`, `template_version_import`, `template_version_dry_run`)."""

    WORKSPACE_BUILD = "WorkspaceBuild"
    TEMPLATE_IMPORT = "TemplateImport"
    TEMPLATE_DRY_RUN = "TemplateDryRun"


class Transition(StrEnum):
    """What a build does to its workspace."""

    START = "Start"
    STOP = "Stop"
    DELETE = "Delete"


class Provisioner(StrEnum):
    """Which program runs a job."""

    TERRAFORM = "terraform"
    ECHO = "echo"


class CancelMode(StrEnum):
    """How a running job is stopped."""

    GRACEFUL = "Graceful"
    FORCE = "Force"


class ConditionStatus(StrEnum):
    """The three answers of a condition (metav1.Condition)."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class JobCondition(StrEnum):
    """The condition types of a job. `Ready` and `Stalled` are read by kstatus, so by Flux, Argo CD and `kubectl wait`."""

    ASSIGNED = "Assigned"
    """True once a daemon is chosen; while False its reason and message say why the job is pending."""
    READY = "Ready"
    """True when the job is Completed."""
    STALLED = "Stalled"
    """True when the job ended without success: nothing more will happen to it."""
    CANCEL_REQUESTED = "CancelRequested"
    """True once a cancel was seen; its reason says what became of it."""


class PendingReason(StrEnum):
    """Why a job is still pending."""

    SUSPENDED = "Suspended"
    """`spec.suspend` is true."""
    WORKSPACE_BUSY = "WorkspaceBusy"
    """An earlier job of the same workspace has not ended."""
    NO_MATCHING_DAEMON = "NoMatchingDaemon"
    """No daemon has the job's tags and provisioner."""
    DAEMONS_STARTING = "DaemonsStarting"
    """A pool is starting daemons that match the job."""
    DAEMONS_OFFLINE = "DaemonsOffline"
    """Every matching daemon is offline, or the pool that would start one fails."""
    DAEMONS_CORDONED = "DaemonsCordoned"
    """Every matching daemon that is online is cordoned or draining."""
    DAEMONS_BUSY = "DaemonsBusy"
    """Every matching daemon is at its capacity."""


class EndReason(StrEnum):
    """Why a job ended as it did. Those of a clock are written by the controller, the others by the daemon."""

    COMPLETED = "Completed"
    """The run succeeded."""
    CANCELED = "Canceled"
    """The job was canceled."""
    PENDING_TIMEOUT = "PendingTimeout"
    """The job did not start within `spec.pendingTimeoutSeconds`."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The job did not end within `spec.activeDeadlineSeconds` of its start."""
    DAEMON_LOST = "DaemonLost"
    """The daemon that ran the job ended, or missed its heartbeats for `lostAfterSeconds`."""
    STALLED = "Stalled"
    """The run wrote no output for `spec.stallTimeoutSeconds`."""
    RUN_FAILED = "RunFailed"
    """A stage of the run failed; the message quotes its error."""
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    """The files of `spec.source` could not be read, or exceed a limit."""
    VARIABLE_UNAVAILABLE = "VariableUnavailable"
    """A Secret that a variable refers to, or its key, could not be read."""
    STATE_LOCKED = "StateLocked"
    """Another run holds the lock of the workspace's Terraform state."""
    DAEMON_SHUTDOWN = "DaemonShutdown"
    """The daemon was shut down without waiting for its runs."""


class CancelReason(StrEnum):
    """What became of a cancel: the reasons of the condition `CancelRequested`."""

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


class DaemonState(StrEnum):
    """What a daemon is doing (Coder's `idle`, `busy`, `offline`)."""

    IDLE = "Idle"
    BUSY = "Busy"
    DRAINING = "Draining"
    OFFLINE = "Offline"


class PoolCondition(StrEnum):
    """The condition types of a pool, all three read by kstatus. Of Reconciling and Stalled at most one is True."""

    READY = "Ready"
    """True when as many daemons as wanted are there, ready and up to date."""
    RECONCILING = "Reconciling"
    """True while daemons are being started, replaced or drained for the pool's deletion."""
    STALLED = "Stalled"
    """True while Pods fail: something has to be mended, though it is tried again by and by."""


class PoolReason(StrEnum):
    """Why a pool is as it is. While Pods fail, `Ready` has the container's own reason instead."""

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


class TaintEffect(StrEnum):
    """What a taint of a node does (core/v1)."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class TolerationOperator(StrEnum):
    """How a toleration compares a taint's value (core/v1)."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class ParameterType(StrEnum):
    """What a parameter's value is (Coder's `coder_parameter`)."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    LIST = "list(string)"


class UpdatePolicy(StrEnum):
    """When a workspace moves to its template's active version."""

    MANUAL = "Manual"
    ON_START = "OnStart"
    ALWAYS = "Always"


class DeletionPolicy(StrEnum):
    """What becomes of a workspace's resources when the workspace is deleted."""

    DELETE = "Delete"
    ORPHAN = "Orphan"


class WorkspacePhase(StrEnum):
    """How a workspace is (Coder's workspace statuses)."""

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


class WorkspaceReason(StrEnum):
    """Why a workspace is as it is, where its phase does not say it."""

    UP_TO_DATE = "UpToDate"
    """The last build is what the spec asks for."""
    BUILD_WAITING = "BuildWaiting"
    """The build is to be created, or waits for a daemon."""
    BUILD_RUNNING = "BuildRunning"
    """The build runs, or is being canceled."""
    BUILD_FAILED = "BuildFailed"
    """The last build failed."""
    BUILD_CANCELED = "BuildCanceled"
    """The last build was canceled, or its job was deleted before it ended."""
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
    BUILD_REFUSED = "BuildRefused"
    """The API server refuses the build's job."""


class VersionPhase(StrEnum):
    """How the import of a template's version stands."""

    IMPORTING = "Importing"
    READY = "Ready"
    FAILED = "Failed"


class TemplateReason(StrEnum):
    """Why a template is as it is."""

    IMPORTED = "Imported"
    """The version of the current source is imported."""
    IMPORTING = "Importing"
    """The version of the current source is being imported."""
    IMPORT_FAILED = "ImportFailed"
    """The import of the current source ended without success."""
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    """The ConfigMap that holds the source cannot be used."""
    IN_USE = "InUse"
    """The template is being deleted and waits for the workspaces that were created from it."""
    NO_VERSION = "NoVersion"
    """No version can be built yet."""


class StatusCondition(StrEnum):
    """The condition types of workspaces and templates. Those but `Available` are read by kstatus."""

    READY = "Ready"
    """True when all is as the spec wants it."""
    RECONCILING = "Reconciling"
    """True while something is under way that may make it so."""
    STALLED = "Stalled"
    """True when nothing more will happen unless somebody does something."""
    AVAILABLE = "Available"
    """Of a template: True when some version can be built."""
