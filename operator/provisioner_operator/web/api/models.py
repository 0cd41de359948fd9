"""Shapes of our own API. Times are RFC 3339, durations seconds, ids UUIDs, as in Coder's."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from provisioner_operator.api.v1alpha1.enums import PendingReason, Provisioner
from provisioner_operator.web.coder.models.base import Int32, Omitted, Shape
from provisioner_operator.web.coder.models.daemons import ProvisionerDaemon
from provisioner_operator.web.coder.models.jobs import JobStatus, ProvisionerJob
from provisioner_operator.web.coder.models.templates import Template
from provisioner_operator.web.coder.models.workspaces import Workspace


class DaemonFit(Shape):
    """A daemon, compared with what a job requires."""

    name: str
    matches: bool
    state: str
    """free, busy, offline, draining, cordoned; several are separated by commas."""
    lacks: list[str]
    """Tags and provisioners that the job requires and the daemon does not have."""
    has_too_many: list[str]
    """Tags of the daemon that exclude a job without tags."""
    last_seen_seconds: float | None
    """Time since the daemon's last heartbeat; null if there was none."""


class StartEstimate(Shape):
    """Estimate of the time until a job starts, from the queue as it is and past runs."""

    p50_seconds: float
    """Half of such jobs start sooner."""
    p90_seconds: float
    """Nine of ten such jobs start sooner."""
    runs: Int32
    """Fewest past runs behind the duration of any run before the job; 0 if it starts at once."""


class RunEstimate(Shape):
    """Durations of past runs of the same template and transition, or of the same tags if those are too few."""

    p50_seconds: float
    p90_seconds: float
    runs: Int32
    """Number of these runs."""
    overlong: bool
    """Whether the run has gone on for longer than 99 % of them."""


class Why(Shape):
    """Reason why a job waits, and what would let it start."""

    id: UUID
    name: str
    organization_name: str
    status: JobStatus
    stuck: bool
    """Whether it makes no progress until somebody acts."""
    reason: PendingReason | None
    """Reason in a word; null if the job is not pending, or a daemon is about to start it."""
    message: str
    """The reason and the smallest change that would unblock the job; of a job that is not pending, its own message."""
    details: str
    """Circumstances, such as the job that goes first."""
    position: Int32
    """Position in the queue; 0 if the job is in none."""
    queue_size: Int32
    waited_seconds: float
    """Time in the queue, without suspensions."""
    estimate: StartEstimate | None
    """Estimate of the start; null if the job is not in the queue, or its start is unknown."""
    run: RunEstimate | None
    """Durations of runs like this one; null unless the job runs, and enough of them are known."""
    nearest: list[str]
    """Daemons that differ only in a few tags, each in a sentence with the command that would change it."""
    daemons: list[DaemonFit] | None
    """All daemons of the organization, the fitting ones first; null if you may not list them."""


class Match(Shape):
    """Prediction for a job that is not submitted."""

    organization_name: str
    provisioner: Provisioner
    tags: dict[str, str]
    """Effective tags, with `scope` and `owner`."""
    starts_now: bool
    reason: PendingReason | None
    message: str
    details: str
    waiting: Int32
    """Number of jobs that wait with the same tags and provisioner."""
    nearest: list[str]
    daemons: list[DaemonFit]


class ActionResult(Shape):
    """Outcome of a change."""

    result: Literal["done", "nothing-to-do"]
    message: str
    """A sentence for people, which calls the object "it"."""
    cause: Omitted[str] = None
    """Reason why there was nothing to do, in a word."""
    name: Omitted[str] = None
    """Of a retry: the new job, or the workspace or template that makes one."""
    kind: Omitted[str] = None
    """Kind of that object."""


Reason = Annotated[str, Field(max_length=1024)]


class CancelJob(Shape):
    """A request to cancel a job."""

    reason: Reason | None = None
    """Reason, for those who look at the job later."""
    force: bool = False
    """Kill the run at once, which may lose track of resources that it made."""
    expect_status: Literal["pending", "running"] | None = None
    """The only status in which to cancel the job."""


class SetPriority(Shape):
    """A request to move a pending job in the queue."""

    priority: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
    """Jobs with a higher priority start first."""


class ChangeEvent(Shape):
    """A change of an object, as the data of the event `change`."""

    kind: Literal["provisionerjobs", "provisionerdaemons", "workspaces", "workspacetemplates"]
    organization_name: str
    id: UUID
    object: ProvisionerJob | ProvisionerDaemon | Workspace | Template | None
    """The object as it is now; null if it is gone."""
