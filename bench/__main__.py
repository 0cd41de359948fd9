"""Command behind `make bench`: measure and print; exit code 1 if a bar is not met, 2 if a measurement failed."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvloop

from bench import report
from bench.arena import an_arena
from bench.bars import bars
from bench.client import BenchError
from bench.contest import a_contest
from bench.peers.known import PEERS
from bench.plan import FULL, QUICK
from bench.results import Results
from bench.scenarios import accept, cancel, decision, fairness, growth, idle, latency, life, stock, stored
from provisioner_devcluster import DevClusterError
from provisioner_operator import __version__
from support.cluster.kubectl import KubectlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plan import Plan

BESIDE_OTHERS = {each.SCENARIO: each for each in (latency, accept, life, cancel)}
"""Scenarios in which the subjects alternate."""
# Last, because `stock` restarts the Job controller with other limits.
ALONE = {each.SCENARIO: each for each in (fairness, idle, stored, stock)}
PURE = {each.SCENARIO: each for each in (decision, growth)}
"""Scenarios of the core, which need no control plane."""
ALL = (*BESIDE_OTHERS, *PURE, *ALONE)
DEFAULT_FILE = Path("bench/results/latest.json")


def _names_of_peers(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Split a list at its commas, as `--peers kueue,tekton`."""
    names = tuple(dict.fromkeys(filter(None, value.split(","))))
    for name in names:
        if name not in PEERS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(PEERS)}.")
    return names


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Smaller sizes: some five minutes instead of twenty-five.")
@click.option("--only", multiple=True, type=click.Choice(ALL), help="Only this scenario; may be repeated.")
@click.option("--rounds", type=click.IntRange(1), help="Rounds of each scenario.")
@click.option(
    "--plug", type=click.Path(exists=True, path_type=Path), help="A further subject (bench/plug.example.yaml)."
)
@click.option(
    "--peers",
    default="",
    callback=_names_of_peers,
    metavar="NAMES",
    help=f"Other controllers to build and measure in the same rounds: {','.join(PEERS)}.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    help="A checkout of another version of the product, to be measured beside this one.",
)
@click.option("--json", "path", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True)
def main(
    *,
    quick: bool,
    only: tuple[str, ...],
    rounds: int | None,
    plug: Path | None,
    peers: tuple[str, ...],
    against: Path | None,
    path: Path,
) -> None:
    """Measure the product against the API server alone and against the Job controller of Kubernetes."""
    other = None if against is None else against.resolve()
    plan = replace(QUICK if quick else FULL, plug=plug, peers=peers, against=other)
    if rounds is not None:
        plan = replace(plan, rounds=rounds)
    results = Results()
    began = time.monotonic()
    broken = False
    try:
        uvloop.run(_measure(plan, frozenset(only or ALL), results))
    except* (BenchError, DevClusterError, KubectlError) as errors:
        for error in _leaves(errors):
            click.echo(f"bench: {error} Results until then:", err=True)
        broken = True
    except* asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)
    verdicts = list(bars(results, plan))
    report.show(results, verdicts)
    report.write(path, results, verdicts, seconds=time.monotonic() - began, version=__version__)
    click.echo(f"{time.monotonic() - began:.0f} s; all rounds are in {path}.", err=True)
    sys.exit(2 if broken else any(bar.met is False for bar in verdicts))


async def _measure(plan: Plan, names: frozenset[str], results: Results) -> None:
    _end_in_order_when_asked_to()
    for name, scenario in PURE.items():
        if name in names:
            with _told(name):
                await scenario.measure(plan, results)
    if names <= PURE.keys():
        return
    async with an_arena(plan) as arena:
        if names & BESIDE_OTHERS.keys():
            async with a_contest(arena, plan) as contest:
                for name, scenario in BESIDE_OTHERS.items():
                    if name in names:
                        with _told(name):
                            await scenario.measure(arena, contest, plan, results)
        for name, scenario in ALONE.items():
            if name in names:
                with _told(name):
                    await scenario.measure(arena, plan, results)


def _end_in_order_when_asked_to() -> None:
    """Raise an exception on SIGTERM, so that all started programs are stopped; they run in sessions of their own."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextmanager
def _told(name: str) -> Iterator[None]:
    began = time.monotonic()
    click.echo(f"{name} ...", err=True)
    yield
    click.echo(f"{name}: {time.monotonic() - began:.0f} s", err=True)


def _leaves(error: BaseException) -> list[BaseException]:
    """Yield the errors of a group and of its nested groups."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


if __name__ == "__main__":
    main()
