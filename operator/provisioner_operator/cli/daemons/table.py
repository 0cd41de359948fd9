"""Columns and order of the list of daemons. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.cli.output.table import ALWAYS, Cell, Column
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.scheduling.smallest_change import ScopeDaemon, ScopeJob, TagDaemon, TagJob
from provisioner_operator.core.views.queue_view import heartbeat_age
from provisioner_operator.core.views.snapshot import Snapshot

STATE_STYLES = {"Idle": "green", "Busy": "cyan", "Draining": "magenta", "Offline": "red"}
MANY_FAILURES = 3
"""Consecutive failures that are unlikely to be the fault of the jobs."""
_TAG_EDITS = (TagDaemon, TagJob, ScopeDaemon, ScopeJob)


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """One line of the list: a daemon, its report and its jobs."""

    daemon: Daemon
    report: DaemonReport
    state: str
    used: int
    jobs: tuple[str, ...]
    """The jobs that it runs, or that are assigned to it."""
    previous: str
    """The job that last ended on it, and its outcome."""
    blocked_by_tags: int
    """Waiting jobs that match no daemon and come closest to this one."""
    last_seen: float | None
    age: float


def daemon_row(
    daemon: Daemon,
    report: DaemonReport,
    snapshot: Snapshot,
    blocked: Mapping[tuple[str, str], int],
    *,
    age: float,
    previous: str = "",
) -> DaemonRow:
    """Return the line of a daemon; `blocked` is the result of `blocked_by_tags`."""
    assigned = sorted(
        (job.name for job in snapshot.jobs.values() if job.assignment and job.assignment.daemon_uid == daemon.uid),
        key=natural,
    )
    return DaemonRow(
        daemon=daemon,
        report=report,
        state=state_of(daemon, snapshot),
        used=snapshot.used(daemon),
        jobs=tuple(dict.fromkeys([*assigned, *report.current_jobs])),
        previous=previous,
        blocked_by_tags=blocked.get((daemon.namespace, daemon.name), 0),
        last_seen=heartbeat_age(daemon, snapshot.now),
        age=age,
    )


def state_of(daemon: Daemon, snapshot: Snapshot) -> str:
    """Return Idle, Busy, Draining or Offline, from the last heartbeat and its age; one that is being deleted drains."""
    if daemon.state is DaemonState.DRAINING or (daemon.deleting and snapshot.reports(daemon)):
        return DaemonState.DRAINING
    if not snapshot.is_online(daemon):
        return DaemonState.OFFLINE
    return DaemonState.BUSY if snapshot.used(daemon) else DaemonState.IDLE


def blocked_by_tags(snapshot: Snapshot) -> dict[tuple[str, str], int]:
    """Count the waiting jobs that a change of tags would unblock, by the daemon (namespace, name) that would run them."""
    found: dict[tuple[str, str], int] = {}
    for demand, jobs in snapshot.queues.items():
        explanation = snapshot.explain(demand)
        nearest = {edit.daemon for edit in (explanation.edits if explanation else ()) if isinstance(edit, _TAG_EDITS)}
        for name in nearest:
            found[demand.namespace, name] = found.get((demand.namespace, name), 0) + len(jobs)
    return found


def by_failures(row: DaemonRow) -> tuple[object, ...]:
    """Return the sort key that puts the worst first."""
    report = row.report
    name = (row.daemon.namespace, natural(row.daemon.name))
    return (-report.consecutive_failures, -row.blocked_by_tags, -report.failed, *name)


def by_name(row: DaemonRow) -> tuple[object, ...]:
    """Return the sort key of the natural order of names."""
    return (row.daemon.namespace, natural(row.daemon.name))


def columns(*, namespaced: bool) -> list[Column[DaemonRow]]:
    """Return all columns in their order."""
    namespace = [Column[DaemonRow]("Namespace", lambda row: row.daemon.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.daemon.name, ALWAYS),
        Column("Status", _state, ALWAYS),
        Column("Slots", lambda row: f"{row.used}/{row.daemon.capacity}", 65),
        Column("Job", lambda row: ", ".join(row.jobs), 60),
        Column("Previous", lambda row: row.previous, 25, wide=True),
        Column("Failures", _failures, 72),
        Column("Blocked by tags", lambda row: str(row.blocked_by_tags or ""), 40, former_key="mismatches"),
        Column("Tags", lambda row: format_tags(row.daemon.supply.tags), 55),
        Column("Last seen", lambda row: "never" if row.last_seen is None else duration(row.last_seen), 50),
        Column("Version", lambda row: row.report.version, 20),
        Column("Provisioners", lambda row: ",".join(sorted(row.daemon.supply.provisioners)), 15, wide=True),
        Column("Completed", lambda row: str(row.report.completed), 12, wide=True),
        Column("Failed", lambda row: str(row.report.failed), 13, wide=True),
        Column("Age", lambda row: duration(row.age), 10, wide=True),
    ]


def _state(row: DaemonRow) -> Cell:
    if row.daemon.cordoned:
        return Cell(f"{row.state},Cordoned", "yellow")
    return Cell(row.state, STATE_STYLES.get(row.state, ""))


def _failures(row: DaemonRow) -> Cell:
    failures = row.report.consecutive_failures
    return Cell(str(failures or ""), "bold red" if failures >= MANY_FAILURES else "")


def rows_of_states(rows: Sequence[DaemonRow], states: frozenset[str]) -> list[DaemonRow]:
    """Return the daemons in one of these states (in lower case); `cordoned` selects daemons in any state."""
    return [row for row in rows if row.state.lower() in states or ("cordoned" in states and row.daemon.cordoned)]
