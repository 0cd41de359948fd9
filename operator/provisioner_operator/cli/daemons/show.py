"""`daemons show`: everything about one daemon, and its last jobs."""

import sys
from collections.abc import Iterable, Iterator

from rich.text import Text

from provisioner_operator.cli.daemons import table
from provisioner_operator.cli.daemons.table import DaemonRow, daemon_row
from provisioner_operator.cli.errors import require
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.times import duration, moment
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.matching import format_tags, satisfies
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.object_states import age_of, daemon_report

_JOBS_SHOWN = 10


def show_daemon(session: Session, name: str, form: str | None) -> None:
    """Print the daemon."""
    if form is not None:
        require(
            formats.is_for_programs(formats.checked(form)),
            f"`show` has no form {form!r}. Choose from: json, yaml, name, jsonpath=TEMPLATE; or leave out -o for text.",
        )
    body, daemon = loading.read_daemon(session.cluster, session.namespace, name)
    if form is not None:
        formats.write_one(sys.stdout, form, body)
        return
    snapshot = loading.snapshot(session.cluster, session.namespace, session.terminal.note)
    selector = {"fieldSelector": f"status.assignment.daemon={name}"}
    views = loading.job_views(session.cluster, session.namespace, session.terminal.note, selector)
    jobs = [view.job for _, view in views]
    blocked = table.blocked_by_tags(snapshot)
    row = daemon_row(daemon, daemon_report(body), snapshot, blocked, age=age_of(body, snapshot.now))
    for line in describe(row, jobs, snapshot, utc=session.utc):
        session.terminal.out.print(line)


def describe(row: DaemonRow, jobs: Iterable[Job], snapshot: Snapshot, *, utc: bool) -> Iterator[Text]:
    """Yield the daemon in lines of text; `jobs` are those that were assigned to it."""
    daemon = row.daemon
    head = Text.assemble((daemon.name, "bold"), f" in {daemon.namespace}: ")
    head.append(row.state, table.STATE_STYLES.get(row.state, ""))
    if daemon.cordoned:
        by = f" by pool {daemon.cordoned_by}" if daemon.cordoned_by else ""
        head.append(f", cordoned{by}", "yellow")
    yield head
    for title, value in _facts(row, snapshot):
        yield Text.assemble((f"  {title + ':':<17}", "dim"), value)
    for condition in daemon.conditions:
        if condition.status != "True" and condition.message:
            yield Text.assemble((f"  {condition.type + ':':<17}", "dim"), (condition.message, "red"))
    ended = sorted((job for job in jobs if job.phase in TERMINAL), key=lambda job: -(job.finished or 0.0))
    if ended:
        yield Text("Last jobs", "bold")
    for job in ended[:_JOBS_SHOWN]:
        reason = f" {job.reason}" if job.reason and job.reason != job.phase else ""
        yield Text(f"  {moment(job.finished, utc=utc)}  {job.name}: {job.phase}{reason}")


def _facts(row: DaemonRow, snapshot: Snapshot) -> list[tuple[str, str]]:
    daemon, report = row.daemon, row.report
    waiting = sum(len(jobs) for demand, jobs in snapshot.queues.items() if satisfies(daemon.supply, demand))
    failures = counted(report.consecutive_failures, "failure")
    facts = [
        ("Tags", format_tags(daemon.supply.tags)),
        ("Provisioners", ", ".join(sorted(daemon.supply.provisioners))),
        ("Slots", f"{row.used} of {daemon.capacity} in use"),
        ("Jobs", ", ".join(row.jobs) or "none"),
        ("Waiting for it", counted(waiting, "job")),
        ("Last seen", "never" if row.last_seen is None else f"{duration(row.last_seen)} ago"),
        ("Lost after", duration(daemon.lost_after)),
        ("Version", report.version),
        ("Pod", daemon.name if daemon.pod_uid else "none: registered by an admin"),
        ("Ended jobs", f"{report.completed} completed, {report.failed} failed, {failures} in a row"),
    ]
    if row.blocked_by_tags:
        jobs = counted(row.blocked_by_tags, "waiting job")
        facts.append(("Blocked by tags", f"{jobs} would run here with other tags: `jobs why JOB` names the change"))
    return facts
