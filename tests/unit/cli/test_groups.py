"""Options of every command may stand before the command."""

from itertools import chain

import click
import pytest

from provisioner_operator.cli.__main__ import run
from provisioner_operator.cli.app import app
from provisioner_operator.cli.groups import FLAGS, VALUED, AliasedGroup, Group
from provisioner_operator.cli.jobs.commands import list_
from provisioner_operator.cli.manual import SHARED


@click.command()
@click.option("-n", "--namespace")
@click.option("--kubeconfig")
@click.option("-A", "--all-namespaces", is_flag=True)
@click.option("-o", "--output")
@click.argument("names", nargs=-1)
def probe(**given: object) -> None:
    click.echo(" ".join(f"{name}={value}" for name, value in sorted(given.items()) if value))


ROOT = Group(name="root", commands={"jobs": AliasedGroup(name="jobs", commands={"probe": probe})})


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("-n acme jobs probe", "namespace=acme"),
        ("-nacme jobs probe", "namespace=acme"),
        ("--namespace=acme jobs probe", "namespace=acme"),
        ("jobs -n acme probe", "namespace=acme"),
        ("-A jobs --kubeconfig file probe -o json", "all_namespaces=True kubeconfig=file output=json"),
        ("-n one jobs probe -n other", "namespace=other"),
        ("-n acme jobs probe name -- -x", "names=('name', '-x') namespace=acme"),
        ("jobs probe -n acme", "namespace=acme"),
    ],
)
def test_an_option_before_the_command_is_the_commands(
    line: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ROOT.main(line.split(), standalone_mode=False)

    assert capsys.readouterr().out == f"{printed}\n"


@pytest.mark.parametrize("line", ["-n", "-n acme", "-n acme jobs", "-o json jobs probe", "-n acme nothing"])
def test_without_a_command_the_usage_is_explained(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    assert capsys.readouterr().out == ""


def test_they_are_the_options_that_the_commands_share() -> None:
    shared = [each for each in list_.params if isinstance(each, click.Option) and each.name in SHARED]
    flags = [each for each in shared if each.is_flag]
    assert set(FLAGS) == set(chain.from_iterable((*each.opts, *each.secondary_opts) for each in flags))
    assert set(VALUED) == set(chain.from_iterable(each.opts for each in shared if not each.is_flag))


def test_every_group_passes_them_on() -> None:
    context = click.Context(app)
    groups = [
        each for name in app.list_commands(context) if isinstance(each := app.get_command(context, name), click.Group)
    ]
    assert groups
    assert all(isinstance(each, Group) for each in groups)
