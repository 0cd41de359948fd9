"""`provisioner doctor`: options and help text."""

import click

from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.options import report_output_option, with_session
from provisioner_operator.cli.session import Session


@click.command()
@report_output_option
@click.option(
    "--operator-namespace",
    default="provisioner-system",
    show_default=True,
    help="The namespace of the operator's Lease.",
)
@click.option(
    "--before-uninstall",
    is_flag=True,
    help="Only look, in all namespaces, for objects that have to be deleted before the operator.",
)
@with_session(across=True)
def doctor(session: Session, *, form: str, operator_namespace: str, before_uninstall: bool) -> Exit:
    """Check the installation and your permissions.

    Each finding comes with its remedy. Exit code 1 if anything is wrong. A check that you lack the permission for is reported as unknown, and is no error.
    """
    if before_uninstall:
        from provisioner_operator.cli.doctor.uninstall import examine_leftovers

        return examine_leftovers(session, as_json=form == "json")
    from provisioner_operator.cli.doctor.probe import examine

    return examine(session, operator_namespace, as_json=form == "json")
