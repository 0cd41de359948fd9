"""`provisioner jobs …`: options and help texts. Each command imports its module when it is called."""

from typing import TypedDict, Unpack

import click

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.cli import completion
from provisioner_operator.cli.errors import Exit, require
from provisioner_operator.cli.groups import CONTEXT, AliasedGroup
from provisioner_operator.cli.options import (
    Duration,
    Tag,
    column_option,
    dry_run_option,
    object_output_option,
    output_option,
    report_output_option,
    with_session,
)
from provisioner_operator.cli.session import Session

STATUS_WORDS = (*(phase.lower() for phase in Phase), "stuck")
SORTINGS = ("created", "name", "namespace", "status", "queue", "waited", "ran", "priority")

job_argument = click.argument("name", metavar="JOB", shell_complete=completion.names(JOBS))
jobs_argument = click.argument(
    "names", metavar="JOB...", nargs=-1, required=True, shell_complete=completion.names(JOBS)
)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def jobs() -> None:
    """List, explain, cancel, follow and retry provisioner jobs."""


class ListFilters(TypedDict):
    """The options of `jobs list` that select jobs."""

    statuses: tuple[str, ...]
    initiator: str | None
    tags: tuple[tuple[str, str], ...]
    type_name: str | None
    template: str | None
    workspace: str | None
    daemon: str | None
    since: float | None


@jobs.command("list")
@click.option(
    "-s",
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help=f"{', '.join(STATUS_WORDS)}; repeat the option or separate statuses with commas. `stuck`: no progress until"
    " somebody intervenes.",
    shell_complete=completion.words(*STATUS_WORDS),
)
@click.option("-i", "--initiator", metavar="USER", help="The user who submitted the job.")
@click.option(
    "-l", "--limit", type=click.IntRange(0), default=0, help="Only the newest jobs, this many. [default: all]"
)
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag of the job; repeat for more.")
@click.option(
    "--type",
    "type_name",
    metavar="TYPE",
    help=f"{', '.join(JobType)}; Coder's names are accepted too.",
    shell_complete=completion.words(*JobType),
)
@click.option("--template", metavar="NAME", help="The template of the job.")
@click.option("--workspace", metavar="NAME", help="The workspace of the job.")
@click.option("--daemon", metavar="NAME", help="The daemon of the job.", shell_complete=completion.names(DAEMONS))
@click.option("--since", type=Duration(), help="Only jobs created within this time: 24h, 90m.")
@click.option("--selector", metavar="LABELS", help="A label selector.")
@click.option(
    "--sort",
    "sorting",
    metavar="COLUMN",
    help=f"{', '.join(SORTINGS)}; a leading - reverses the order. [default: created; for json and the like: unsorted]",
    shell_complete=completion.words(*SORTINGS),
)
@column_option
@output_option
@click.option("-w", "--watch", "follow", is_flag=True, help="Keep the table up to date until Ctrl-C.")
@with_session(across=True)
def list_(
    session: Session,
    *,
    limit: int,
    selector: str | None,
    sorting: str | None,
    columns: tuple[str, ...],
    form: str,
    follow: bool,
    **filters: Unpack[ListFilters],
) -> None:
    """List jobs, oldest first.

    QUEUE is the job's position among the pending jobs with the same namespace, provisioner and tags, and their number. It
    is empty for a job that is suspended, or that waits for an earlier job of its workspace. STARTS IN is the estimated
    time until such a job starts: half do within the first time, nine of ten within the second. A running job is Overlong if
    it has run for longer than 99 % of those like it; TYPICAL RUN (-o wide) has their p50, p90 and number. With -o json or
    yaml, the output is an array of the API's objects; a pending job has an additional field `queue`: position, size,
    reason, waitedSeconds, estimate; a running one `run`: p50Seconds, p90Seconds, runs, overlong.
    """
    from provisioner_operator.cli.jobs.filtering import selection_of
    from provisioner_operator.cli.jobs.listing import list_jobs
    from provisioner_operator.cli.output import formats

    selection = selection_of(**filters)
    formats.checked(form)
    require(not (follow and formats.is_for_programs(form)), f"--watch shows a table: it excludes -o {form}.")
    list_jobs(
        session,
        selection,
        selector=selector,
        limit=limit,
        sorting=sorting,
        column_names=columns,
        form=form,
        follow=follow,
    )


@jobs.command()
@job_argument
@object_output_option
@with_session()
def show(session: Session, *, name: str, form: str | None) -> None:
    """Show everything about one job."""
    from provisioner_operator.cli.jobs.show import show_job

    show_job(session, name, form)


@jobs.command()
@job_argument
@report_output_option
@with_session()
def why(session: Session, *, name: str, form: str) -> None:
    """Explain why a job is pending, daemon by daemon, and the smallest change that unblocks it.

    Computed from the present daemons and pools by the operator's own rules; the operator need not be running. The start is
    estimated from past runs: half of such jobs start within p50, nine of ten within p90, or the start is unknown.
    """
    from provisioner_operator.cli.jobs.why import print_explanation

    print_explanation(session, name, as_json=form == "json")


@jobs.command()
@click.argument("names", metavar="[JOB]...", nargs=-1, shell_complete=completion.names(JOBS))
@click.option("--reason", help="The reason, recorded in the job.")
@click.option("--if-pending", is_flag=True, help="Cancel only jobs that have not started: never interrupts a run.")
@click.option("--force", is_flag=True, help="Kill the run at once; its changes may be lost.")
@click.option("--wait", is_flag=True, help="Wait until the jobs have ended.")
@click.option("--timeout", type=Duration(), help="Longest time to --wait. [default: no limit]")
@click.option("-l", "--selector", metavar="LABELS", help="Cancel all unfinished jobs with these labels.")
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
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@dry_run_option
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
    """Cancel jobs by name, or all jobs with certain properties.

    The operator cancels a pending job at once. A running job is interrupted, and killed after its daemon's grace period;
    it is `Canceled` only when its run has stopped, which --wait waits for. Needs the verb `cancel` on provisionerjobs.
    """
    from provisioner_operator.cli.jobs.cancel import CancelOptions, cancel_jobs
    from provisioner_operator.cli.jobs.filtering import checked_targets

    selection = checked_targets(names, statuses, tags, selector)
    options = CancelOptions(reason, if_pending, force, wait, timeout, dry_run, yes)
    return cancel_jobs(session, names, selection, selector, options)


@jobs.command()
@job_argument
@click.option("-f", "--follow", is_flag=True, help="Wait for the start, and continue until the run ends.")
@click.option("--since", type=Duration(), help="Only lines written within this time: 10m.")
@click.option("--tail", type=click.IntRange(0), help="Only the last lines, this many.")
@click.option("--stage", help="Only lines of this stage: init, plan, apply, destroy.")
@click.option("--timestamps/--no-timestamps", default=False, help="Print the time of each line.")
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
    """Print the log of a run: live from the daemon's Pod while it runs, else from the archive.

    The source of the log, and what is missing from it, is printed to standard error.
    """
    from provisioner_operator.cli.jobs.log_lines import LogOptions
    from provisioner_operator.cli.jobs.logs import print_log

    print_log(session, name, LogOptions(follow, since, tail, stage, timestamps))


@jobs.command()
@job_argument
@click.option("--name", "new_name", metavar="NAME", help="The name of the new job. [default: JOB-retry-1, -2, …]")
@dry_run_option
@object_output_option
@with_session()
def retry(session: Session, *, name: str, new_name: str | None, dry_run: bool, form: str | None) -> None:
    """Submit a new job with the spec of an ended one; its annotation provisioner.dev/retry-of names the old job.

    The job of a workspace or template is repeated by its owner: `retry` raises the workspace's spec.rebuildGeneration or
    the template's spec.importGeneration. It refuses if that would build something else.
    """
    from provisioner_operator.cli.jobs.retry import retry_job

    retry_job(session, name, new_name, dry_run=dry_run, form=form)


@jobs.command()
@jobs_argument
@dry_run_option
@with_session()
def suspend(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Hold pending jobs back from the queue; meanwhile their pending timeout is paused."""
    from provisioner_operator.cli.jobs.suspend import set_suspended

    return set_suspended(session, names, suspended=True, dry_run=dry_run)


@jobs.command()
@jobs_argument
@dry_run_option
@with_session()
def resume(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Return suspended jobs to the queue."""
    from provisioner_operator.cli.jobs.suspend import set_suspended

    return set_suspended(session, names, suspended=False, dry_run=dry_run)


@jobs.command()
@jobs_argument
@click.option(
    "--for",
    "goal",
    default="completed",
    show_default=True,
    type=click.Choice(["started", "ended", *(phase.lower() for phase in Phase if phase is not Phase.PENDING)]),
    help="The awaited status. `started`: running or later; `ended`: completed, failed or canceled.",
)
@click.option("--timeout", type=Duration(), help="Longest time to wait. [default: no limit]")
@with_session()
def wait(session: Session, *, names: tuple[str, ...], goal: str, timeout: float | None) -> Exit:
    """Wait for a status of jobs; fails for a job that can no longer reach it."""
    from provisioner_operator.cli.jobs.wait import wait_for

    return wait_for(session, names, goal, timeout)
