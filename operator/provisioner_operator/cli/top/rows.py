"""Rows of the tables of `top`. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.daemons import table
from provisioner_operator.cli.jobs import table as job_table
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.table import safe
from provisioner_operator.cli.output.times import duration
from provisioner_operator.cli.view.live_snapshot import LiveSnapshot
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.run_length import RunEstimate
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.ordering import natural, queue_key
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.core.views.snapshot import Snapshot, ran, waited
from provisioner_operator.core.views.wait_estimate import Forecast
from provisioner_operator.kube.object_states import daemon_report

MOST_ROWS = 200
"""Most rows of a table: nobody scrolls through more, a filter finds the others."""
_BAR = 10

QUEUE_TITLES = ("TAGS", "PROVISIONER", "WAITING", "OLDEST", "REASON", "ONLINE", "FREE")
JOB_TITLES = ("NAME", "STATUS", "QUEUE", "WAITED", "RAN", "PROGRESS", "STAGE", "DAEMON", "REASON", "WORKSPACE")
DAEMON_TITLES = ("NAME", "STATUS", "SLOTS", "JOB", "FAILURES", "LAST SEEN", "TAGS")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    key: str
    cells: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """The content of the screen at one moment."""

    summary: str
    queue: Sequence[Row]
    jobs: Sequence[Row]
    daemons: Sequence[Row]


def tables(live: LiveSnapshot, now: float, *, wanted: str, history: RunHistory, namespaced: bool) -> Tables:
    """Return the tables, with the rows that contain all wanted words."""
    snapshot = live.at(now)
    views = [view for view in live.job_views() if view.job.phase not in TERMINAL]
    jobs = sorted(views, key=lambda view: _by_urgency(view, snapshot))
    counts = {phase: sum(view.job.phase is phase for view in views) for phase in Phase}
    stuck = sum(snapshot.is_stuck(view.job) for view in views)
    online = sum(snapshot.is_online(daemon) for daemon in snapshot.daemons)
    parts = [
        f"{counts[Phase.PENDING]} pending",
        f"{stuck} stuck",
        f"{counts[Phase.RUNNING] + counts[Phase.CANCELING]} running",
        f"{online} of {counted(len(snapshot.daemons), 'daemon')} online",
    ]
    forecast = Forecast(snapshot, history)
    return Tables(
        ", ".join(parts),
        _filtered(_queue(snapshot, namespaced=namespaced), wanted),
        _filtered([_job(view, snapshot, forecast, namespaced=namespaced) for view in jobs], wanted),
        _filtered(_daemons(live, snapshot, namespaced=namespaced), wanted),
    )


def _filtered(rows: Iterable[Row], wanted: str) -> list[Row]:
    words = wanted.lower().split()
    found = [row for row in rows if all(word in " ".join(cell.plain for cell in row.cells).lower() for word in words)]
    return found[:MOST_ROWS]


def _by_urgency(view: JobView, snapshot: Snapshot) -> tuple[object, ...]:
    """Return the sort key: stuck jobs, then running ones, then the queue in its order."""
    job = view.job
    return (not snapshot.is_stuck(job), job.phase not in STARTED, *queue_key(job))


def _named(namespace: str, name: str, *, namespaced: bool) -> Text:
    return Text(f"{namespace}/{name}" if namespaced else name, "bold")


def _queue(snapshot: Snapshot, *, namespaced: bool) -> list[Row]:
    rows: list[tuple[tuple[object, ...], Row]] = []
    for demand, jobs in snapshot.queues.items():
        explanation = snapshot.explain(demand)
        takers = snapshot.takers(demand)
        free = sum(max(0, daemon.capacity - snapshot.used(daemon)) for daemon in takers)
        reason = explanation.reason if explanation else ""
        oldest = max(waited(job, snapshot.now) for job in jobs)
        tags = format_tags(demand.tags)
        cells = (
            Text(safe(f"{demand.namespace}: {tags}" if namespaced else tags), "bold"),
            Text(demand.provisioner),
            Text(str(len(jobs))),
            Text(duration(oldest)),
            Text(reason, "bold red" if reason in STUCK else "yellow"),
            Text(str(len(takers))),
            Text(str(free)),
        )
        key = f"{demand.namespace} {demand.provisioner} {sorted(demand.tags)}"
        rows.append(((reason not in STUCK, -oldest), Row(key, cells)))
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _job(view: JobView, snapshot: Snapshot, forecast: Forecast, *, namespaced: bool) -> Row:
    job = view.job
    row = job_table.job_row(view, snapshot, snapshot.now, forecast=forecast if job.phase in STARTED else None)
    seconds = ran(job, snapshot.now)
    reason_style = "bold red" if row.reason in STUCK else ""
    cells = (
        _named(job.namespace, job.name, namespaced=namespaced),
        Text(job.phase, job_table.PHASE_STYLES[job.phase]),
        Text(str(row.place or "")),
        Text(duration(waited(job, snapshot.now))),
        Text("" if seconds is None else duration(seconds)),
        _progress(seconds, row.run),
        Text(safe(view.stage or "")),
        Text(job.assignment.daemon if job.assignment else ""),
        Text(row.reason, reason_style),
        Text(job.workspace or ""),
    )
    return Row(f"{job.namespace}/{job.name}", cells)


def _progress(seconds: float | None, like: RunEstimate | None) -> Text:
    """Return the progress of a run, on the assumption that it takes as long as the median of those like it."""
    if seconds is None or like is None:
        return Text("")
    share = seconds / like.p50
    if share >= 1:
        return Text.assemble(("━" * _BAR, "yellow"), " longer")
    full = int(share * _BAR)
    return Text.assemble(("━" * full, "cyan"), ("─" * (_BAR - full), "dim"), f" {share:3.0%}")


def _daemons(live: LiveSnapshot, snapshot: Snapshot, *, namespaced: bool) -> list[Row]:
    found = [
        table.daemon_row(daemon, daemon_report(body), snapshot, {}, age=0.0)
        for body, daemon in sorted(live.fleet(), key=lambda each: natural(each[1].name))
    ]
    rows = []
    for row in found:
        failures = row.report.consecutive_failures
        state = f"{row.state},Cordoned" if row.daemon.cordoned else row.state
        style = "yellow" if row.daemon.cordoned else table.STATE_STYLES.get(row.state, "")
        cells = (
            _named(row.daemon.namespace, row.daemon.name, namespaced=namespaced),
            Text(state, style),
            Text(f"{row.used}/{row.daemon.capacity}"),
            Text(", ".join(row.jobs)),
            Text(str(failures or ""), "bold red" if failures >= table.MANY_FAILURES else ""),
            Text("never" if row.last_seen is None else duration(row.last_seen)),
            Text(safe(format_tags(row.daemon.supply.tags))),
        )
        rows.append(Row(f"{row.daemon.namespace}/{row.daemon.name}", cells))
    return rows
