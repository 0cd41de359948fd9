"""Define the command line of `provisioner-daemon`: its options, and its errors for people. Started by `entry_point`."""

import asyncio
import contextlib
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import click

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.limits import LONGEST_LOST_AFTER
from provisioner_operator.api.v1alpha1.pod_environment import DRAIN_VARIABLE, TERRAFORM_DIRECTORIES_VARIABLE
from provisioner_operator.core.daemons.run_environment import PASS_ENV, ReservedVariableError, check_pattern
from provisioner_operator.daemon.container_init import become_init_if_first
from provisioner_operator.daemon.logs.console import logging_to
from provisioner_operator.daemon.logs.output_writer import OutputWriter
from provisioner_operator.daemon.predecessor_lock import PredecessorLockError
from provisioner_operator.daemon.reporting.heartbeat import DaemonDeletedError, TakenOverError
from provisioner_operator.daemon.reporting.registration import Flags, RegistrationError
from provisioner_operator.daemon.service import Settings, serve
from provisioner_operator.daemon.terraform.binaries.binary import Binaries, MissingProgramError
from provisioner_operator.daemon.terraform.binaries.version import UnsupportedProgramError
from provisioner_operator.kube.logins.login import LoginError

EXPECTED = (
    TakenOverError,
    DaemonDeletedError,
    RegistrationError,
    PredecessorLockError,
    LoginError,
    MissingProgramError,
    UnsupportedProgramError,
)
"""Errors whose message is for whoever runs the daemon."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Run provisioner jobs that are assigned to this daemon."""


def _parse_tags(_context: click.Context, _option: click.Parameter, tags: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [tag.partition("=") for tag in tags]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise click.BadParameter(f"{key!r} is not KEY=VALUE", param_hint="--tag")
    return {key: value for key, _, value in pairs} or None


def _parse_provisioners(
    _context: click.Context, _option: click.Parameter, names: tuple[str, ...]
) -> tuple[Provisioner, ...] | None:
    return tuple(Provisioner(each) for each in dict.fromkeys(names)) or None


def _parse_patterns(_context: click.Context, _option: click.Parameter, patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            check_pattern(pattern)
        except ReservedVariableError as error:
            raise click.BadParameter(str(error), param_hint="--pass-env") from error
    return patterns


@main.command()
@click.option(
    "--namespace",
    required=True,
    envvar="POD_NAMESPACE",
    help="The namespace (organization) whose jobs are run. [env: POD_NAMESPACE]",
)
@click.option(
    "--name", envvar="POD_NAME", help="The ProvisionerDaemon's name. [env: POD_NAME; default: the host's name]"
)
@click.option(
    "--pod-uid",
    envvar="POD_UID",
    help="The uid of the Pod in which the daemon runs. The controller then registers the daemon from the Pod's annotations. "
    "[env: POD_UID]",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_parse_tags,
    help="A tag of the daemon; repeat for more. Replaces all its tags.",
)
@click.option(
    "--provisioner",
    "provisioners",
    multiple=True,
    type=click.Choice([str(each) for each in Provisioner]),
    callback=_parse_provisioners,
    help="A provisioner that the daemon runs; repeat for more.",
)
@click.option("--capacity", type=click.IntRange(1, 1000), help="The number of jobs that run at a time.")
@click.option(
    "--lost-after-seconds",
    type=click.IntRange(10, LONGEST_LOST_AFTER),
    help="The time without contact after which the daemon's jobs fail.",
)
@click.option(
    "--cancel-grace-seconds",
    type=click.IntRange(0, 86_400),
    help="The time that an interrupted run may take to stop before it is killed.",
)
@click.option(
    "--drain-seconds",
    type=click.IntRange(0),
    envvar=DRAIN_VARIABLE,
    help="The time that runs get to end after the first SIGTERM or SIGINT; then they are interrupted. Pools set it from the "
    f"Pods' termination grace period. [env: {DRAIN_VARIABLE}; default: unlimited]",
)
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="[default: KUBECONFIG, or the Pod's ServiceAccount]",
)
@click.option("--terraform", type=click.Path(path_type=Path), help="The terraform or tofu binary. [default: from PATH]")
@click.option(
    "--terraform-directory",
    "terraform_directories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar=TERRAFORM_DIRECTORIES_VARIABLE,
    help="A directory with further versions, such as terraform_1.11.4 or 1.11.4/terraform, for jobs that ask for one by "
    f"terraformVersion; repeat for more. [env: {TERRAFORM_DIRECTORIES_VARIABLE}, separated by {os.pathsep!r}]",
)
@click.option(
    "--work-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The parent of the runs' directories. At most 40 characters, because the sockets of Terraform's providers lie there.",
)
@click.option(
    "--pass-env",
    "pass_env",
    multiple=True,
    envvar=PASS_ENV,
    metavar="NAME",
    callback=_parse_patterns,
    help="A variable of the daemon's environment that Terraform gets in every run, such as AWS_PROFILE, or all with a prefix, "
    "such as 'AWS_*'; repeat for more. Values that may be secrets are masked in logs. [env: PROVISIONER_PASS_ENV, separated by spaces]",
)
def run(
    *,
    namespace: str,
    name: str | None,
    pod_uid: str | None,
    drain_seconds: int | None,
    kubeconfig: Path | None,
    terraform: Path | None,
    terraform_directories: tuple[Path, ...],
    work_dir: Path | None,
    pass_env: tuple[str, ...],
    **spec: Any,
) -> None:
    """Register as a ProvisionerDaemon and run its jobs until shut down.

    The first SIGTERM or SIGINT finishes the current runs and takes no new job; the second, or the end of --drain-seconds, stops
    the runs. Options that describe the daemon (--tag, --provisioner, --capacity, …) change its ProvisionerDaemon; fields without
    an option stay as they are. In a Pod these options are refused: annotate the Pod instead.
    """
    flags = Flags(**spec)
    if pod_uid is not None and flags.as_spec():
        raise click.UsageError(
            f"A daemon in a Pod takes no {', '.join(flags.as_spec())} from its command line: annotate the Pod instead."
        )
    settings = Settings(
        namespace=namespace,
        pod_uid=pod_uid,
        name=name or socket.gethostname().lower(),
        flags=flags,
        kubeconfig=kubeconfig,
        binaries=Binaries(terraform, terraform_directories),
        directory=work_dir or Path(tempfile.gettempdir()),
        pass_env=pass_env,
        drain_seconds=drain_seconds,
    )
    with logging_to(output := OutputWriter()):
        try:
            asyncio.run(serve(settings, output))
        except EXPECTED as error:
            raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    become_init_if_first()
    with contextlib.suppress(BrokenPipeError):
        main()
