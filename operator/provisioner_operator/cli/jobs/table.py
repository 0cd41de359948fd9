"""Columns and order of the list of jobs. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.table import ALWAYS, Cell, Column
from provisioner_operator.cli.output.times import duration, moment
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.estimates.run_length import OVERLONG, RunEstimate
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.snapshot import Snapshot, ran, waited
from provisioner_operator.core.views.wait_estimate import Forecast

PHASE_STYLES = {
    Phase.PENDING: "yellow",
    Phase.RUNNING: "cyan",
    Phase.CANCELING: "magenta",
    Phase.COMPLETED: "green",
    Phase.FAILED: "red",
    Phase.CANCELED: "dim",
}


@dataclass(frozen=True, slots=True)
class JobRow:
    """One line of the list: a job, its reason, its place in the queue, and what lies ahead of it."""

    view: JobView
    reason: str
    place: Place | None
    now: float
    utc: bool = True
    start: StartEstimate | None = None
    run: RunEstimate | None = None
    is_forecast: bool = False
    """Whether its start was to be estimated."""


def job_row(
    view: JobView, snapshot: Snapshot | None, now: float, *, forecast: Forecast | None = None, utc: bool = True
) -> JobRow:
    """Return the line of a job; without a snapshot it has no place, and its reason is that of its status."""
    job = view.job
    reason, place, start, run = job.reason or "", None, None, None
    if job.phase is Phase.PENDING and snapshot is not None and job.uid in snapshot.jobs:
        reason = snapshot.reason_of(job)
        place = snapshot.places.get(job.uid)
        start = None if forecast is None or place is None else forecast.start_of(job)
    if job.phase in STARTED and forecast is not None:
        run = forecast.run_of(job)
        reason = reason or (OVERLONG if run is not None and run.is_overlong else "")
    return JobRow(view, reason, place, now, utc, start, run, is_forecast=forecast is not None)


def columns(*, namespaced: bool) -> list[Column[JobRow]]:
    """Return all columns in their order."""
    namespace = [Column[JobRow]("Namespace", lambda row: row.view.job.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.view.job.name, ALWAYS),
        Column("Type", lambda row: row.view.job.type, 20, wide=True),
        Column("Workspace", lambda row: row.view.job.workspace, 40),
        Column("Transition", lambda row: row.view.job.transition, 25),
        Column("Template", lambda row: row.view.template, 22, wide=True),
        Column("Status", _status, ALWAYS),
        Column("Reason", _reason, 80),
        Column("Queue", lambda row: str(row.place) if row.place else "", 75),
        Column("Starts in", _start, 65),
        Column("Waited", lambda row: duration(waited(row.view.job, row.now)), 60),
        Column("Ran", _ran, 35),
        Column("Typical run", _typical_run, 13, wide=True),
        Column("Daemon", lambda row: row.view.job.assignment.daemon if row.view.job.assignment else "", 45),
        Column("Tags", lambda row: format_tags(row.view.job.demand.tags), 42),
        Column("Initiator", lambda row: row.view.initiator, 23, wide=True),
        Column("Canceled by", lambda row: row.view.job.canceled_by, 15, wide=True),
        Column("Priority", lambda row: str(row.view.job.priority), 12, wide=True),
        Column("Last stage", lambda row: row.view.stage, 14, wide=True),
        Column("Created", lambda row: moment(row.view.job.created, utc=row.utc), 24, wide=True),
        Column("Started", lambda row: moment(row.view.job.started, utc=row.utc), 10, wide=True),
        Column("Finished", lambda row: moment(row.view.job.finished, utc=row.utc), 10, wide=True),
        Column("Age", lambda row: duration(row.now - row.view.job.created), 30),
        Column("Message", lambda row: row.view.job.message, 5, wide=True),
    ]


def _status(row: JobRow) -> Cell:
    return Cell(row.view.job.phase, PHASE_STYLES[row.view.job.phase])


def _reason(row: JobRow) -> Cell:
    phase = row.view.job.phase
    if row.reason == phase:  # a completed job has the reason Completed
        return Cell("")
    style = "bold red" if row.reason in STUCK or phase is Phase.FAILED else ""
    return Cell(row.reason, "bold yellow" if row.reason == OVERLONG else style)


def _start(row: JobRow) -> str:
    """Return p50 and p90 of the time to the start; nothing for a job that is not in the queue."""
    if row.place is None or not row.is_forecast:
        return ""
    return "unknown" if row.start is None else f"{duration(ceil(row.start.p50))}/{duration(ceil(row.start.p90))}"


def _typical_run(row: JobRow) -> str:
    """Return p50 and p90 of runs like this one, and their number."""
    run = row.run
    return "" if run is None else f"{duration(run.p50)}/{duration(run.p90)} of {run.runs}"


def _ran(row: JobRow) -> str:
    seconds = ran(row.view.job, row.now)
    return "" if seconds is None else duration(seconds)


_SORTINGS: dict[str, Callable[[JobRow], tuple[object, ...]]] = {
    "created": lambda row: (row.view.job.created,),
    "name": lambda _: (),
    "namespace": lambda row: (row.view.job.namespace,),
    "status": lambda row: (list(Phase).index(row.view.job.phase),),
    "queue": lambda row: (row.place is None, row.place.position if row.place else 0),
    "waited": lambda row: (waited(row.view.job, row.now),),
    "ran": lambda row: (ran(row.view.job, row.now) or 0.0,),
    "priority": lambda row: (row.view.job.priority,),
}
SORTINGS = tuple(_SORTINGS)


def sorted_rows(rows: Iterable[JobRow], sorting: str) -> list[JobRow]:
    """Return the lines in order; a leading `-` reverses it. Raises UsageError."""
    name = sorting.removeprefix("-").lower()
    if name not in _SORTINGS:
        raise UsageError(
            f"There is no sort key {name!r}. Choose from: {', '.join(SORTINGS)}; a leading - reverses the order."
        )
    key = _SORTINGS[name]
    ordered = sorted(rows, key=lambda row: (*key(row), natural(row.view.job.name)))
    return ordered[::-1] if sorting.startswith("-") else ordered


def newest(rows: list[JobRow], limit: int) -> list[JobRow]:
    """Return the `limit` jobs created last; all if `limit` is 0."""
    if not limit or len(rows) <= limit:
        return rows
    kept = sorted(rows, key=lambda row: (row.view.job.created, natural(row.view.job.name)))[-limit:]
    uids = {row.view.job.uid for row in kept}
    return [row for row in rows if row.view.job.uid in uids]


def summary(rows: Iterable[JobRow]) -> str:
    """Return the number of jobs of each phase, in words."""
    phases = [row.view.job.phase for row in rows]
    parts = [f"{phases.count(phase)} {phase}" for phase in Phase if phase in phases]
    return f"{counted(len(phases), 'job')}: {', '.join(parts)}" if parts else "no jobs"
