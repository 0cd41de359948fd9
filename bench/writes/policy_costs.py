"""The cost of the component `match-warnings` for the creation of a job, by the API server's own code. Needs Go, and no cluster.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.writes.policy_costs --against ../before

On a busy machine, the best of many short rounds says more (what follows `--` are options of `go test`):

    ... -m bench.writes.policy_costs --against ../before -- -count=150 -benchtime=15x | sort -k1,1 -k5,5n | sort -u -k1,1

Prints Go's benchmark: nanoseconds, nanoseconds of CPU with those of the garbage collector, bytes and allocations. `floor` is the same
policy with the condition `false`: that much costs any policy with a parameter. `combination` is a job whose tags are all there, but not
at one of 63 supplies, so that all have to be compared. Left out is the lookup of the policy, the
parameter and the namespace in caches. See `bench.match_warnings` for an API server as a whole.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from bench.match_warnings import FLEETS, job, supply
from bench.writes.go_benchmark import run_benchmark
from provisioner_operator.api.v1alpha1.limits import MOST_SUPPLIES
from support.builders.manifests import a_job_manifest
from support.builders.stored import stored
from support.cluster.match_warnings import COMPONENT, a_supply_manifest
from support.manifests import REPOSITORY

if TYPE_CHECKING:
    from support.manifests import Manifest

POLICY = Path(__file__).parent / "policy_test.go"
LAST = MOST_SUPPLIES - 1
"""Number of the combination of tags that no supply has: the last of 64."""


@click.command()
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another checkout.")
@click.argument("options", nargs=-1)
def main(against: Path | None, options: tuple[str, ...]) -> None:
    """Measure and print."""
    checkouts = {"now": REPOSITORY} | ({} if against is None else {"before": against})
    policies = {name: _policy(path) for name, path in checkouts.items()}
    policies["floor"] = deepcopy(policies["now"])
    policies["floor"]["spec"]["matchConditions"] = [{"name": "never", "expression": "false"}]
    cases = [
        {"name": "floor", "policy": "floor", "params": _params(1), "object": stored(job("job", 0)), "warns": False}
    ]
    for fleet, count in FLEETS.items():
        for what, zone in {"runs": count - 1, "warned": count}.items():
            written = {"params": _params(count), "object": stored(job("job", zone)), "warns": zone == count}
            cases += [{"name": f"{fleet}/{what}/{name}", "policy": name, **written} for name in checkouts]
    combination = {"params": _all_combinations_but_one(), "object": stored(_job_of(LAST)), "warns": True}
    cases += [{"name": f"combination/warned/{name}", "policy": name, **combination} for name in checkouts]
    sys.exit(run_benchmark(POLICY, {"policies": policies, "cases": cases}, *options))


def _policy(repository: Path) -> Manifest:
    path = repository / COMPONENT.relative_to(REPOSITORY) / "policy.yaml"
    policy: Manifest = next(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    return policy


def _all_combinations_but_one() -> Manifest:
    """Return supplies that differ in several tags: each tag that a job needs is there, in other combinations."""
    supplies = [supply(n) | {"tags": [f"{key}={value}" for key, value in _combination(n).items()]} for n in range(LAST)]
    return stored(a_supply_manifest(*supplies))


def _job_of(number: int) -> Manifest:
    return a_job_manifest("job", workspaceRef={"name": "job"}, tags=_combination(number))


def _combination(number: int) -> dict[str, str]:
    return {f"tag-{n}": f"value-{number // 4**n % 4}" for n in range(3)}


def _params(count: int) -> Manifest:
    return stored(a_supply_manifest(*map(supply, range(count))))


if __name__ == "__main__":
    main()
