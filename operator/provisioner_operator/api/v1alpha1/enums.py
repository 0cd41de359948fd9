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
    WORKSPACE_BUSY = "WorkspaceBusy"
    NO_MATCHING_DAEMON = "NoMatchingDaemon"
    DAEMONS_STARTING = "DaemonsStarting"
    DAEMONS_OFFLINE = "DaemonsOffline"
    DAEMONS_CORDONED = "DaemonsCordoned"
    DAEMONS_BUSY = "DaemonsBusy"


class EndReason(StrEnum):
    """Why a job ended as it did. Those of a clock are written by the controller, the others by the daemon."""

    COMPLETED = "Completed"
    CANCELED = "Canceled"
    PENDING_TIMEOUT = "PendingTimeout"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    DAEMON_LOST = "DaemonLost"
    STALLED = "Stalled"
    RUN_FAILED = "RunFailed"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    VARIABLE_UNAVAILABLE = "VariableUnavailable"
    STATE_LOCKED = "StateLocked"
    DAEMON_SHUTDOWN = "DaemonShutdown"


class CancelReason(StrEnum):
    """What became of a cancel: the reasons of the condition `CancelRequested`."""

    STOPPING = "Stopping"
    STOPPED = "Stopped"
    NEVER_STARTED = "NeverStarted"
    DAEMON_GONE = "DaemonGone"
    DAEMON_UNRESPONSIVE = "DaemonUnresponsive"
    TOO_LATE = "TooLate"


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
    SCALED_TO_ZERO = "ScaledToZero"
    SCALING_UP = "ScalingUp"
    ROLLING_OUT = "RollingOut"
    DRAINING = "Draining"
    PODS_FAILING = "PodsFailing"
    WRITE_REFUSED = "WriteRefused"


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
    BUILD_WAITING = "BuildWaiting"
    BUILD_RUNNING = "BuildRunning"
    BUILD_FAILED = "BuildFailed"
    BUILD_CANCELED = "BuildCanceled"
    INVALID_PARAMETERS = "InvalidParameters"
    TEMPLATE_NOT_FOUND = "TemplateNotFound"
    TEMPLATE_NOT_READY = "TemplateNotReady"
    VERSION_NOT_FOUND = "VersionNotFound"
    VERSION_NOT_READY = "VersionNotReady"
    BUILD_REFUSED = "BuildRefused"
    WRITE_REFUSED = "WriteRefused"
    """The API server, or a policy of the cluster, refuses what is to be done next; the message has its words."""


class VersionPhase(StrEnum):
    """How the import of a template's version stands."""

    IMPORTING = "Importing"
    READY = "Ready"
    FAILED = "Failed"


class TemplateReason(StrEnum):
    """Why a template is as it is."""

    IMPORTED = "Imported"
    IMPORTING = "Importing"
    IMPORT_FAILED = "ImportFailed"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    IN_USE = "InUse"
    NO_VERSION = "NoVersion"
    WRITE_REFUSED = "WriteRefused"


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
