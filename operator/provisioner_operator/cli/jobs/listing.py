"""`jobs list`: print the selected jobs with their place in the queue, once or as they change."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import CliError
from provisioner_operator.cli.jobs import table
from provisioner_operator.cli.jobs.table import JobRow
from provisioner_operator.cli.jobs.why import estimate_document
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import chosen, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.job_filter import Selection
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.run_length import RunEstimate
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot, waited
from provisioner_operator.core.views.wait_estimate import Forecast
from provisioner_operator.kube import selectors
from provisioner_operator.kube.object_states import Body

NOTHING = "No provisioner jobs found."
_DEFAULT = "created"


def list_jobs(
    session: Session,
    selection: Selection,
    *,
    selector: str | None,
    limit: int,
    sorting: str | None,
    column_names: Iterable[str],
    form: str,
    follow: bool,
) -> None:
    """Print the jobs."""
    columns = chosen(table.columns(namespaced=session.all_namespaces), column_names, wide=form == "wide")
    if follow:
        from provisioner_operator.cli.jobs.watch import watch  # noqa: PLC0415 - a list need not wait for it

        watch(session, selection, selector=selector, limit=limit, sorting=sorting or _DEFAULT, columns=columns)
    elif formats.is_for_programs(form):
        _print_for_programs(session, selection, selector, limit, sorting, form)
    else:
        rows = _rows(session, selection, selector)
        kept = table.sorted_rows(table.newest(rows, limit), sorting or _DEFAULT)
        if not kept:
            session.terminal.note(NOTHING)
            return
        session.terminal.show(lines(columns, kept, width=session.terminal.width))
        if len(kept) < len(rows):
            session.terminal.note(f"The newest {len(kept)} of {len(rows)} jobs; --limit 0 shows all.", "dim")


def with_forecast(body: Body, view: JobView, snapshot: Snapshot | None, forecast: Forecast | None) -> Mapping[str, Any]:
    """Return the object with the field `queue` if the job is pending, `run` if it runs: the API itself does not store these."""
    job = view.job
    if job.phase in STARTED and forecast is not None:
        return {**body, "run": _run_document(forecast.run_of(job))}
    if snapshot is None or job.phase is not Phase.PENDING:
        return body
    place = snapshot.places.get(job.uid)
    queue = {
        "position": place.position if place else None,
        "size": place.size if place else None,
        "reason": str(snapshot.reason_of(job)) or None,
        "waitedSeconds": int(waited(job, snapshot.now)),
        "estimate": estimate_document(forecast.start_of(job) if forecast is not None and place is not None else None),
    }
    return {**body, "queue": queue}


def _rows(session: Session, selection: Selection, selector: str | None) -> list[JobRow]:
    """Return the lines of the selected jobs; jobs that were read for the queue are not read again."""
    is_all = selection.includes_pending and not _params(selection, selector)
    is_unfinished = selection.is_unfinished_only and selector is None
    snapshot: Snapshot | None = None
    if is_all or (is_unfinished and selection.includes_pending):
        views = _views(session, {} if is_all else {"fieldSelector": selectors.UNFINISHED_JOBS})
        snapshot = _snapshot_of(session, selection, [view.job for view in views])
    else:
        snapshot = _snapshot(session, selection)
        views = _views(session, _params(selection, selector))
    now = session.cluster.now()
    forecast = _forecast(session, snapshot, [view.job for view in views], has_ended=is_all)
    return [
        table.job_row(view, snapshot, now, forecast=forecast, utc=session.utc)
        for view in views
        if selection.includes(view, snapshot)
    ]


def _print_for_programs(
    session: Session, selection: Selection, selector: str | None, limit: int, sorting: str | None, form: str
) -> None:
    # The queue is read first and kept only as records: then the objects can be written as they arrive.
    snapshot = _snapshot(session, selection)
    unfinished = () if snapshot is None else snapshot.jobs.values()
    forecast = _forecast(session, snapshot, unfinished, has_ended=False)
    params = _params(selection, selector)
    read = loading.job_views(session.cluster, session.scope, session.terminal.note, params)
    found = ((body, view) for body, view in read if selection.includes(view, snapshot))
    if not limit and sorting is None:
        formats.write_list(sys.stdout, form, (with_forecast(body, view, snapshot, forecast) for body, view in found))
        return
    by_uid: dict[str, tuple[Body, JobView]] = {view.job.uid: (body, view) for body, view in found}
    rows = [table.job_row(view, snapshot, session.cluster.now()) for _, view in by_uid.values()]
    ordered = table.sorted_rows(table.newest(rows, limit), sorting or _DEFAULT)
    bodies = (by_uid[row.view.job.uid] for row in ordered)
    formats.write_list(sys.stdout, form, (with_forecast(body, view, snapshot, forecast) for body, view in bodies))


def _forecast(session: Session, snapshot: Snapshot | None, jobs: Iterable[Job], *, has_ended: bool) -> Forecast | None:
    """Return what lies ahead of these jobs; ended ones are read for it unless all are among them."""
    found = list(jobs)
    if not any(job.phase in STARTED or job.may_start for job in found):
        return None
    history = RunHistory(job for job in found if job.phase in TERMINAL) if has_ended else _history(session)
    queue = snapshot if snapshot is not None else Snapshot(found, now=session.cluster.now())
    return Forecast(queue, history)


def _history(session: Session) -> RunHistory:
    try:
        return loading.run_history(session.cluster, session.scope, session.terminal.note)
    except CliError as error:
        session.terminal.note(f"Past runs cannot be read, so nothing is estimated: {error}")
        return RunHistory()


def _run_document(run: RunEstimate | None) -> dict[str, object] | None:
    if run is None:
        return None
    return {"p50Seconds": ceil(run.p50), "p90Seconds": ceil(run.p90), "runs": run.runs, "overlong": run.is_overlong}


def _params(selection: Selection, selector: str | None) -> dict[str, str]:
    fields = selection.field_selector()
    return ({"fieldSelector": fields} if fields else {}) | ({"labelSelector": selector} if selector else {})


def _views(session: Session, params: Mapping[str, str]) -> list[JobView]:
    return [view for _, view in loading.job_views(session.cluster, session.scope, session.terminal.note, params)]


def _snapshot(session: Session, selection: Selection) -> Snapshot | None:
    """Read the queue, if the selection may include pending jobs."""
    if not selection.includes_pending:
        return None
    views = _views(session, {"fieldSelector": selectors.UNFINISHED_JOBS})
    return _snapshot_of(session, selection, [view.job for view in views])


def _snapshot_of(session: Session, selection: Selection, jobs: Sequence[Job]) -> Snapshot:
    """Return the snapshot of these jobs; daemons, pools and policies are read only if a job may wait for them."""
    cluster, warn = session.cluster, session.terminal.note
    needs_fleet = selection.stuck or any(job.phase is Phase.PENDING for job in jobs)
    fleet = loading.daemons(cluster, session.scope, warn) if needs_fleet else []
    supply = loading.pools(cluster, session.scope, warn) if needs_fleet else []
    policies = loading.queues(cluster, session.scope, warn) if needs_fleet else []
    return loading.snapshot_of(jobs, fleet, supply, policies, cluster)
