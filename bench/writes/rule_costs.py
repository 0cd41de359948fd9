"""The cost of the rules of a job's definition at each write of its life, by the API server's own code. Needs Go, and no cluster.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.writes.rule_costs --against ../before

Prints Go's benchmark: nanoseconds, bytes and allocations for each write. The last two are the same at each run on any machine;
an API server spends more of its CPU on allocation and collection than on anything else. The first build takes minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from bench.writes.go_benchmark import run_benchmark
from provisioner_operator.api.v1alpha1.names import GROUP, JOBS
from support.builders import written_jobs
from support.manifests import REPOSITORY

if TYPE_CHECKING:
    from support.manifests import Manifest

RULES = Path(__file__).parent / "rules_test.go"


@click.command()
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another checkout.")
def main(against: Path | None) -> None:
    """Measure and print."""
    checkouts = {"now": REPOSITORY} | ({} if against is None else {"before": against})
    content = {"schemas": {name: _schema(path) for name, path in checkouts.items()}, "writes": list(_writes())}
    sys.exit(run_benchmark(RULES, content))


def _schema(repository: Path) -> Manifest:
    definition = yaml.safe_load((repository / "crds" / f"{GROUP}_{JOBS}.yaml").read_text(encoding="utf-8"))
    schema: Manifest = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _writes() -> list[dict[str, Any]]:
    """Return a job of a workspace as it is written from its creation to its end."""
    body = written_jobs.a_body(
        type="WorkspaceBuild",
        transition="Start",
        provisioner="terraform",
        workspaceRef={"name": "dev", "uid": "uid-of-dev", "buildNumber": 7, "change": "digest", "owner": "alice"},
        templateRef={"name": "machine", "version": "machine-3"},
        source={"inline": {"files": {"main.tf": "#" * 1024}}},
        variables=[{"name": "size", "value": "2"}, {"name": "region", "value": "eu"}],
        tags={"os": "linux"},
        initiator="alice",
    )
    identified = body | {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ProvisionerJob"}
    written = [{"name": "creation", "object": identified}]
    for name, write in (
        ("assignment", written_jobs.assign),
        ("start", written_jobs.acknowledge),
        ("end", written_jobs.complete),
    ):
        identified = written_jobs.after(identified, write)
        written.append({"name": name, "object": identified})
    return written


if __name__ == "__main__":
    main()
