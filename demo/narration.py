"""Print headings, sentences, commands and their output; in color on a terminal."""

from __future__ import annotations

import os
import sys

import click

INDENT = "  "


def heading(text: str) -> None:
    """Print the heading of a chapter."""
    click.echo(f"\n{_styled(text, bold=True)}")


def say(text: str) -> None:
    """Print a sentence."""
    click.echo(text)


def command(prompt: str, line: str) -> None:
    """Print a command as it would be typed, before it runs."""
    click.echo(f"{_styled(prompt, fg='cyan')} {_styled(line, fg='cyan', bold=True)}")


def output(text: str) -> None:
    """Print the output of a command, indented."""
    for line in text.splitlines():
        click.echo(INDENT + line)


def verdict(text: str, *, good: bool) -> None:
    """Print the result of the demo."""
    click.echo(_styled(f"\n{text}", fg="green" if good else "red", bold=True))


def _styled(text: str, *, fg: str | None = None, bold: bool = False) -> str:
    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=fg, bold=bold) if colored else text
