"""The API server's CPU for the creation of a job with and without the component `match-warnings`. A control plane of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.match_warnings --rounds 5 --writes 200

Prints milliseconds of CPU a creation, medians of rounds in which the variants alternate. Without the component means without its
binding, which is what makes the API server evaluate the policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import uvloop

from bench.client import Client, Request, a_client
from bench.meters import cpu_seconds, used
from bench.results import Results
from provisioner_devcluster import ControlPlane
from provisioner_devcluster.control_plane.binaries import Component
from provisioner_operator.api.v1alpha1.limits import MOST_SUPPLIES
from provisioner_operator.kube import paths
from support.builders.manifests import a_job_manifest, role_binding
from support.cluster.installation import install
from support.cluster.kubectl import Kubectl
from support.cluster.match_warnings import (
    BINDING,
    COMPONENT,
    a_supply_manifest,
    await_warnings,
    install_match_warnings,
)
from support.cluster.role_bindings import grant_roles

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTIONS = 8
TAGS = 4
"""Tags of each supply, and of each job."""
SUBMITTER = "bench-submitter"
PROBE = a_job_manifest("probe", tags={"nobody": "has"})
FLEETS = {"1-supply": 1, "16-supplies": 16, f"{MOST_SUPPLIES}-supplies": MOST_SUPPLIES}
"""Namespaces, and the number of their supplies. The job's is the last, so that all others are compared first."""
OFF = "without"


def supply(number: int) -> dict[str, Any]:
    """Return a supply that differs from the others in its last tag."""
    tags = [*(f"tag-{n}=value-{n}" for n in range(TAGS - 1)), f"zone=zone-{number}"]
    common = {"provisioners": ["echo"], "scope": "organization", "owner": ""}
    return {"offeredBy": f"daemon daemon-{number:02}", "tags": tags, **common}


def job(name: str, zone: int) -> dict[str, Any]:
    """Return a job that needs all tags of one supply."""
    tags = {**{f"tag-{n}": f"value-{n}" for n in range(TAGS - 1)}, "zone": f"zone-{zone}"}
    return a_job_manifest(name, workspaceRef={"name": name}, tags=tags)


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--writes", default=200, show_default=True, help="Creations of each variant and round.")
def main(rounds: int, writes: int) -> None:
    """Measure and print."""
    with ControlPlane.start() as plane:
        admin = Kubectl(plane.kubeconfig)
        install(admin, Kubectl(plane.kubeconfig_for("prober")))
        install_match_warnings(admin)
        for namespace, count in FLEETS.items():
            _prepare(admin, namespace, count)
        results = uvloop.run(_measure(plane, admin, rounds, writes))
    for row in results:
        print(f"{row.subject:<32}{row.spread.median:8.2f}   {[round(each, 2) for each in row.values]}")  # noqa: T201


def _prepare(admin: Kubectl, namespace: str, count: int) -> None:
    """Make a namespace with this many supplies, and a user who may submit jobs there."""
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    grant_roles(admin, [role_binding(SUBMITTER, "provisioner-submitter", namespace=namespace)])
    admin.within(namespace).apply(a_supply_manifest(*map(supply, range(count))), "--server-side")
    await_warnings(admin.within(namespace), PROBE, bool)


async def _measure(plane: ControlPlane, admin: Kubectl, rounds: int, writes: int) -> Results:
    results = Results()
    pid = {"server": plane.identity(Component.API_SERVER).pid}
    some = next(iter(FLEETS))
    async with a_client(plane.kubeconfig_for(SUBMITTER)) as client:
        for number in range(rounds + 1):
            # The first round warms everything up.
            to = results if number else Results()
            admin.delete("validatingadmissionpolicybinding", BINDING)
            await_warnings(admin.within(some), PROBE, lambda found: not found)
            to.add("", "creation", OFF, await _batch(client, pid, some, f"off-{number}", 0, writes), "ms")
            admin.run("apply", "--server-side", f"--filename={COMPONENT / 'policy.yaml'}")
            await_warnings(admin.within(some), PROBE, bool)
            for namespace, count in FLEETS.items():
                for what, zone in {"runs": count - 1, "warned": count}.items():
                    spent = await _batch(client, pid, namespace, f"{what}-{number}", zone, writes)
                    to.add("", "creation", f"{namespace}, {what}", spent, "ms")
    return results


async def _batch(client: Client, pid: Mapping[str, int], namespace: str, prefix: str, zone: int, writes: int) -> float:
    """Create jobs; return the API server's CPU for each, in milliseconds."""
    bodies = [job(f"{prefix}-{number}", zone) for number in range(writes)]
    requests = [Request.create(paths.jobs(namespace), body) for body in bodies]
    before = cpu_seconds(pid)
    await client.send_all(requests, CONNECTIONS)
    return 1000 * used(before, cpu_seconds(pid))["server"] / writes


if __name__ == "__main__":
    main()
