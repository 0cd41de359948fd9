"""Heartbeats as they are, patches of a ProvisionerDaemon's status, beside renewals of a Lease. A control plane of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.writes.heartbeats --seconds 15

Prints milliseconds of CPU of kube-apiserver and etcd a write, medians of rounds that alternate: at a rate, and as fast as they
are answered. The product keeps no Lease for a daemon; its policies refuse one to daemons, so an administrator renews it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import uvloop

from bench.client import Client, Request, a_client
from bench.meters import cpu_seconds, used
from bench.results import Results
from bench.writes import variants
from bench.writes.admission import CONNECTIONS, SHIPPED, heartbeat, register, stored
from bench.writes.variants import DAEMON, NAMESPACE, SUBMITTER
from provisioner_devcluster import ControlPlane
from provisioner_devcluster.control_plane.binaries import Component
from provisioner_operator.kube import paths
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Sequence

DAEMONS = 200
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
PATCHES, RENEWALS = "patches of a status", "renewals of a Lease"
_FAST = "as fast as possible"


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--rate", default=60, show_default=True, help="Writes a second.")
@click.option("--seconds", default=10, show_default=True, help="Seconds of each round at that rate.")
def main(rounds: int, rate: int, seconds: int) -> None:
    """Measure and print."""
    results = Results()
    with ControlPlane.start() as plane:
        plane.stop_scheduler()
        variants.install((SHIPPED,), Kubectl(plane.kubeconfig), Kubectl(plane.kubeconfig_for(SUBMITTER)))
        uvloop.run(_measure(plane, rounds, rate, seconds, results))
    for row in results:
        print(f"{row.measure:<40}{row.subject:<24}{row.spread.median:>8.2f} ms", flush=True)  # noqa: T201 - the command's output


async def _measure(plane: ControlPlane, rounds: int, rate: int, seconds: int, results: Results) -> None:
    pids = {str(each): plane.identity(each).pid for each in (Component.API_SERVER, Component.ETCD)}
    async with a_client(plane.kubeconfig) as admin, a_client(plane.kubeconfig_for(DAEMON)) as daemon:
        await register(admin, SHIPPED, DAEMONS)
        names = [f"daemon-{number}" for number in range(DAEMONS)]
        await admin.send_all([Request.create(LEASES, _lease(name)) for name in names])
        for number in range(-1, rounds):
            bodies = await stored(admin, SHIPPED, paths.daemons(NAMESPACE))
            beats = [SHIPPED.request(heartbeat(body)) for body in bodies]
            renewals = [Request.merge(f"{LEASES}/{name}", _lease(name)) for name in names]
            for subject, client, requests in ((PATCHES, daemon, beats), (RENEWALS, admin, renewals)):
                for pace, per_second in ((_FAST, 0), (f"{rate} a second", rate)):
                    before = cpu_seconds(pids)
                    sent = await _send(client, requests, per_second, seconds)
                    for process, spent in used(before, cpu_seconds(pids)).items():
                        if number >= 0:
                            results.add("heartbeats", f"{subject}, {pace}", process, 1000 * spent / sent, "ms")


async def _send(client: Client, requests: Sequence[Request], rate: int, seconds: int) -> int:
    """Send each request once, or at a rate for a while; return their number."""
    if not rate:
        await client.send_all(requests, CONNECTIONS)
        return len(requests)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(rate * seconds):
            await asyncio.sleep(max(began + number / rate - time.monotonic(), 0))
            group.create_task(client.send(requests[number % len(requests)]))
    return rate * seconds


def _lease(name: str) -> dict[str, object]:
    now = datetime.now(tz=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"metadata": {"name": name}, "spec": {"holderIdentity": name, "renewTime": now}}


if __name__ == "__main__":
    main()
