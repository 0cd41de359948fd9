"""How daemons and pools look in a table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.cli.output.table import ALWAYS, Cell, Column
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.smallest_change import ScopeDaemon, ScopeJob, TagDaemon, TagJob
from provisioner_operator.core.views.snapshot import Snapshot, heartbeat_age

Body = Mapping[str, Any]

STATE_STYLES = {"Idle": "green", "Busy": "cyan", "Draining": "magenta", "Offline": "red"}
MANY_FAILURES = 3
"""So many failures in a row are hardly the jobs' own fault."""
_TAG_EDITS = (TagDaemon, TagJob, ScopeDaemon, ScopeJob)


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """One line: a daemon, and what jobs and clocks say of it."""

    daemon: Daemon
    state: str
    used: int
    jobs: tuple[str, ...]
    """What it is running, or has been given."""
    previous: str
    """The job that ended on it last, and how."""
    failures: int
    """In a row."""
    failed: int
    completed: int
    mismatches: int
    """Waiting jobs to which it is the nearest daemon, but for tags."""
    version: str
    last_seen: float | None
    age: float


def daemon_row(
    body: Body,
    daemon: Daemon,
    scene: Snapshot,
    mismatches: Mapping[tuple[str, str], int],
    *,
    age: float,
    previous: str = "",
) -> DaemonRow:
    """The line of a daemon."""
    status = body.get("status") or {}
    given = sorted(
        (job.name for job in scene.jobs.values() if job.assignment and job.assignment.daemon_uid == daemon.uid),
        key=natural,
    )
    running = [str(each["name"]) for each in status.get("currentJobs") or ()]
    return DaemonRow(
        daemon=daemon,
        state=state_of(daemon, scene),
        used=scene.used(daemon),
        jobs=tuple(dict.fromkeys([*given, *running])),
        previous=previous,
        failures=int(status.get("consecutiveFailures") or 0),
        failed=int(status.get("failedJobs") or 0),
        completed=int(status.get("completedJobs") or 0),
        mismatches=mismatches.get((daemon.namespace, daemon.name), 0),
        version=str(status.get("version") or ""),
        last_seen=heartbeat_age(daemon, scene.now),
        age=age,
    )


def state_of(daemon: Daemon, scene: Snapshot) -> str:
    """Idle, Busy, Draining or Offline: by its own last word, unless that is too long ago."""
    if daemon.state is DaemonState.DRAINING:
        return DaemonState.DRAINING
    if not scene.is_online(daemon):
        return DaemonState.OFFLINE
    return DaemonState.BUSY if scene.used(daemon) else DaemonState.IDLE


def mismatches(scene: Snapshot) -> dict[tuple[str, str], int]:
    """Waiting jobs by the daemon (namespace, name) that would be theirs, but for tags."""
    found: dict[tuple[str, str], int] = {}
    for demand, jobs in scene.queues.items():
        explanation = scene.explain(demand)
        named = {edit.daemon for edit in (explanation.edits if explanation else ()) if isinstance(edit, _TAG_EDITS)}
        for name in named:
            found[demand.namespace, name] = found.get((demand.namespace, name), 0) + len(jobs)
    return found


def by_failures(row: DaemonRow) -> tuple[object, ...]:
    """The worst first."""
    return (-row.failures, -row.mismatches, -row.failed, row.daemon.namespace, natural(row.daemon.name))


def by_name(row: DaemonRow) -> tuple[object, ...]:
    """In natural order."""
    return (row.daemon.namespace, natural(row.daemon.name))


def columns(*, namespaced: bool) -> list[Column[DaemonRow]]:
    """All columns in their order."""
    namespace = [Column[DaemonRow]("Namespace", lambda row: row.daemon.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.daemon.name, ALWAYS),
        Column("Status", _state, ALWAYS),
        Column("Slots", lambda row: f"{row.used}/{row.daemon.capacity}", 65),
        Column("Job", lambda row: ", ".join(row.jobs), 60),
        Column("Previous", lambda row: row.previous, 25, wide=True),
        Column("Failures", _failures, 72),
        Column("Mismatches", lambda row: str(row.mismatches or ""), 40),
        Column("Tags", lambda row: format_tags(row.daemon.supply.tags), 55),
        Column("Last seen", lambda row: "never" if row.last_seen is None else duration(row.last_seen), 50),
        Column("Version", lambda row: row.version, 20),
        Column("Provisioners", lambda row: ",".join(sorted(row.daemon.supply.provisioners)), 15, wide=True),
        Column("Completed", lambda row: str(row.completed), 12, wide=True),
        Column("Failed", lambda row: str(row.failed), 13, wide=True),
        Column("Age", lambda row: duration(row.age), 10, wide=True),
    ]


def _state(row: DaemonRow) -> Cell:
    if row.daemon.cordoned:
        return Cell(f"{row.state},Cordoned", "yellow")
    return Cell(row.state, STATE_STYLES.get(row.state, ""))


def _failures(row: DaemonRow) -> Cell:
    return Cell(str(row.failures or ""), "bold red" if row.failures >= MANY_FAILURES else "")


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One line: a pool."""

    pool: Pool
    age: float


def pool_columns(*, namespaced: bool) -> list[Column[PoolRow]]:
    """All columns in their order."""
    namespace = [Column[PoolRow]("Namespace", lambda row: row.pool.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.pool.name, ALWAYS),
        Column("Desired", lambda row: str(row.pool.status.desired_replicas), 60),
        Column("Replicas", lambda row: str(row.pool.status.replicas), 55),
        Column("Idle", lambda row: str(row.pool.status.idle), 58),
        Column("Busy", lambda row: str(row.pool.status.busy), 59),
        Column("Queued", lambda row: str(row.pool.status.queued), 75),
        Column("Bounds", _bounds, 40),
        Column("Ready", _ready, 80),
        Column("Mean run", _mean_run, 30),
        Column("Tags", lambda row: format_tags(row.pool.supply.tags), 50),
        Column("Age", lambda row: duration(row.age), 20),
        Column("Message", lambda row: _condition(row, "Ready")[1], 10, wide=True),
    ]


def _bounds(row: PoolRow) -> str:
    bounds = row.pool.autoscaling
    return f"{bounds.min_replicas}-{bounds.max_replicas}" if bounds else str(row.pool.replicas)


def _condition(row: PoolRow, kind: str) -> tuple[str, str]:
    found = next((each for each in row.pool.status.conditions if each.type == kind), None)
    return (found.reason, found.message) if found is not None else ("", "")


def _ready(row: PoolRow) -> Cell:
    is_ready = any(each.type == "Ready" and each.status == "True" for each in row.pool.status.conditions)
    reason = _condition(row, "Ready")[0]
    return Cell(reason or "unknown", "green" if is_ready else "yellow")


def _mean_run(row: PoolRow) -> str:
    seconds = row.pool.status.mean_run_seconds
    return "" if seconds is None else duration(seconds)


def rows_of_states(rows: Sequence[DaemonRow], states: frozenset[str]) -> list[DaemonRow]:
    """The daemons that are of one of these states (in small letters); `cordoned` goes with any."""
    return [row for row in rows if row.state.lower() in states or ("cordoned" in states and row.daemon.cordoned)]
