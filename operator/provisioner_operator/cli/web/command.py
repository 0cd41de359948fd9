"""`provisioner web`: options and help text."""

import click

from provisioner_operator.cli.options import with_session
from provisioner_operator.cli.session import Session


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    help="The port to listen on, of 127.0.0.1 only.",
)
@click.option("--read-only", is_flag=True, help="Refuse every request that changes something.")
@with_session()
def web(session: Session, *, port: int, read_only: bool) -> None:
    """Serve the web page for yourself.

    Prints an address for your browser, which works once: it opens a session that no other user of this machine can use.
    The page and the REST API act with your kubeconfig and your permissions. Ctrl-C ends them.

    Shows all namespaces, or with -n only one.
    """
    from provisioner_operator.cli.web.start import start

    start(session, port=port, read_only=read_only)
