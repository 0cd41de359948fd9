"""ProvisionerDaemon: a process that runs jobs, and the heartbeat by which it is known to be alive.

The spec belongs to whoever owns the daemon (an admin, or later the controller from a Pod); the status is the daemon's
own heartbeat, but for `state` and the `Ready` condition, which the controller sets when the daemon falls silent.
"""

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, Model, ObjectMeta, ObjectName, Uid, WorkspaceName
from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.api.v1alpha1.tags import Tags

Count = Annotated[int, Field(ge=0)]
Provisioners = Annotated[
    list[Provisioner], Field(min_length=1, max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})
]
Capacity = Annotated[int, Field(ge=1, le=1000)]
LostAfterSeconds = Annotated[int, Field(ge=10, le=86_400)]
CancelGraceSeconds = Annotated[int, Field(ge=0, le=86_400)]


class DaemonSpec(Model):
    """Which jobs the daemon may get, and how its silence is judged."""

    tags: Tags = {}
    """What the daemon offers. It runs jobs all of whose tags are among these; with no tags, only jobs without tags."""
    provisioners: Provisioners = [Provisioner.TERRAFORM]
    """Which programs it can run."""
    capacity: Capacity = 1
    """How many jobs it runs at a time."""
    cordoned: bool = False
    """Set to true to give it no further jobs; what runs goes on."""
    lost_after_seconds: LostAfterSeconds = 300
    """After so long without a heartbeat its running jobs fail with DaemonLost. The daemon stops them itself before
    that, at 0.8 of this time; it counts as offline at 2/15 of it, and its heartbeat comes each 1/30 of it."""
    cancel_grace_seconds: CancelGraceSeconds = 180
    """How long a run may take to stop after it was interrupted, before it is killed."""


class CurrentJob(Model):
    """A job that the daemon's process is running right now."""

    name: ObjectName
    """The job's name."""
    uid: Uid
    """The job's UID."""
    workspace: WorkspaceName | None = None
    """The workspace that it builds: no other job of it may start before this run has really ended."""
    started_at: AwareDatetime
    """When the run began."""


class DaemonStatus(Model):
    """The daemon's heartbeat."""

    state: DaemonState = DaemonState.OFFLINE
    """Idle, Busy, Draining (finishing what runs, taking nothing new) or Offline (never seen, stopped or silent)."""
    instance: Uid | None = None
    """The process that reports; a new one means that the former is gone."""
    last_heartbeat_time: AwareDatetime | None = None
    """When the daemon last reported, by its own clock."""
    version: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The daemon's version."""
    tags: Annotated[str, StringConstraints(max_length=2048)] | None = None
    """Its tags in one line, for display."""
    lost_after_seconds: LostAfterSeconds | None = None
    """The `spec.lostAfterSeconds` that the daemon's process acts on; until it has read a shorter one, this one holds."""
    current_jobs: Annotated[
        list[CurrentJob],
        Field(
            max_length=1000, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"]}
        ),
    ] = []
    """What it is running."""
    completed_jobs: Count = 0
    """Jobs that it completed."""
    failed_jobs: Count = 0
    """Jobs that failed on it."""
    canceled_jobs: Count = 0
    """Jobs that were canceled while it ran them."""
    consecutive_failures: Count = 0
    """Jobs that failed on it since it last completed one."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready: True while heartbeats arrive, Unknown when they stopped, False when the daemon was shut down."""


class ProvisionerDaemon(Model):
    """A provisioner daemon: a process that runs the jobs whose tags it has.

    `kubectl get pd` tells who is idle, busy or offline, on which job, and who keeps failing.
    """

    metadata: ObjectMeta
    """Its name, and who owns it."""
    spec: DaemonSpec = DaemonSpec()
    """Which jobs the daemon may get, and how its silence is judged. Written by the daemon's owner."""
    status: DaemonStatus = DaemonStatus(state=DaemonState.OFFLINE)
    """The daemon's heartbeat. Offline until the first."""
