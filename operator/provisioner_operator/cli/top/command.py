"""`provisioner top`: options and help text."""

import click

from provisioner_operator.cli.options import with_session
from provisioner_operator.cli.session import Session


@click.command()
@with_session(across=True)
def top(session: Session) -> None:
    """Show queue, jobs and daemons live.

    Full-screen tables of the queue, the unfinished jobs and the daemons, kept up to date.

    Keys: / filters, Enter shows a job, w explains why it waits, l follows its log, c cancels it after a question, Tab
    switches between the tables, q quits.
    """
    from provisioner_operator.cli.top.app import run

    run(session)
