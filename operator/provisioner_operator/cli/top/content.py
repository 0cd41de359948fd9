"""Content of the pages of `top`, read from the API server for one job."""

from rich.console import Group, RenderableType
from rich.text import Text

from provisioner_operator.cli.jobs import show, why
from provisioner_operator.cli.jobs.log_lines import LogOptions, formatted
from provisioner_operator.cli.jobs.logs import current_log
from provisioner_operator.cli.output.table import lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.fit_table import columns_in_use
from provisioner_operator.core.views.fit import fits

_LOG_LINES = 500


def job_page(session: Session, name: str) -> RenderableType:
    """Return everything about the job. Raises CliError."""
    _, model = loading.read_job(session.cluster, session.namespace, name)
    snapshot = loading.snapshot(session.cluster, session.namespace, _no_warning)
    return Group(*show.describe(model, snapshot, now=session.cluster.now(), utc=session.utc))


def why_page(session: Session, name: str, width: int) -> RenderableType:
    """Return the explanation why the job is pending, with a table in at most `width` cells. Raises CliError."""
    job, snapshot, guess = why.read_explained(session, name, _no_warning)
    found = fits(job.demand, snapshot)
    table = lines(columns_in_use(found), found, width=width) if found else []
    for line in table:
        line.end = "\n"
    return Group(*why.describe(job, snapshot, guess, utc=session.utc), Text(""), *table)


def log_page(session: Session, name: str) -> RenderableType:
    """Return the end of the job's log. Raises CliError."""
    source, found = current_log(session, name, LogOptions(tail=_LOG_LINES))
    text = "\n".join(formatted(line, timestamps=False) for line in found)
    return Group(Text(f"{source}, the last {len(found)} lines", "dim"), Text(text))


def _no_warning(_: str) -> None:
    """Drop warnings: standard error would draw over the screen."""
