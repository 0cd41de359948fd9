"""`daemons list`: the daemons, their jobs and their failures."""

import sys
from collections.abc import Iterable, Sequence

from provisioner_operator.cli.daemons import table
from provisioner_operator.cli.daemons.table import DaemonRow, daemon_row
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import Column, chosen, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.kube import selectors
from provisioner_operator.kube.object_states import Body, age_of, daemon_report

STATE_WORDS = ("idle", "busy", "draining", "offline", "cordoned")


def list_daemons(
    session: Session,
    *,
    states: frozenset[str],
    tags: Iterable[tuple[str, str]],
    failing: bool,
    column_names: Iterable[str],
    form: str,
) -> None:
    """Print the daemons that are in one of these states, if any are given, and have these tags."""
    columns = chosen(table.columns(namespaced=session.all_namespaces), column_names, wide=form == "wide")
    fleet = loading.daemons(session.cluster, session.scope, session.terminal.note)
    rows = _rows(session, fleet, columns, form)
    rows = table.rows_of_states(rows, states) if states else rows
    wanted = frozenset(tags)
    rows = [row for row in rows if wanted <= row.daemon.supply.tags]
    if failing:
        rows = [row for row in rows if row.report.consecutive_failures or row.blocked_by_tags]
    rows.sort(key=table.by_failures if failing else table.by_name)
    if formats.is_for_programs(form):
        by_uid = {daemon.uid: body for body, daemon in fleet}
        formats.write_list(sys.stdout, form, (by_uid[row.daemon.uid] for row in rows))
    elif rows:
        session.terminal.show(lines(columns, rows, width=session.terminal.width))
    else:
        session.terminal.note("No provisioner daemons found.")


def parse_states(values: Iterable[str]) -> frozenset[str]:
    """Return the states in these comma-separated lists, in lower case. Raises UsageError."""
    words = frozenset(word.strip().lower() for value in values for word in value.split(",") if word.strip())
    for word in words:
        if word not in STATE_WORDS:
            raise UsageError(f"There is no daemon status {word!r}. Choose from: {', '.join(STATE_WORDS)}.")
    return words


def _rows(
    session: Session, fleet: Sequence[tuple[Body, Daemon]], columns: Sequence[Column[DaemonRow]], form: str
) -> list[DaemonRow]:
    cluster, warn = session.cluster, session.terminal.note
    jobs = [view.job for _, view in loading.unfinished(cluster, session.scope, warn)]
    snapshot = loading.snapshot_of(jobs, fleet, loading.pools(cluster, session.scope, warn), (), cluster)
    wants_previous = any(column.title == "Previous" for column in columns) and not formats.is_for_programs(form)
    previous = _previous(session) if wants_previous else {}
    blocked = table.blocked_by_tags(snapshot)
    return [
        daemon_row(
            daemon,
            daemon_report(body),
            snapshot,
            blocked,
            age=age_of(body, snapshot.now),
            previous=previous.get(daemon.uid, ""),
        )
        for body, daemon in fleet
    ]


def _previous(session: Session) -> dict[str, str]:
    """Return the job that last ended on each daemon, and its outcome, by the daemon's uid."""
    latest: dict[str, Job] = {}
    ended = loading.job_views(
        session.cluster, session.scope, session.terminal.note, {"fieldSelector": selectors.ENDED_JOBS}
    )
    for _, view in ended:
        job = view.job
        if job.assignment is None or job.started is None:
            continue
        known = latest.get(job.assignment.daemon_uid)
        if known is None or (known.finished or 0.0) < (job.finished or 0.0):
            latest[job.assignment.daemon_uid] = job
    return {uid: f"{job.name} {job.phase}" for uid, job in latest.items()}
