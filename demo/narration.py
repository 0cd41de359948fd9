"""How the demo speaks: headings, sentences, commands and their output, in colour where a person is looking."""

from __future__ import annotations

import os
import sys

import click

INDENT = "  "


def heading(text: str) -> None:
    """Begin a chapter."""
    click.echo(f"\n{_styled(text, bold=True)}")


def say(text: str) -> None:
    """Say one sentence."""
    click.echo(text)


def command(prompt: str, line: str) -> None:
    """Show a command as it would be typed, before it runs."""
    click.echo(f"{_styled(prompt, fg='cyan')} {_styled(line, fg='cyan', bold=True)}")


def output(text: str) -> None:
    """Show what a command printed."""
    for line in text.splitlines():
        click.echo(INDENT + line)


def verdict(text: str, *, good: bool) -> None:
    """Say how it ended."""
    click.echo(_styled(f"\n{text}", fg="green" if good else "red", bold=True))


def _styled(text: str, *, fg: str | None = None, bold: bool = False) -> str:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=fg, bold=bold) if coloured else text
