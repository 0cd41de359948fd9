"""`jobs list`: the queue and what became of it, once or as it changes."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioner_operator.api.enums import Phase
from provisioner_operator.cli import job_table, machine, reading
from provisioner_operator.cli.cluster import Body
from provisioner_operator.cli.context import Session
from provisioner_operator.cli.job_table import JobRow
from provisioner_operator.cli.reading import JobView
from provisioner_operator.cli.scene import Scene, waited
from provisioner_operator.cli.selection import Selection
from provisioner_operator.cli.table import chosen, lines
from provisioner_operator.core.records import Job

NOTHING = "No provisioner jobs found."


def list_jobs(
    session: Session,
    selection: Selection,
    *,
    selector: str | None,
    limit: int,
    sorting: str,
    column_names: Iterable[str],
    form: str,
    follow: bool,
) -> None:
    """Print the jobs."""
    columns = chosen(job_table.columns(namespaced=session.all_namespaces), column_names, wide=form == "wide")
    if follow:
        from provisioner_operator.cli.jobs_watch import watch  # noqa: PLC0415 - a list need not wait for it

        watch(session, selection, selector=selector, limit=limit, sorting=sorting, columns=columns)
    elif machine.is_for_programs(form):
        _print_for_programs(session, selection, selector, limit, sorting, form)
    else:
        rows = _rows(session, selection, selector)
        kept = job_table.sorted_rows(job_table.newest(rows, limit), sorting)
        if not kept:
            session.terminal.note(NOTHING)
            return
        session.terminal.show(lines(columns, kept, width=session.terminal.width))
        if len(kept) < len(rows):
            session.terminal.note(f"The newest {len(kept)} of {len(rows)} jobs; --limit 0 shows all.", "dim")


def _params(selection: Selection, selector: str | None) -> dict[str, str]:
    fields = selection.field_selector()
    return ({"fieldSelector": fields} if fields else {}) | ({"labelSelector": selector} if selector else {})


def _rows(session: Session, selection: Selection, selector: str | None) -> list[JobRow]:
    if selection.wants_queue and not _params(selection, selector):
        # Everything has to be read: then the queue is among it.
        views = [view for _, view in reading.job_views(session.cluster, session.scope, session.terminal.note)]
        scene: Scene | None = _scene_of(session, selection, [view.job for view in views])
        found = (view for view in views if selection.includes(view, scene))
    else:
        scene, live = _scene(session, selection)
        found = (view for _, view in _selected(session, selection, selector, scene, live))
    return [job_table.job_row(view, scene, session.cluster.now(), utc=session.utc) for view in found]


def _scene(session: Session, selection: Selection) -> tuple[Scene | None, list[tuple[Body, JobView]]]:
    """The queue, if jobs may be meant that stand in it; and the live jobs that were read for it."""
    if not selection.wants_queue:
        return None, []
    live = reading.live_views(session.cluster, session.scope, session.terminal.note)
    return _scene_of(session, selection, [view.job for _, view in live]), live


def _scene_of(session: Session, selection: Selection, jobs: Sequence[Job]) -> Scene:
    """The queue of these jobs, and who serves it; daemons are read only if somebody waits for them."""
    cluster, warn = session.cluster, session.terminal.note
    needs_fleet = selection.stuck or any(job.phase is Phase.PENDING for job in jobs)
    fleet = reading.daemons(cluster, session.scope, warn) if needs_fleet else []
    growing = reading.pools(cluster, session.scope, warn) if needs_fleet else []
    return reading.scene_of(jobs, fleet, growing, cluster)


def _selected(
    session: Session,
    selection: Selection,
    selector: str | None,
    scene: Scene | None,
    live: Iterable[tuple[Body, JobView]],
) -> Iterator[tuple[Body, JobView]]:
    if selection.is_live_only and selector is None and scene is not None:
        found: Iterable[tuple[Body, JobView]] = live
    else:
        params = _params(selection, selector)
        found = reading.job_views(session.cluster, session.scope, session.terminal.note, params)
    return ((body, view) for body, view in found if selection.includes(view, scene))


def _print_for_programs(
    session: Session, selection: Selection, selector: str | None, limit: int, sorting: str, form: str
) -> None:
    scene, live = _scene(session, selection)
    found = _selected(session, selection, selector, scene, live)
    if not limit and sorting == "created":
        machine.write_list(sys.stdout, form, (_with_queue(body, view, scene) for body, view in found))
        return
    by_uid: dict[str, tuple[Body, JobView]] = {view.job.uid: (body, view) for body, view in found}
    rows = [job_table.job_row(view, scene, session.cluster.now()) for _, view in by_uid.values()]
    ordered = job_table.sorted_rows(job_table.newest(rows, limit), sorting)
    bodies = (by_uid[row.view.job.uid] for row in ordered)
    machine.write_list(sys.stdout, form, (_with_queue(body, view, scene) for body, view in bodies))


def _with_queue(body: Body, view: JobView, scene: Scene | None) -> Mapping[str, Any]:
    """The object, and for a pending one its place in the queue: what the API itself never stores."""
    job = view.job
    if scene is None or job.phase is not Phase.PENDING:
        return body
    place = scene.places.get(job.uid)
    queue = {
        "position": place.position if place else None,
        "size": place.size if place else None,
        "reason": str(scene.reason_of(job)) or None,
        "waitedSeconds": int(waited(job, scene.now)),
    }
    return {**body, "queue": queue}
