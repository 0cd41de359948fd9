"""`provisioner match`: options and help text."""

import click

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.options import Tag, report_output_option, with_session
from provisioner_operator.cli.session import Session


@click.command()
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag of the job; repeat for more.")
@click.option(
    "--provisioner",
    type=click.Choice([str(each) for each in Provisioner]),
    default=str(Provisioner.TERRAFORM),
    show_default=True,
    help="The provisioner of the job.",
)
@report_output_option
@with_session()
def match(session: Session, *, tags: tuple[tuple[str, str], ...], provisioner: str, form: str) -> Exit:
    """Show which daemons would run a job.

    Answers for the present daemons and queue, before you submit the job.

    Exit code 0 if a daemon would start it at once, 5 if it would wait.
    """
    from provisioner_operator.cli.match.report import print_match

    return print_match(session, tags, Provisioner(provisioner), as_json=form == "json")
