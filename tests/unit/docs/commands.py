"""Finds commands in a page that the project does not have: make targets, sub-commands, options and choices.

Command lines are split as a shell would; those of other programs are not looked at. Nothing is run.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache

import click

from bench.__main__ import main as bench
from monitoring.__main__ import main as monitoring
from mutation.__main__ import main as mutants
from provisioner_devcluster.cli import cli as devcluster
from provisioner_operator.cli.app import app as cli
from provisioner_operator.cli.groups import Group, command_first
from provisioner_operator.controller.__main__ import main as operator
from provisioner_operator.daemon.__main__ import main as daemon
from support.manifests import REPOSITORY
from unit.docs.pages import CodeBlock, Page

PROGRAMS: dict[str, click.Command] = {
    "provisioner": cli,
    "kubectl-provisioner": cli,
    "provisioner-daemon": daemon,
    "provisioner-operator": operator,
    "provisioner-devcluster": devcluster,
}
"""Our programs, by name."""
SHELL = frozenset({"", "sh", "bash", "console", "shell"})
"""Languages of code blocks that hold command lines; most have none."""
ELLIPSES = frozenset({"…", "..."})
"""Words that end the part of a command line that is checked."""
FOREIGN_OPTIONS = frozenset({"--server-side", "--prune", "--cascade", "--secret", "--target", "--profiling"})
"""Options of kubectl, of image builders and of the API server that pages name by themselves."""
EVERYWHERE = "--debug"
"""An option of the command line that is taken out before the rest is parsed."""

_TARGET = re.compile(r"^([a-z0-9]+):", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\[[A-Z.\[\]]+\](?:\.\.\.)?|\{[a-z|\\]+\}")
"""Placeholder in a usage line: `[OPTIONS]`, `[JOB]...`, `{bash|zsh|fish}`."""
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")
_OPTION = re.compile(r"^(--[a-z][a-z-]*)")


def wrong_commands(page: Page) -> Iterator[str]:
    """Yield a message for each wrong command or option of the page."""
    for line in command_lines(page):
        for words in simple_commands(line):
            if (problem := problem_of(words)) is not None:
                yield f"{line.strip()!r}: {problem}"
    for code in page.inline_code:
        option = _OPTION.match(code)
        if option and option[1] not in _all_options() | FOREIGN_OPTIONS | {EVERYWHERE}:
            yield f"{code!r}: no program has the option {option[1]}"


def command_lines(page: Page) -> Iterator[str]:
    """Everything that may be a command line: the lines of code blocks for a shell, and code in sentences."""
    for block in page.blocks:
        if block.language in SHELL:
            yield from _lines(block)
    yield from page.inline_code


def simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a line that pipes, substitutes or joins several; nothing if it is no shell."""
    lexer = shlex.shlex(_PLACEHOLDER.sub("", line), posix=True, punctuation_chars=True)
    lexer.wordchars += ":$@%,[]{}!^\\…"
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set("|&;<>()"):
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:  # an apostrophe in a sentence
        return
    yield words


def problem_of(words: Sequence[str]) -> str | None:
    """Return the problem of a command of ours; None if it is correct, or another program's."""
    words = list(words)
    if words[:1] == ["$"]:
        del words[0]
    while words and _ASSIGNMENT.match(words[0]):
        del words[0]
    if not words:
        return None
    program, arguments = words[0].removeprefix(".venv/bin/"), [each for each in words[1:] if each != EVERYWHERE]
    if program == "kubectl" and arguments[:1] == ["provisioner"]:
        program, arguments = "provisioner", arguments[1:]
    if program == "make":
        return _problem_of_make(arguments)
    if program in PROGRAMS:
        return _problem_of_click(PROGRAMS[program], arguments)
    # In a sentence about the command line the program's name is left out: `jobs why`.
    group = _groups().get(program)
    return _problem_of_click(group, arguments) if group is not None and arguments else None


@cache
def make_targets() -> frozenset[str]:
    """The targets of the Makefile."""
    return frozenset(_TARGET.findall((REPOSITORY / "Makefile").read_text(encoding="utf-8")))


def _lines(block: CodeBlock) -> Iterator[str]:
    yield from block.text.replace("\\\n", " ").splitlines()


def _problem_of_make(arguments: Sequence[str]) -> str | None:
    for target, program in {"bench": bench, "monitoring": monitoring}.items():
        if arguments[:1] == [target]:
            passed_on = [each.removeprefix("ARGS=") for each in arguments if each.startswith("ARGS=")]
            return _problem_of_click(program, shlex.split(" ".join(passed_on)))
    targets = [each for each in arguments if not _ASSIGNMENT.match(each) and not each.startswith("-")]
    missing = [each for each in targets if each not in make_targets() and each != "TARGET"]
    return f"the Makefile has no target {', '.join(missing)}" if missing else None


def _problem_of_click(command: click.Command, arguments: Sequence[str]) -> str | None:
    """Parse arguments as the program would, without a look at the machine: files need not exist, nothing is required."""
    context = click.Context(command, info_name=command.name)
    given = list(arguments)
    for ellipsis in ELLIPSES & set(given):
        del given[given.index(ellipsis) :]
    if isinstance(command, Group):
        given = command_first(given)
    try:
        values, rest, _ = command.make_parser(context).parse_args(given)
        _check_values(command, values, context)
    except click.ClickException as error:
        return error.format_message()
    if not isinstance(command, click.Group):
        return f"unexpected: {' '.join(rest)}" if rest else None
    if not rest:
        return None
    inner = command.get_command(context, rest[0])
    return f"{command.name} has no command {rest[0]}" if inner is None else _problem_of_click(inner, rest[1:])


def _check_values(command: click.Command, values: dict[str, object], context: click.Context) -> None:
    """Raise an error for a choice that there is not, or a number out of its range."""
    for parameter in command.params:
        value = values.get(str(parameter.name))
        # The name of an argument stands for its value in a usage line.
        if value == parameter.human_readable_name:
            continue
        if isinstance(parameter.type, click.Choice | click.IntRange) and isinstance(value, str | list | tuple):
            parameter.type_cast_value(context, value)


@cache
def _groups() -> dict[str, click.Group]:
    """The command line's groups, by name."""
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if isinstance(command, click.Group)}


@cache
def _all_options() -> frozenset[str]:
    """Every option of every program of ours."""
    return frozenset(
        option for program in (*PROGRAMS.values(), bench, monitoring, mutants) for option in _options(program)
    )


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for parameter in command.get_params(context):
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from _options(inner)
