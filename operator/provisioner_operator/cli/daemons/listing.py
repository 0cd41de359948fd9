"""`daemons …`, `pools list` and `match`: who is there to run jobs."""

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson
from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import CORDONED_BY_ANNOTATION
from provisioner_operator.cli.api.client import Body
from provisioner_operator.cli.daemons import table
from provisioner_operator.cli.daemons.table import DaemonRow, PoolRow, daemon_row
from provisioner_operator.cli.errors import CliError, Exit, UsageError, combined
from provisioner_operator.cli.jobs.why import columns as fit_columns
from provisioner_operator.cli.jobs.why import fits
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.table import chosen, lines
from provisioner_operator.cli.output.times import duration, moment
from provisioner_operator.cli.session import Session, require
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.matching import Demand, effective_tags, format_tags, satisfies
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.views.snapshot import Scene
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon

STATE_WORDS = ("idle", "busy", "draining", "offline", "cordoned")
_JOBS_SHOWN = 10


def list_daemons(
    session: Session,
    *,
    states: frozenset[str],
    tags: Iterable[tuple[str, str]],
    failing: bool,
    column_names: Iterable[str],
    form: str,
) -> None:
    """Print the daemons."""
    columns = chosen(table.columns(namespaced=session.all_namespaces), column_names, wide=form == "wide")
    cluster, warn = session.cluster, session.terminal.note
    live = loading.live_views(cluster, session.scope, warn)
    fleet = loading.daemons(cluster, session.scope, warn)
    scene = loading.scene_of(
        (view.job for _, view in live), fleet, loading.pools(cluster, session.scope, warn), cluster
    )
    wants_previous = any(column.title == "Previous" for column in columns) and not formats.is_for_programs(form)
    previous = _previous(session) if wants_previous else {}
    near = table.mismatches(scene)
    rows = [
        daemon_row(body, daemon, scene, near, age=_age(body, scene.now), previous=previous.get(daemon.uid, ""))
        for body, daemon in fleet
    ]
    rows = table.rows_of_states(rows, states) if states else rows
    wanted = frozenset(tags)
    rows = [row for row in rows if wanted <= row.daemon.supply.tags]
    if failing:
        rows = [row for row in rows if row.failures or row.mismatches]
    rows.sort(key=table.by_failures if failing else table.by_name)
    if formats.is_for_programs(form):
        by_uid = {daemon.uid: body for body, daemon in fleet}
        formats.write_list(sys.stdout, form, (by_uid[row.daemon.uid] for row in rows))
    elif rows:
        session.terminal.show(lines(columns, rows, width=session.terminal.width))
    else:
        session.terminal.note("No provisioner daemons found.")


def parse_states(values: Iterable[str]) -> frozenset[str]:
    """The states that are named, in small letters. Raises UsageError."""
    words = frozenset(word.strip().lower() for value in values for word in value.split(",") if word.strip())
    for word in words:
        if word not in STATE_WORDS:
            raise UsageError(f"There is no status {word!r} of a daemon. Choose of: {', '.join(STATE_WORDS)}.")
    return words


def _age(body: Body, now: float) -> float:
    return now - datetime.fromisoformat(body["metadata"]["creationTimestamp"]).timestamp()


def _previous(session: Session) -> dict[str, str]:
    """The last job that ended on each daemon, by the daemon's uid."""
    latest: dict[str, JobView] = {}
    for _, view in loading.job_views(
        session.cluster, session.scope, session.terminal.note, {"fieldSelector": selectors.ENDED_JOBS}
    ):
        job = view.job
        if job.assignment is None or job.started is None:
            continue
        known = latest.get(job.assignment.daemon_uid)
        if known is None or (known.job.finished or 0.0) < (job.finished or 0.0):
            latest[job.assignment.daemon_uid] = view
    return {uid: f"{view.job.name} {view.job.phase}" for uid, view in latest.items()}


def _read_daemon(session: Session, name: str) -> tuple[Body, Daemon]:
    body = session.cluster.get(paths.daemon(session.namespace, name))
    try:
        return body, parse_daemon(body)
    except UnparseableObjectError as error:
        raise CliError(f"The daemon {name!r} cannot be understood by this version: {error}.") from error


def show_daemon(session: Session, name: str, form: str | None) -> None:
    """Print one daemon."""
    if form is not None:
        require(formats.is_for_programs(formats.checked(form)), "show prints text, or json, yaml, name, jsonpath=.")
    body, daemon = _read_daemon(session, name)
    if form is not None:
        formats.write_one(sys.stdout, form, body)
        return
    scene = loading.scene(session.cluster, session.namespace, session.terminal.note)
    selector = {"fieldSelector": f"status.assignment.daemon={name}"}
    views = [view for _, view in loading.job_views(session.cluster, session.namespace, session.terminal.note, selector)]
    row = daemon_row(body, daemon, scene, table.mismatches(scene), age=_age(body, scene.now))
    for line in _told(session, body, row, views, scene):
        session.terminal.out.print(line)


def _told(session: Session, body: Body, row: DaemonRow, views: Iterable[JobView], scene: Scene) -> Iterator[Text]:
    daemon = row.daemon
    style = table.STATE_STYLES.get(row.state, "")
    head = Text.assemble((daemon.name, "bold"), f" in {daemon.namespace}: ", (row.state, style))
    if daemon.cordoned:
        by = f" by pool {daemon.cordoned_by}" if daemon.cordoned_by else ""
        head.append(f", cordoned{by}", "yellow")
    yield head
    seen = "never" if row.last_seen is None else f"{duration(row.last_seen)} ago"
    takes = sum(len(jobs) for demand, jobs in scene.queues.items() if satisfies(daemon.supply, demand))
    facts = [
        ("Tags", format_tags(daemon.supply.tags)),
        ("Provisioners", ", ".join(sorted(daemon.supply.provisioners))),
        ("Slots", f"{row.used} of {daemon.capacity} taken"),
        ("Jobs", ", ".join(row.jobs) or "none"),
        ("Waiting for it", counted(takes, "job")),
        ("Last seen", seen),
        ("Lost after", duration(daemon.lost_after)),
        ("Version", row.version),
        ("Pod", daemon.name if daemon.pod_uid else "none: it was registered by hand"),
        ("Ended on it", f"{row.completed} completed, {row.failed} failed, {counted(row.failures, 'failure')} in a row"),
    ]
    if row.mismatches:
        facts.append(
            ("Mismatches", f"{counted(row.mismatches, 'waiting job')} would match it, but for tags: see `jobs why`")
        )
    for title, value in facts:
        yield Text.assemble((f"  {title + ':':<16}", "dim"), value)
    for condition in (body.get("status") or {}).get("conditions") or ():
        if condition["status"] != "True" and condition.get("message"):
            yield Text.assemble((f"  {condition['type'] + ':':<16}", "dim"), (condition["message"], "red"))
    ended = sorted((v.job for v in views if v.job.phase in TERMINAL), key=lambda job: -(job.finished or 0.0))
    if ended:
        yield Text("Last jobs", "bold")
    for job in ended[:_JOBS_SHOWN]:
        reason = f" {job.reason}" if job.reason and job.reason != job.phase else ""
        yield Text(f"  {moment(job.finished, utc=session.utc)}  {job.name}: {job.phase}{reason}")


def cordon(session: Session, names: Iterable[str], *, cordoned: bool, dry_run: bool = False) -> Exit:
    """Set `spec.cordoned` of these daemons."""
    codes = []
    for name in dict.fromkeys(names):
        try:
            session.terminal.say(f"{name}: {set_cordoned(session, name, cordoned=cordoned, dry_run=dry_run)}")
            codes.append(Exit.OK)
        except CliError as error:
            session.terminal.note(f"{name}: {error}")
            codes.append(error.code)
    return combined(codes)


def set_cordoned(session: Session, name: str, *, cordoned: bool, dry_run: bool = False) -> str:
    """Set it, if it is not so already; what came of it, in words."""
    path = paths.daemon(session.namespace, name)
    body = session.cluster.get(path)
    if bool(body["spec"].get("cordoned")) is cordoned:
        return "is cordoned already" if cordoned else "is not cordoned"
    patch = JsonPatch(tests=(("/metadata/uid", body["metadata"]["uid"]),), sets=(("/spec/cordoned", cordoned),))
    session.cluster.json_patch(path, patch, dry_run=dry_run)
    pool = (body["metadata"].get("annotations") or {}).get(CORDONED_BY_ANNOTATION)
    note = f"; pool {pool} is about to remove it, and may cordon it again" if pool and not cordoned else ""
    return f"{'cordoned' if cordoned else 'uncordoned'}{' (dry run)' if dry_run else ''}{note}"


def list_pools(session: Session, column_names: Iterable[str], form: str) -> None:
    """Print the pools."""
    columns = chosen(table.pool_columns(namespaced=session.all_namespaces), column_names, wide=form == "wide")
    # Not `reading.pools`: here it matters why there are none.
    bodies = session.cluster.list(paths.pools(session.scope))
    if formats.is_for_programs(form):
        formats.write_list(sys.stdout, form, bodies)
        return
    now = session.cluster.now()
    found = loading.pools_of(bodies, session.terminal.note)
    rows = [PoolRow(pool, _age(body, now)) for body, pool in found]
    if rows:
        session.terminal.show(lines(columns, rows, width=session.terminal.width))
    else:
        session.terminal.note("No provisioner pools found.")


def match(session: Session, tags: Iterable[tuple[str, str]], provisioner: str, *, as_json: bool) -> Exit:
    """Print who would take such a job now; the exit code tells whether anybody would."""
    demand = Demand(session.namespace, Provisioner(provisioner), effective_tags(dict(tags)))
    scene = loading.scene(session.cluster, session.namespace, session.terminal.note)
    found = fits(demand, scene)
    explanation = scene.explain(demand)
    waiting = len(scene.queues.get(demand, ()))
    if as_json:
        document = {
            "tags": dict(sorted(demand.tags)),
            "provisioner": provisioner,
            "startsNow": explanation is None,
            "reason": explanation.reason if explanation else None,
            "message": explanation.message if explanation else None,
            "waiting": waiting,
            "daemons": [
                {
                    "name": fit.daemon,
                    "matches": fit.matches,
                    "state": fit.state,
                    "lacks": fit.lacks,
                    "hasTooMany": fit.has_too_many,
                }
                for fit in found
            ],
        }
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        for line in _match_told(demand, scene, waiting):
            session.terminal.out.print(line)
        if found:
            session.terminal.out.print()
            session.terminal.show(lines(fit_columns(), found, width=session.terminal.width))
    return Exit.OK if explanation is None else Exit.PRECONDITION


def _match_told(demand: Demand, scene: Scene, waiting: int) -> Iterator[Text]:
    asked = f"provisioner {demand.provisioner} and tags {format_tags(demand.tags)} in namespace {demand.namespace}"
    explanation = scene.explain(demand)
    if explanation is None:
        ready = [
            each.daemon.name
            for each in scene.candidates(demand.namespace)
            if each.open and each.free and satisfies(each.daemon.supply, demand)
        ]
        yield Text.assemble(("It would start now", "green"), f": {asked}. Free for it: {', '.join(sorted(ready))}.")
    else:
        yield Text.assemble(
            ("It would wait", "yellow"), f": {asked}.\n", (explanation.reason, "bold"), f": {explanation.message}"
        )
    if waiting:
        yield Text(f"Waiting already for the same: {counted(waiting, 'job')}.")
