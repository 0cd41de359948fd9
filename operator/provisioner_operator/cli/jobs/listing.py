"""`jobs list`: the queue and what became of it, once or as it changes."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.api.client import Body
from provisioner_operator.cli.jobs import table
from provisioner_operator.cli.jobs.table import JobRow
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import chosen, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.job_filter import Selection
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Scene, waited
from provisioner_operator.kube import selectors

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


def _params(selection: Selection, selector: str | None) -> dict[str, str]:
    fields = selection.field_selector()
    return ({"fieldSelector": fields} if fields else {}) | ({"labelSelector": selector} if selector else {})


def _rows(session: Session, selection: Selection, selector: str | None) -> list[JobRow]:
    """The lines of the jobs that are meant; what was read for the queue is not read again."""
    is_all = selection.wants_queue and not _params(selection, selector)
    is_live = selection.is_live_only and selector is None
    scene: Scene | None = None
    if is_all or (is_live and selection.wants_queue):
        fields = {} if is_all else {"fieldSelector": selectors.UNFINISHED_JOBS}
        views = _views(session, fields)
        scene = _scene_of(session, selection, [view.job for view in views])
        found: Iterable[JobView] = views
    else:
        scene = _scene(session, selection)
        found = _views(session, _params(selection, selector))
    now = session.cluster.now()
    return [table.job_row(view, scene, now, utc=session.utc) for view in found if selection.includes(view, scene)]


def _views(session: Session, params: Mapping[str, str]) -> list[JobView]:
    return [view for _, view in loading.job_views(session.cluster, session.scope, session.terminal.note, params)]


def _scene(session: Session, selection: Selection) -> Scene | None:
    """The queue, if jobs may be meant that stand in it."""
    if not selection.wants_queue:
        return None
    views = _views(session, {"fieldSelector": selectors.UNFINISHED_JOBS})
    return _scene_of(session, selection, [view.job for view in views])


def _scene_of(session: Session, selection: Selection, jobs: Sequence[Job]) -> Scene:
    """The queue of these jobs, and who serves it; daemons are read only if somebody waits for them."""
    cluster, warn = session.cluster, session.terminal.note
    needs_fleet = selection.stuck or any(job.phase is Phase.PENDING for job in jobs)
    fleet = loading.daemons(cluster, session.scope, warn) if needs_fleet else []
    growing = loading.pools(cluster, session.scope, warn) if needs_fleet else []
    return loading.scene_of(jobs, fleet, growing, cluster)


def _print_for_programs(
    session: Session, selection: Selection, selector: str | None, limit: int, sorting: str | None, form: str
) -> None:
    # The queue is read first, and nothing of it kept but what the core needs: then objects can be written as they come.
    scene = _scene(session, selection)
    params = _params(selection, selector)
    read = loading.job_views(session.cluster, session.scope, session.terminal.note, params)
    found = ((body, view) for body, view in read if selection.includes(view, scene))
    if not limit and sorting is None:
        formats.write_list(sys.stdout, form, (_with_queue(body, view, scene) for body, view in found))
        return
    by_uid: dict[str, tuple[Body, JobView]] = {view.job.uid: (body, view) for body, view in found}
    rows = [table.job_row(view, scene, session.cluster.now()) for _, view in by_uid.values()]
    ordered = table.sorted_rows(table.newest(rows, limit), sorting or _DEFAULT)
    bodies = (by_uid[row.view.job.uid] for row in ordered)
    formats.write_list(sys.stdout, form, (_with_queue(body, view, scene) for body, view in bodies))


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
