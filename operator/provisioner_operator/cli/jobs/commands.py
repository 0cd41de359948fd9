"""`provisioner jobs …`: options and their meaning; what is done stands in a module per command, imported when called."""

import click

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.cli import completion
from provisioner_operator.cli.app import CONTEXT, AliasedGroup
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.session import Duration, Session, Tag, require, with_session

STATUS_WORDS = (*(phase.lower() for phase in Phase), "stuck")
_FORM_HELP = "table, wide, json, yaml, name, or jsonpath=TEMPLATE."
_FORMS = ("table", "wide", "json", "yaml", "name", "jsonpath=")
_ONE = ("json", "yaml", "name", "jsonpath=")
SORTINGS = ("created", "name", "namespace", "status", "queue", "waited", "ran", "priority")

job_argument = click.argument("name", metavar="JOB", shell_complete=completion.names(JOBS))
jobs_argument = click.argument("names", metavar="[JOB]...", nargs=-1, shell_complete=completion.names(JOBS))


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def jobs() -> None:
    """List, explain, cancel, follow and repeat provisioner jobs."""


@jobs.command("list")
@click.option(
    "-s",
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help=f"Of {', '.join(STATUS_WORDS)}; repeat, or separate by commas. `stuck`: nothing will happen unless somebody acts.",
    shell_complete=completion.words(*STATUS_WORDS),
)
@click.option("-i", "--initiator", metavar="USER", help="Who asked for the job.")
@click.option("-l", "--limit", type=click.IntRange(0), default=0, help="Only the newest so many. [default: all]")
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag that the job has; repeat for more.")
@click.option(
    "--type",
    "type_name",
    metavar="TYPE",
    help=f"{', '.join(JobType)}; Coder's names are understood too.",
    shell_complete=completion.words(*JobType),
)
@click.option("--template", metavar="NAME", help="The template of the job.")
@click.option("--workspace", metavar="NAME", help="The workspace of the job.")
@click.option("--daemon", metavar="NAME", help="The daemon of the job.", shell_complete=completion.names(DAEMONS))
@click.option("--since", type=Duration(), help="Created no longer ago than that: 24h, 90m.")
@click.option("--selector", metavar="LABELS", help="A label selector.")
@click.option(
    "--sort",
    "sorting",
    metavar="COLUMN",
    help=f"{', '.join(SORTINGS)}; with - before it, backwards. [default: created; -o json and the like: as they come]",
    shell_complete=completion.words(*SORTINGS),
)
@click.option("-c", "--column", "columns", multiple=True, help="Columns to show, by their titles; repeat, or commas.")
@click.option("-o", "--output", "form", default="table", help=_FORM_HELP, shell_complete=completion.words(*_FORMS))
@click.option("-w", "--watch", "follow", is_flag=True, help="Go on showing changes.")
@with_session(across=True)
def list_(
    session: Session,
    *,
    statuses: tuple[str, ...],
    initiator: str | None,
    limit: int,
    tags: tuple[tuple[str, str], ...],
    type_name: str | None,
    template: str | None,
    workspace: str | None,
    daemon: str | None,
    since: float | None,
    selector: str | None,
    sorting: str | None,
    columns: tuple[str, ...],
    form: str,
    follow: bool,
) -> None:
    """List jobs, oldest first.

    QUEUE is the job's place among the pending jobs that ask for the same (namespace, provisioner and tags), and their
    number. It is empty for a job that is suspended, or waits for an earlier job of its workspace. With -o json or yaml,
    an array of the API's objects; a pending one has the field `queue` too: position, size, reason, waitedSeconds.
    """
    from provisioner_operator.cli.jobs.listing import list_jobs
    from provisioner_operator.cli.output import formats
    from provisioner_operator.cli.view import job_filter

    phases, stuck = job_filter.parse_statuses(statuses)
    kind = job_filter.parse_type(type_name)
    formats.checked(form)
    require(
        not (follow and formats.is_for_programs(form)), "--watch shows a table: it does not go with -o " + form + "."
    )
    chosen = job_filter.Selection(
        phases=phases,
        stuck=stuck,
        initiator=initiator,
        type=kind,
        template=template,
        workspace=workspace,
        daemon=daemon,
        tags=frozenset(tags),
        since=None if since is None else _now() - since,
    )
    list_jobs(
        session,
        chosen,
        selector=selector,
        limit=limit,
        sorting=sorting,
        column_names=columns,
        form=form,
        follow=follow,
    )


def _now() -> float:
    import time

    return time.time()


@jobs.command()
@job_argument
@click.option(
    "-o", "--output", "form", help="json, yaml, name, or jsonpath=TEMPLATE.", shell_complete=completion.words(*_ONE)
)
@with_session()
def show(session: Session, *, name: str, form: str | None) -> None:
    """Show everything about one job."""
    from provisioner_operator.cli.jobs.show import show_job

    show_job(session, name, form)


@jobs.command()
@job_argument
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_session()
def why(session: Session, *, name: str, form: str) -> None:
    """Say why a job is pending, daemon by daemon, and the smallest change that unblocks it.

    Computed from the daemons and pools as they are now, by the operator's own rules; the operator need not be up. The
    estimate of the wait is made from runs that completed on the daemons that match.
    """
    from provisioner_operator.cli.jobs.why import explain_job

    explain_job(session, name, as_json=form == "json")


@jobs.command()
@jobs_argument
@click.option("--reason", help="Why, for whoever looks at the job later.")
@click.option("--if-pending", is_flag=True, help="Only if it has not started: never interrupts a run.")
@click.option("--force", is_flag=True, help="Kill the run at once, which may lose what it did.")
@click.option("--wait", is_flag=True, help="Return when the jobs have ended.")
@click.option("--timeout", type=Duration(), help="How long --wait waits. [default: for ever]")
@click.option("-l", "--selector", metavar="LABELS", help="Cancel all jobs with these labels that have not ended.")
@click.option(
    "-s",
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help="Cancel all jobs of these statuses (pending, running, stuck).",
    shell_complete=completion.words("pending", "running", "stuck"),
)
@click.option("--tag", "tags", type=Tag(), multiple=True, help="Cancel all jobs with this tag; repeat for more.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Ask the API server whether it would be done; change nothing.")
@with_session()
def cancel(
    session: Session,
    *,
    names: tuple[str, ...],
    reason: str | None,
    if_pending: bool,
    force: bool,
    wait: bool,
    timeout: float | None,
    selector: str | None,
    statuses: tuple[str, ...],
    tags: tuple[tuple[str, str], ...],
    yes: bool,
    dry_run: bool,
) -> Exit:
    """Cancel jobs, by name or by what they have in common.

    A pending job is canceled at once by the operator; a running one is interrupted, and killed after its daemon's grace.
    `Canceled` is said only of jobs that are; --wait follows them there. Needs the verb `cancel` on provisionerjobs.
    """
    from provisioner_operator.cli.jobs.cancel import Asked, cancel_jobs
    from provisioner_operator.cli.view import job_filter

    phases, stuck = job_filter.parse_statuses(statuses)
    require(names or selector or statuses or tags, "Name jobs, or choose them by --selector, --status or --tag.")
    require(
        not (names and (selector or statuses or tags)),
        "Name jobs or choose them by what they have in common, not both.",
    )
    chosen = job_filter.Selection(phases=phases, stuck=stuck, tags=frozenset(tags))
    asked = Asked(
        reason=reason, if_pending=if_pending, force=force, wait=wait, timeout=timeout, dry_run=dry_run, yes=yes
    )
    return cancel_jobs(session, names, chosen, selector, asked)


@jobs.command()
@job_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option("--since", type=Duration(), help="Only lines no older than that: 10m.")
@click.option("--tail", type=click.IntRange(0), help="Only the last so many lines.")
@click.option("--stage", help="Only lines of this stage: init, plan, apply, destroy.")
@click.option("--timestamps/--no-timestamps", default=False, help="Show when each line was written.")
@with_session()
def logs(
    session: Session,
    *,
    name: str,
    follow: bool,
    since: float | None,
    tail: int | None,
    stage: str | None,
    timestamps: bool,
) -> None:
    """Print a run's log: live from the daemon's Pod while it runs, else from the archive.

    Which of them it was, and where it was cut, is told on standard error.
    """
    from provisioner_operator.cli.jobs.logs import Wanted, print_log

    print_log(session, name, Wanted(follow, since, tail, stage, timestamps))


@jobs.command()
@job_argument
@click.option("--name", "new_name", metavar="NAME", help="The new job's name. [default: JOB-retry-1, -2, …]")
@click.option("--dry-run", is_flag=True, help="Ask the API server whether it would be done; change nothing.")
@click.option(
    "-o", "--output", "form", help="json, yaml, name, or jsonpath=TEMPLATE.", shell_complete=completion.words(*_ONE)
)
@with_session()
def retry(session: Session, *, name: str, new_name: str | None, dry_run: bool, form: str | None) -> None:
    """Submit a new job of the same spec, linked to the old one by its annotation provisioner.dev/retry-of."""
    from provisioner_operator.cli.jobs.retry import retry_job

    retry_job(session, name, new_name, dry_run=dry_run, form=form)


@jobs.command()
@click.argument("names", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.names(JOBS))
@click.option("--dry-run", is_flag=True, help="Ask the API server whether it would be done; change nothing.")
@with_session()
def suspend(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Hold pending jobs out of the queue; their pending clock stands still."""
    from provisioner_operator.cli.jobs.suspend import set_suspended

    return set_suspended(session, names, suspended=True, dry_run=dry_run)


@jobs.command()
@click.argument("names", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.names(JOBS))
@click.option("--dry-run", is_flag=True, help="Ask the API server whether it would be done; change nothing.")
@with_session()
def resume(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Let suspended jobs into the queue again."""
    from provisioner_operator.cli.jobs.suspend import set_suspended

    return set_suspended(session, names, suspended=False, dry_run=dry_run)


@jobs.command()
@click.argument("names", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.names(JOBS))
@click.option(
    "--for",
    "goal",
    default="completed",
    show_default=True,
    type=click.Choice(["started", "ended", *(phase.lower() for phase in Phase if phase is not Phase.PENDING)]),
    help="`started`: running or beyond; `ended`: completed, failed or canceled.",
)
@click.option("--timeout", type=Duration(), help="Give up after that long. [default: never]")
@with_session()
def wait(session: Session, *, names: tuple[str, ...], goal: str, timeout: float | None) -> Exit:
    """Wait for jobs; fails as soon as one can no longer come to what is waited for."""
    from provisioner_operator.cli.jobs.wait import wait_for

    return wait_for(session, names, goal, timeout)
