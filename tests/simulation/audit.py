"""Periodic check that no job stays in a state for too long, with some slack for slow or lost messages."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provisioner_operator.api.v1alpha1.enums import PendingReason, Phase
from provisioner_operator.core.daemons.liveness import DEFAULT_LOST_AFTER
from provisioner_operator.core.jobs.cancellation import CANCEL_MARGIN_SECONDS
from provisioner_operator.core.jobs.ordering import creation_key
from provisioner_operator.core.jobs.timeouts import active_deadline, pending_deadline
from provisioner_operator.core.model.backoff import LONGEST_PAUSE_SECONDS
from provisioner_operator.core.model.matching import satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.reconcilers.explanations import LIMIT_LOOK_SECONDS
from provisioner_operator.kube.parsing import parse_daemon, parse_job
from simulation.server import DAEMON, EPOCH

if TYPE_CHECKING:
    from simulation.world import World

AUDIT_SECONDS = 60.0
SLACK_SECONDS = 60.0
"""Tolerance for retries, slow messages and differing clocks."""
PATIENCE_SECONDS = 180.0
"""Longest wait of a job beside an idle daemon: unacknowledged (30 s), backoff (60 s), and the slack."""


class Audit:
    """Check that each job progresses in time, counted from the last event that excused a delay."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._healthy_since = world.schedule.now
        self._leader = world.controller
        self._orphaned_since: dict[str, float] = {}
        self._idle_since: dict[str, float] = {}
        self._canceled_since: dict[str, float] = {}
        world.schedule.after(AUDIT_SECONDS, self._look)

    def _look(self) -> None:
        world = self._world
        controller = world.controller
        is_denied = world.schedule.now < world.faults.denied_until + LONGEST_PAUSE_SECONDS
        is_whole = world.network.up and world.server.is_whole
        if controller is None or not controller.is_well or not is_whole or is_denied:
            self._healthy_since = world.schedule.now
        # An outage, or a change of the leader, may begin and end between two looks. A new leader gives a deleted daemon, which
        # it never saw, its whole default period.
        self._healthy_since = max(self._healthy_since, world.network.up_since, world.disasters.over_since)
        if controller is not self._leader:
            self._leader, self._healthy_since = controller, world.schedule.now
        jobs = [parse_job(body) for body in world.server.unfinished_jobs()]
        daemons = {daemon.uid: daemon for daemon in map(parse_daemon, world.server.of_kind(DAEMON))}
        for job in jobs:
            if job.phase is Phase.PENDING:
                self._look_at_pending(job, jobs, daemons.values())
            else:
                self._look_at_started(job, daemons)
        world.schedule.after(AUDIT_SECONDS, self._look)

    def _look_at_pending(self, job: Job, jobs: list[Job], daemons: Iterable[Daemon]) -> None:
        unchanged_for = self._unchanged_for(job)
        due = pending_deadline(job)
        if unchanged_for > SLACK_SECONDS and (job.cancel or job.suspend != (job.suspended_at is not None)):
            self._world.invariants.violated(f"{job.name}: its cancel, suspend or resume has no effect")
        if (
            unchanged_for > SLACK_SECONDS
            and job.deleting
            and not job.cancel
            and job.reason != PendingReason.BEING_DELETED
        ):
            self._world.invariants.violated(f"{job.name}: its deletion has no effect")
        if due is not None and self._late(due - EPOCH) and unchanged_for > SLACK_SECONDS:
            self._world.invariants.violated(f"{job.name} is pending after its pending timeout")
        if not job.may_start:
            self._idle_since.pop(job.uid, None)
            return
        is_listed = any(run.workspace == job.changed_workspace is not None for daemon in daemons for run in daemon.runs)
        is_unsaved = any(state.workspace == job.changed_workspace for daemon in daemons for state in daemon.unsaved)
        is_turn = (
            not is_listed
            and not is_unsaved
            and not any(
                other.changed_workspace is not None
                and other.changed_workspace == job.changed_workspace
                and (other.phase is not Phase.PENDING or other.assignment is not None or _goes_before(other, job))
                for other in jobs
                if other.uid != job.uid
            )
        )
        matching = [daemon for daemon in daemons if satisfies(daemon.supply, job.demand)]
        has_idle = any(self._world.is_ready(daemon, jobs) for daemon in matching)
        self._must_be_explained(job, matching, is_unsaved=is_unsaved, has_idle=has_idle)
        is_held = self._world.policies.holds(job, jobs)
        if is_turn and not is_held and has_idle:
            since = self._idle_since.setdefault(job.uid, self._world.schedule.now)
            # An unlisted run of the workspace may be on a daemon whose heartbeats have stopped.
            patience = PATIENCE_SECONDS + (self._longest_loss() if job.changed_workspace else 0)
            if self._late(since, patience) and unchanged_for > patience:
                self._world.invariants.violated(f"{job.name} waits although a daemon that matches is idle")
        else:
            self._idle_since.pop(job.uid, None)

    def _must_be_explained(self, job: Job, matching: list[Daemon], *, is_unsaved: bool, has_idle: bool) -> None:
        quiet_for = min(self._unchanged_for(job), self._world.schedule.now - self._world.fleet_changed_at)
        if quiet_for > SLACK_SECONDS + 30:
            # Beside an idle daemon it is about to start, though that may have to back off before; and whether one of its limits is
            # reached may change back and forth between two looks.
            is_limited = self._world.policies.limit(job)
            patience = PATIENCE_SECONDS if has_idle else SLACK_SECONDS + LIMIT_LOOK_SECONDS if is_limited else 0
            if job.reason is None and quiet_for >= patience:
                self._world.invariants.violated(f"{job.name} is pending without a reason")
            explained = job.reason == PendingReason.NO_MATCHING_DAEMON
            waits_for_others = job.reason == PendingReason.WORKSPACE_BUSY or (
                is_unsaved and job.reason == PendingReason.STATE_UNSAVED
            )
            if not waits_for_others and explained != (not matching):
                self._world.invariants.violated(f"{job.name} is pending for another reason than {job.reason}")

    def _look_at_started(self, job: Job, daemons: dict[str, Daemon]) -> None:
        now = self._world.schedule.now
        invariants = self._world.invariants
        given = job.assignment
        daemon = daemons.get(given.daemon_uid) if given is not None else None
        due = active_deadline(job)
        if job.cancel:
            grace = daemon.cancel_grace if daemon is not None else 0.0
            since = self._canceled_since.setdefault(job.uid, now)
            if self._late(since, grace + CANCEL_MARGIN_SECONDS + SLACK_SECONDS):
                invariants.violated(f"{job.name} is still {job.phase} though canceled")
        elif due is not None and self._late(due - EPOCH, SLACK_SECONDS + (0 if daemon else self._longest_loss())):
            invariants.violated(f"{job.name} runs after its active deadline")
        if given is not None and not self._world.is_instance_alive(given.instance):
            since = self._orphaned_since.setdefault(job.uid, now)
            replaced = daemon is not None and daemon.instance not in (None, given.instance)
            replaced = replaced or self._world.pods.has_ended(daemon)
            patience = SLACK_SECONDS if replaced else self._longest_loss() + SLACK_SECONDS
            if self._late(since, patience) and self._unchanged_for(job) > patience:
                invariants.violated(f"{job.name} is still {job.phase} though its daemon's process is dead")

    def _longest_loss(self) -> float:
        """Return the time until a daemon counts as lost; a new controller uses the default for a deleted daemon."""
        return DEFAULT_LOST_AFTER if self._world.has_lost_daemons else self._world.plan.lost_after

    def _late(self, since: float, slack: float = SLACK_SECONDS) -> bool:
        """Return whether `since` is more than `slack` ago, with a working controller all the time since."""
        return self._world.schedule.now > max(since, self._healthy_since) + slack

    def _unchanged_for(self, job: Job) -> float:
        return self._world.schedule.now - max(self._world.invariants.changed_at[job.uid], self._healthy_since)


def _goes_before(other: Job, job: Job) -> bool:
    return not other.suspend and not other.cancel and creation_key(other) < creation_key(job)
