"""Writes docs/cli.md from the commands themselves; called by `make docs`. A test fails when the two differ."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from provisioner_operator.cli.app import app
from provisioner_operator.cli.errors import MEANINGS

_SHARED = frozenset({"namespace", "all_namespaces", "kubeconfig", "context_name", "request_timeout", "utc"})

_HEAD = """\
# `kubectl provisioner`

<!-- Written by `make docs` from operator/provisioner_operator/cli; not by hand. -->

Finds provisioner jobs that are stuck, says why, stops them. It talks to the API server alone, with your kubeconfig and
your rights, and does not need the operator to be up. `kubectl provisioner …` and `provisioner …` are the same.

![jobs list](images/jobs-list.svg)
![jobs why](images/jobs-why.svg)
![top](images/top.svg)

**Install** with `pipx install provisioner-operator` or `pip install provisioner-operator`; kubectl finds
`kubectl-provisioner` on the PATH. A manifest for krew stands in `packaging/krew/`.

**Which cluster**: `--kubeconfig`, else the files that `KUBECONFIG` names (the first to name a thing wins), else
`~/.kube/config`, else the Pod's ServiceAccount. Credential plugins, client certificates, tokens and their files, `as` and
`proxy-url` work as in kubectl.

**Output**: results go to standard output, everything else to standard error. Tables fit a terminal and are not cut in a
pipe; colours are off in a pipe and with `NO_COLOR`. `-o json` and `-o yaml` of a list are an array of the API's objects, `[]`
when there are none. `-o name` prints what kubectl takes; `-o jsonpath=TEMPLATE` is kubectl's, over `{.items[*]}` for a list.
To a pending job `jobs list -o json` adds the field `queue`: `position` and `size` (null for one that does not stand in the
queue), `reason` and `waitedSeconds`.

**No traceback** is shown; `--debug`, anywhere, or `PROVISIONER_DEBUG=1` shows one.

## Exit codes
| code | meaning |
|---|---|
"""


def manual() -> str:
    """The whole page."""
    codes = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    root = click.Context(app, info_name="provisioner")
    return _HEAD + codes + _shared_options() + "".join(_sections(app, root))


def _shared_options() -> str:
    from provisioner_operator.cli.jobs.commands import list_  # noqa: PLC0415 - it has them all

    shared = [parameter for parameter in list_.params if parameter.name in _SHARED]
    return f"\n## Options of every command\n{_table(shared)}"


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield f"\n## `{inner.command_path}`\n{_prose(command)}\n"
            yield from _sections(command, inner)
        else:
            level = "###" if context.parent else "##"
            yield f"\n{level} `{inner.command_path}`\n{_prose(command)}\n\n```\n{_usage(command, inner)}\n```\n{_options(command)}"


def _prose(command: click.Command) -> str:
    paragraphs = [paragraph.strip("\n") for paragraph in (command.help or "").split("\n\n")]
    return "\n\n".join(
        "```" + paragraph.removeprefix("\b") + "\n```" if paragraph.startswith("\b") else " ".join(paragraph.split())
        for paragraph in paragraphs
    )


def _usage(command: click.Command, context: click.Context) -> str:
    return " ".join([context.command_path, *command.collect_usage_pieces(context)])


def _options(command: click.Command) -> str:
    own = _table([parameter for parameter in command.params if parameter.name not in _SHARED])
    across = any(parameter.name == "all_namespaces" for parameter in command.params)
    return (f"\n{own}" if own else "") + ("\nTakes `-A` too.\n" if across else "")


def _table(parameters: Iterable[click.Parameter]) -> str:
    rows = []
    for parameter in parameters:
        if not isinstance(parameter, click.Option) or parameter.hidden:
            continue
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        metavar = "" if parameter.is_flag else f" {_metavar(parameter)}"
        rows.append(f"| {names}{metavar} | {_meaning(parameter)} |\n")
    return "| option | meaning |\n|---|---|\n" + "".join(rows) if rows else ""


def _metavar(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "\\|".join(str(each) for each in option.type.choices)
    return option.type.name.upper()


def _meaning(option: click.Option) -> str:
    text = (option.help or "").replace("|", "\\|")
    if option.show_default and not option.is_flag:
        text = f"{text} [default: {option.default}]".strip()
    return text


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(manual(), encoding="utf-8")
