"""Memory of the core with many ended jobs that have a time to live, as a process of its own: `python -m bench.scenarios.ended_jobs 1000000`."""

from __future__ import annotations

import os

import click

from bench.meters import peak_memory
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from support.builders.core import an_ended_job, at

TIME_TO_LIVE = 604_800


def observe(jobs: JobReconciler, first: int, count: int) -> None:
    """Observe that many ended jobs, named from `first` on, and make all decisions about them."""
    for number in range(first, first + count):
        jobs.observe_job(an_ended_job(f"job-{number}", workspace=f"dev-{number}", ttl=TIME_TO_LIVE), at(0))
        for _ in jobs.decide(at(0)):
            pass


@click.command()
@click.argument("count", type=click.IntRange(1))
def main(count: int) -> None:
    """Observe this many ended jobs, and print the peak memory in bytes."""
    jobs = JobReconciler()
    observe(jobs, 0, count)
    click.echo(peak_memory(os.getpid()))


if __name__ == "__main__":
    main()
