"""The command line: prepare, up, down, status, kubeconfig.

Translates between a human and the supervisor; the entry point turns its errors into one message. Results go to standard
output, everything said on the way to standard error.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from provisioner_devcluster import external, supervisor
from provisioner_devcluster.build.provider_mirror import find_coder_mirror
from provisioner_devcluster.build.tools import find_kubectl, find_tofu
from provisioner_devcluster.clusters import DEFAULT_NAME, named_directory
from provisioner_devcluster.control_plane.binaries import find_binaries
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.binaries import NodeImpossibleError, find_node_programs

# What init scripts answer for a service that is not running.
NOT_RUNNING = 3

name_option = click.option(
    "--name", default=DEFAULT_NAME, show_default=True, help="Several clusters may run side by side."
)
kubeconfig_option = click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar=external.KUBECONFIG_VARIABLE,
    help="Use the cluster of this file instead; it is neither started nor stopped.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A real Kubernetes control plane on this machine, without containers and without privileges."""


@cli.command()
@click.option(
    "--node", is_flag=True, help="Those of a node as well: built, and installed with apt-get. Linux and root only."
)
@click.option("--coder-provider", is_flag=True, help="Coder's Terraform provider as well: built, for its templates.")
def prepare(*, node: bool, coder_provider: bool) -> None:
    """Build or fetch every program that is missing, and say where each is.

    The first time on a machine this takes several minutes; whoever has run it waits for no build later.
    """
    click.echo(f"control plane  {find_binaries().source}")
    click.echo(f"kubectl        {find_kubectl()}")
    click.echo(f"tofu           {find_tofu()}")
    if coder_provider:
        click.echo(f"coder provider {find_coder_mirror()}")
    if node:
        click.echo(f"node           {_node_programs()}")


@cli.command()
@name_option
@kubeconfig_option
def up(name: str, kubeconfig: Path | None) -> None:
    """Start a cluster, unless it runs, and say how to use it.

    The first start on a machine builds the control plane, which takes several minutes; later ones take seconds.
    """
    if kubeconfig:
        click.echo(f"Using the cluster of {kubeconfig}: it answers, version {external.server_version(kubeconfig)}.")
        return
    if supervisor.find(name) is None:
        # Here and not in the detached process, so that the progress of a build is seen.
        find_binaries()
    began = time.monotonic()
    record = supervisor.start(name)
    option = "" if name == DEFAULT_NAME else f" --name {name}"
    click.echo(f"Cluster {name} is ready at {record.server} ({time.monotonic() - began:.1f} s)")
    click.echo(f"  export KUBECONFIG={record.kubeconfig}")
    click.echo("  kubectl get namespaces")
    click.echo(f"  provisioner-devcluster down{option}")


@cli.command()
@name_option
@kubeconfig_option
def down(name: str, kubeconfig: Path | None) -> None:
    """Stop a cluster and remove everything of it."""
    if kubeconfig:
        click.echo(f"The cluster of {kubeconfig} was not started here and is left alone.")
    elif supervisor.stop(name):
        click.echo(f"Cluster {name} is gone, with its data.")
    else:
        click.echo(f"Cluster {name} was not running.")


@cli.command()
@name_option
@kubeconfig_option
def status(name: str, kubeconfig: Path | None) -> None:
    """Say what runs; exit code 0 if all of it does, 3 if not."""
    if kubeconfig:
        click.echo(f"The cluster of {kubeconfig} answers, version {external.server_version(kubeconfig)}.")
        return
    record = supervisor.find(name)
    if record is None:
        click.echo(f"Cluster {name} is not running.")
        sys.exit(NOT_RUNNING)
    click.echo(f"Cluster {name} at {record.server}, programs from {record.source}")
    whole = record.ready
    for component, identity in record.components.items():
        running = identity.find() is not None
        whole = whole and running
        state = f"running, pid {identity.pid}" if running else f"ended, see {named_directory(name) / component}.log"
        click.echo(f"  {component:<24} {state}")
    if not record.ready:
        click.echo("  It is still starting.")
    if not whole:
        sys.exit(NOT_RUNNING)


@cli.command("kubeconfig")
@name_option
@kubeconfig_option
def print_kubeconfig(name: str, kubeconfig: Path | None) -> None:
    """Print the path of a cluster's kubeconfig, as in: export KUBECONFIG=$(provisioner-devcluster kubeconfig)."""
    if kubeconfig:
        click.echo(kubeconfig.absolute())
        return
    record = supervisor.find(name)
    if record is None:
        raise DevClusterError(f"Cluster {name} is not running. Start it with `provisioner-devcluster up`.")
    click.echo(record.kubeconfig)


def _node_programs() -> str:
    try:
        programs = find_node_programs()
    except NodeImpossibleError as error:
        # No failure: who asks for all there can be is told what there cannot be, as are the tests that need it.
        return f"none: {error}"
    return f"{programs.node}, {programs.containerd}"


@cli.command(hidden=True)
@click.argument("name")
def supervise(name: str) -> None:
    """Run a cluster in this process until it is told to end."""
    supervisor.supervise(name)
