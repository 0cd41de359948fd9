"""Commands behind `make demo`, `make up` and `make down`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from demo import background, narration
from demo.environment import STOP_SIGNALS, demo_environment, ignore_stop_signals
from demo.people import UnexpectedResultError
from demo.story import run_story
from provisioner_devcluster import DevClusterError

# The exit code by which shells report a program that Ctrl-C ended.
INTERRUPTED = 130


@click.group()
def cli() -> None:
    """Demonstrate the product on this machine."""


@cli.command()
def run() -> None:
    """Start everything, run the story, and remove everything; exit code 0 only if every step passed."""
    begin = time.monotonic()
    with demo_environment() as environment:
        run_story(environment)
    narration.verdict(f"Every step passed, in {time.monotonic() - begin:.0f} s. Nothing is left behind.", good=True)


@cli.command()
@click.option("--monitoring", is_flag=True, help="Also Prometheus and a page of the dashboards, where they can be had.")
def up(*, monitoring: bool) -> None:
    """Start the demo in the background, unless it runs already, and explain how to use it."""
    background.up(monitoring=monitoring)


@cli.command()
def down() -> None:
    """Stop the demo in the background and remove its files."""
    background.down()


@cli.command(hidden=True)
@click.option("--prometheus", type=click.Path(exists=True, path_type=Path))
def keep(*, prometheus: Path | None) -> None:
    """Run the demo in this process until a signal ends it."""
    background.keep(prometheus)


def main() -> None:
    """Run a command; report expected errors as a message and an exit code, without a traceback."""
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    try:
        cli(prog_name="python -m demo")
    except (DevClusterError, UnexpectedResultError, background.BackgroundError) as error:
        narration.verdict(
            f"The demo failed. {error}" if isinstance(error, UnexpectedResultError) else str(error), good=False
        )
        sys.exit(1)


def _leave(*_: object) -> NoReturn:
    # click.echo is not reentrant, and the signal may have interrupted a call of it.
    os.write(sys.stderr.fileno(), b"\nInterrupted: stopping everything ...\n")
    ignore_stop_signals()
    # An exception, so that the context managers stop everything.
    sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
