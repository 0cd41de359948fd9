"""The commands behind `make demo`, `make up` and `make down`."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import NoReturn

import click

from demo import background, narration
from demo.environment import REQUESTS_TO_END, ignore_requests_to_end, raised
from demo.people import NotAsToldError
from demo.story import tell
from provisioner_devcluster import DevClusterError

# What a shell reports of a program that Ctrl-C ended.
INTERRUPTED = 130


@click.group()
def cli() -> None:
    """Show the product at work on this machine."""


@cli.command()
def run() -> None:
    """Raise a stage, tell the story, leave nothing behind; exit code 0 only if every step was as told."""
    begin = time.monotonic()
    with raised() as stage:
        tell(stage)
    narration.verdict(f"All as told, in {time.monotonic() - begin:.0f} s; nothing is left behind.", good=True)


@cli.command()
def up() -> None:
    """Raise a stage that stays, unless it does, and say how to use it."""
    background.up()


@cli.command()
def down() -> None:
    """Take it down and remove every trace."""
    background.down()


@cli.command(hidden=True)
def keep() -> None:
    """Hold a stage in this process until it is told to end."""
    background.keep()


def main() -> None:
    """Run a command; what a user can act on is a message and an exit code, not a traceback."""
    for number in REQUESTS_TO_END:
        signal.signal(number, _leave)
    try:
        cli(prog_name="python -m demo")
    except (DevClusterError, NotAsToldError, background.StandingError) as error:
        narration.verdict(f"Not as told. {error}" if isinstance(error, NotAsToldError) else str(error), good=False)
        sys.exit(1)


def _leave(*_: object) -> NoReturn:
    # Not click.echo: the signal may have come in the middle of one.
    os.write(sys.stderr.fileno(), b"\nInterrupted: taking everything down ...\n")
    ignore_requests_to_end()
    # As an exception it ends everything on the way out.
    sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
