"""The command line: prepare, up, down, status, kubeconfig.

Each command calls the supervisor or a lookup; the entry point turns errors into one message. Results go to standard
output, progress to standard error.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from provisioner_devcluster import external, supervisor
from provisioner_devcluster.build.engines import GITOPS, HELM, EngineImpossibleError, find_engine
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU, GoModule
from provisioner_devcluster.build.provider_mirror import find_coder_mirror
from provisioner_devcluster.build.tools import find_kubectl, find_prometheus, find_promtool, find_tofu
from provisioner_devcluster.clusters import DEFAULT_NAME, named_directory
from provisioner_devcluster.control_plane.binaries import find_binaries
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.binaries import NodeImpossibleError, find_node_programs

# The exit code of init scripts for a service that is not running.
NOT_RUNNING = 3

name_option = click.option(
    "--name", default=DEFAULT_NAME, show_default=True, help="The cluster's name; several clusters can run side by side."
)
kubeconfig_option = click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar=external.KUBECONFIG_VARIABLE,
    help="Use the cluster of this file instead, without starting or stopping it.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run a real Kubernetes control plane on this machine, without containers and without privileges."""


@cli.command()
@click.option(
    "--node",
    is_flag=True,
    help="Also the programs of a node: some are built, others installed with apt-get. Linux and root only.",
)
@click.option("--coder-provider", is_flag=True, help="Also Coder's Terraform provider, which is built from source.")
@click.option("--opentofu", is_flag=True, help="Also OpenTofu from source, whatever is on the PATH.")
@click.option("--prometheus", is_flag=True, help="Also Prometheus, from the PATH or Debian's package.")
@click.option("--gitops", is_flag=True, help="Also what Argo CD and Flux judge health by, which is built from source.")
@click.option("--helm", is_flag=True, help="Also Helm 3 and Helm 4, which are built from source.")
def prepare(*, node: bool, coder_provider: bool, opentofu: bool, prometheus: bool, gitops: bool, helm: bool) -> None:
    """Build or fetch every missing program, and print the location of each.

    The first time on a machine this takes several minutes; later commands then need no build.
    """
    click.echo(f"control plane  {find_binaries().source}")
    click.echo(f"kubectl        {find_kubectl()}")
    click.echo(f"tofu           {find_tofu()}")
    if coder_provider:
        click.echo(f"coder provider {find_coder_mirror()}")
    if opentofu:
        click.echo(f"opentofu       {build(OPENTOFU)}")
    if prometheus:
        click.echo(f"prometheus     {_prometheus()}")
    for module in (*(GITOPS if gitops else ()), *(HELM if helm else ())):
        click.echo(f"{module.name:<14} {_engine(module)}")
    if node:
        click.echo(f"node           {_node_programs()}")


@cli.command()
@name_option
@kubeconfig_option
def up(name: str, kubeconfig: Path | None) -> None:
    """Start a cluster, unless it runs already, and print how to use it.

    The first start on a machine builds the control plane, which takes several minutes; later ones take seconds.
    """
    if kubeconfig:
        click.echo(f"Using the cluster of {kubeconfig}: it answers, version {external.server_version(kubeconfig)}.")
        return
    if supervisor.find(name) is None:
        # Not in the detached process, so that the user sees the progress of a build.
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
    """Stop a cluster and remove all its files."""
    if kubeconfig:
        click.echo(f"The cluster of {kubeconfig} was not started here and is left alone.")
    elif supervisor.stop(name):
        click.echo(f"Cluster {name} has been stopped, and its data removed.")
    else:
        click.echo(f"Cluster {name} was not running.")


@cli.command()
@name_option
@kubeconfig_option
def status(name: str, kubeconfig: Path | None) -> None:
    """Print the state of each component; exit code 0 if all run, 3 otherwise."""
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


def _engine(module: GoModule) -> str:
    try:
        return str(find_engine(module))
    except EngineImpossibleError as error:
        # Not a failure, as for a node.
        return f"none: {error}"


def _node_programs() -> str:
    try:
        programs = find_node_programs()
    except NodeImpossibleError as error:
        # Not a failure: the user asked for everything that this machine can run, and tests that need a node skip as well.
        return f"none: {error}"
    return f"{programs.node}, {programs.containerd}"


def _prometheus() -> str:
    try:
        return f"{find_prometheus()}, {find_promtool()}"
    except DevClusterError as error:
        return f"none: {error}"  # tests that need it skip as well


@cli.command(hidden=True)
@click.argument("name")
def supervise(name: str) -> None:
    """Run a cluster in this process until a signal ends it."""
    supervisor.supervise(name)
