"""Print the coverage of the estimates: `python -m bench.estimates` replays each kind of queue in virtual time."""

from __future__ import annotations

from pathlib import Path

import click

from bench.estimates.coverage import Coverage, coverage, measure
from bench.estimates.recording import read_jobs, replay_recording
from bench.estimates.scenarios import SCENARIOS


@click.command()
@click.option("--seeds", default=3, show_default=True, help="Replays of each kind of queue.")
@click.option("--hours", default=12.0, show_default=True, help="Virtual hours of each replay.")
@click.option(
    "--recording",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Replay the jobs of this file instead, which `kubectl get pj -o json` wrote.",
)
def main(seeds: int, hours: float, recording: Path | None) -> None:
    """Replay queues, and compare what was estimated with what came."""
    click.echo("| queue | questions | unknown | p50 held | p90 held |\n|---|---|---|---|---|")
    if recording is not None:
        _echo(recording.name, coverage(replay_recording(read_jobs(recording), seeds).cases.values()))
        return
    for scenario in SCENARIOS:
        _echo(scenario.name, measure(scenario, range(seeds), hours=hours, question_gap=600))


def _echo(name: str, found: Coverage) -> None:
    unknown = found.unknown / max(1, found.cases)
    click.echo(f"| {name} | {found.cases} | {unknown:.0%} | {found.p50:.0%} | {found.p90:.0%} |")


if __name__ == "__main__":
    main()
