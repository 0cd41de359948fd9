"""The command line `provisioner-operator`: reads the settings and runs Kopf, whose handlers start and stop the operator."""

import sys
from pathlib import Path

import click
import kopf
import uvloop
from pydantic import ValidationError

from provisioner_operator import __version__
from provisioner_operator.controller.handlers import register
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.supervisor import TaskEndedError
from provisioner_operator.controller.telemetry import logs
from provisioner_operator.kube.errors import RestoredError
from provisioner_operator.kube.logins.login import LoginError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """The controller of provisioner jobs."""


@main.command()
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="Kubeconfig of the cluster to serve; else KUBECONFIG, else the Pod's ServiceAccount.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Serve only this namespace; may be repeated. Without it, all are served. If the rights there come from a RoleBinding, delete "
    "the namespace's daemons before the namespace.",
)
@click.option(
    "--lease-namespace",
    help="Namespace of the Lease by which several controllers elect a leader. Without it, this one always leads.",
)
@click.option(
    "--http-port", type=click.IntRange(0, 65535), help="Port of the probes and of /metrics; 0 picks a free one."
)
@click.option(
    "--http-host", help="Address of the probes and of /metrics. The default is every address, of IPv4 and IPv6."
)
@click.option(
    "--publish-supplies",
    is_flag=True,
    default=None,
    help="Keep a ProvisionerSupply in each namespace, for the warnings of manifests/components/match-warnings.",
)
@click.option("--log-format", type=click.Choice(["json", "text"]), help="Format of the log.")
def run(
    kubeconfig: Path | None,
    namespaces: tuple[str, ...],
    lease_namespace: str | None,
    http_port: int | None,
    http_host: str | None,
    publish_supplies: bool | None,  # noqa: FBT001
    log_format: str | None,
) -> None:
    """Run the controller: assign jobs, enforce their timeouts, complete cancels.

    Every option may also be given as an environment variable PROVISIONER_OPERATOR_<NAME>.
    """
    given = {
        "kubeconfig": kubeconfig,
        "namespaces": namespaces or None,
        "lease_namespace": lease_namespace,
        "http_port": http_port,
        "http_host": http_host,
        "publish_supplies": publish_supplies,
        "log_format": log_format,
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise click.UsageError(_explain(error)) from None
    logs.configure(settings.log_format)
    try:
        uvloop.run(serve(Operator(settings)))
    except (StartupError, LoginError, RestoredError, TaskEndedError) as error:
        click.echo(f"provisioner-operator: {error}", err=True)
        sys.exit(1)


def _explain(error: ValidationError) -> str:
    """Name each invalid setting by its option and its environment variable."""
    lines = []
    for each in error.errors(include_url=False):
        name = str(each["loc"][0])
        variable = f"{Settings.model_config['env_prefix']}{name.upper()}"
        lines.append(f"--{name.replace('_', '-')} or {variable}: {each['msg']}")
    return "\n".join(lines)


async def serve(operator: Operator) -> None:
    """Run the operator until a signal asks to stop. Raises StartupError, LoginError, RestoredError and TaskEndedError."""
    registry = kopf.OperatorRegistry()
    register(registry, operator)
    namespaces = operator.settings.namespaces
    try:
        await kopf.operator(registry=registry, standalone=True, clusterwide=not namespaces, namespaces=namespaces)
    finally:
        if operator.failure is not None:
            # In place of what Kopf reports about it.
            raise operator.failure from None


if __name__ == "__main__":
    main()
