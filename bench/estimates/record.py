"""Record a run of the product itself, for `bench.estimates --recording`: real control plane, operator and daemons, on this machine.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.estimates.record jobs.json

Jobs of three templates come in bursts and sleep for random times. Daemons are few, so jobs queue. Writes what `kubectl get pj -o json` prints.
With `--simulate 12` it runs nothing, and prints how far the coverage of single runs scatters: twelve of them, in virtual time.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import click

from bench.estimates.coverage import coverage
from bench.estimates.recording import RecordedRun, replay_runs
from bench.estimates.scenarios import Template
from provisioner_devcluster import ControlPlane
from support.cluster.installation import install
from support.cluster.kubectl import Kubectl
from support.test_namespace import a_job, a_product_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.estimates.world import Case
    from support.manifests import Manifest

NAMESPACE = "recorded"
TEMPLATES = (Template("small", 5, 0.5), Template("medium", 12, 0.5), Template("large", 30, 0.5))
BURST_MEAN = 25
"""Jobs that come at once, from half of it to one and a half."""
DAEMONS, CAPACITY = 3, 4
BUSY_SHARE = 0.9
"""Share of the slots' time that the jobs take: bursts meet the rest of earlier ones."""
_ASKED_EVERY = 8
"""Jobs to a question in virtual time."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--seconds", default=540, show_default=True, help="Time in which jobs come.")
@click.option("--seed", default=4, show_default=True)
@click.option("--simulate", default=0, help="Play so many runs in virtual time instead, from seed 1 on.")
def main(file: Path | None, seconds: int, seed: int, simulate: int) -> None:
    """Run the product, and write its jobs."""
    if simulate:
        _simulate(simulate, seconds)
    elif file is None:
        raise click.UsageError("a file is needed, for the jobs")
    else:
        file.write_text(_record(plan(_chance(seed), seconds)), encoding="utf-8")


def plan(chance: Random, seconds: float) -> list[RecordedRun]:
    """Draw bursts of runs that keep the slots as busy as they should be; they come in seconds from the begin."""
    found: list[RecordedRun] = []
    second = 0.0
    while second < seconds:
        kinds = [chance.choice(TEMPLATES) for _ in range(chance.randint(BURST_MEAN // 2, BURST_MEAN * 3 // 2))]
        burst = [RecordedRun(second, kind.name, round(kind.seconds(chance), 1)) for kind in kinds]
        found += burst
        second += chance.expovariate(BUSY_SHARE * DAEMONS * CAPACITY / sum(run.seconds for run in burst))
    return found


def _record(runs: list[RecordedRun]) -> str:
    with ControlPlane.start() as plane:
        admin = Kubectl(plane.kubeconfig)
        install(admin, Kubectl(plane.kubeconfig_for("prober")))
        admin.run("create", "namespace", NAMESPACE)
        with a_product_namespace(plane, NAMESPACE) as product, ExitStack() as programs:
            programs.enter_context(product.operator())
            for number in range(DAEMONS):
                programs.enter_context(product.daemon(f"daemon-{number}", capacity=CAPACITY))
            names = _submit(product.admin, runs)
            for name in names:
                product.jobs.until(name, "Completed")
            return product.admin.run("get", "pj", "-o", "json").stdout


def _submit(admin: Kubectl, runs: list[RecordedRun]) -> list[str]:
    """Create the jobs when they have to come; return their names."""
    bursts: dict[float, list[Manifest]] = {}
    for number, run in enumerate(runs):
        job = a_job(f"job-{number:04}", seconds=run.seconds, templateRef={"name": run.template})
        bursts.setdefault(run.created, []).append(job)
    begin = time.monotonic()
    for second, jobs in bursts.items():
        time.sleep(max(0.0, begin + second - time.monotonic()))
        admin.create_all(jobs)
    return [job["metadata"]["name"] for jobs in bursts.values() for job in jobs]


def _simulate(number: int, seconds: float) -> None:
    cases: list[Case] = []
    for seed in range(1, number + 1):
        runs = plan(_chance(seed), seconds)
        found = replay_runs(runs, DAEMONS * CAPACITY, seed, asked_every=_ASKED_EVERY).cases.values()
        cases += found
        _print(f"seed {seed}", found)
    _print("all", cases)


def _print(name: str, cases: Iterable[Case]) -> None:
    found = coverage(cases)
    click.echo(f"{name:<8} {found.cases:5} questions   p50 held {found.p50:4.0%}   p90 held {found.p90:4.0%}")


def _chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - chance, no secret


if __name__ == "__main__":
    main()
