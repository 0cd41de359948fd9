"""ProvisionerDaemon: a process that runs jobs, and the heartbeat that shows that it is alive.

The spec belongs to the daemon's owner: an admin, or the controller, which takes it from the daemon's Pod. The daemon
writes the status with each heartbeat; the controller sets `state` and the `Ready` condition when heartbeats stop.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, Model, ObjectMeta, ObjectName, Time, Uid, WorkspaceName
from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.api.v1alpha1.limits import LONGEST_IDLE_HEARTBEAT, LONGEST_LOST_AFTER
from provisioner_operator.api.v1alpha1.tags import Tags

Count = Annotated[int, Field(ge=0)]
Provisioners = Annotated[
    list[Provisioner], Field(min_length=1, max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})
]
Capacity = Annotated[int, Field(ge=1, le=1000)]
LostAfterSeconds = Annotated[int, Field(ge=10, le=LONGEST_LOST_AFTER)]
CancelGraceSeconds = Annotated[int, Field(ge=0, le=86_400)]

LONGEST_JOBS = 1024
"""Characters of the names of a daemon's jobs in one line."""
LONGEST_UNSAVED_MESSAGE = 1024
"""Characters of the reason why a state is not saved."""


class DaemonSpec(Model):
    """Jobs that the daemon may get, and the timeouts for missed heartbeats."""

    tags: Tags = {}
    """Tags that the daemon offers. It runs a job if all the job's tags are among them; without tags, only jobs without
    tags."""
    provisioners: Provisioners = [Provisioner.TERRAFORM]
    """Programs that it can run."""
    capacity: Capacity = 1
    """Number of jobs that it runs at a time."""
    cordoned: bool = False
    """Set to true to assign no further jobs to it; running jobs continue."""
    lost_after_seconds: LostAfterSeconds = 300
    """Time without a heartbeat after which the daemon's running jobs fail with DaemonLost. A daemon that cannot reach
    the API server stops its jobs itself after 0.8 of this time. It counts as offline after 2/15 of it, and sends a
    heartbeat every 1/30 of it, at least every 30 s; one that runs nothing, six times less often. After a start of the
    controller, builds wait for two heartbeats of each daemon that is not idle, and for a silent one up to this time."""
    cancel_grace_seconds: CancelGraceSeconds = 180
    """Time that a run may take to stop after it was interrupted, before it is killed."""


class CurrentJob(Model):
    """A job that the daemon is running."""

    name: ObjectName
    """The job's name."""
    uid: Uid
    """The job's UID."""
    workspace: WorkspaceName | None = None
    """The workspace that the job builds: none of its other jobs may start before this run has ended."""
    started_at: Time
    """Start of the run."""


class UnsavedState(Model):
    """A state that a run could not save, and that exists only on the daemon's disk."""

    workspace: WorkspaceName
    """The workspace whose state it is: none of its jobs may start before the state is saved."""
    job: ObjectName
    """The job whose run wrote it."""
    job_uid: Annotated[Uid, Field(alias="jobUID")]
    """The job's UID."""
    since: Time
    """Time at which the run wrote it."""
    message: Annotated[str, StringConstraints(max_length=LONGEST_UNSAVED_MESSAGE)] = ""
    """Reason why it is not saved yet."""


class DaemonStatus(Model):
    """State that the daemon reports with its heartbeat."""

    state: DaemonState = DaemonState.OFFLINE
    """Idle, Busy, Draining (finishes its jobs and takes no new ones) or Offline (never seen, shut down, or without
    heartbeats)."""
    instance: Uid | None = None
    """Id of the process that reports; a new id means that the former process has ended."""
    last_heartbeat_time: Time | None = None
    """Time of the last heartbeat, by the daemon's own clock."""
    version: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The daemon's version."""
    tags: Annotated[str, StringConstraints(max_length=2048)] | None = None
    """Its tags in one line, for display."""
    lost_after_seconds: LostAfterSeconds | None = None
    """The `spec.lostAfterSeconds` that the daemon's process acts on. It applies until the process has read a shorter
    one."""
    idle_heartbeat_seconds: Annotated[int, Field(ge=0, le=LONGEST_IDLE_HEARTBEAT)] = 0
    """Longest time until the next heartbeat of a daemon that runs nothing, and reports less often for that. 0 while it
    reports at its usual interval."""
    current_jobs: Annotated[
        list[CurrentJob],
        Field(
            max_length=1000, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"]}
        ),
    ] = []
    """The jobs that it is running, as its last heartbeat listed them."""
    jobs: Annotated[str, StringConstraints(max_length=LONGEST_JOBS)] = ""
    """Their names in one line, for display; empty once the daemon is offline."""
    unsaved_states: Annotated[
        list[UnsavedState],
        Field(
            max_length=1000,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["jobUID"]},
        ),
    ] = []
    """States of Terraform that could not be saved, and that only this daemon has. It tries again until they are saved;
    until then no job of their workspaces starts, and a pool keeps the daemon's Pod."""
    completed_jobs: Count = 0
    """Number of jobs that it completed."""
    failed_jobs: Count = 0
    """Number of jobs that failed on it."""
    canceled_jobs: Count = 0
    """Jobs that were canceled while it ran them."""
    consecutive_failures: Count = 0
    """Number of jobs that failed on it since it last completed one."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready: True while heartbeats arrive, Unknown after they have stopped, False after the daemon was shut down."""


class ProvisionerDaemon(Model):
    """A provisioner daemon: a process that runs the jobs whose tags it offers.

    `kubectl get pd` shows which daemons are idle, busy or offline, the jobs that they run, and the number of failed
    jobs.
    """

    metadata: ObjectMeta
    """Its name and its owner."""
    spec: DaemonSpec = DaemonSpec()
    """Jobs that the daemon may get, and the timeouts for missed heartbeats. Written by the daemon's owner."""
    status: DaemonStatus = DaemonStatus(state=DaemonState.OFFLINE)
    """State that the daemon reports with its heartbeat. Offline until the first one."""
