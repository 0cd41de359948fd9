"""Heartbeats as they are, patches of a ProvisionerDaemon's status, beside renewals of a Lease. A control plane of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.writes.heartbeats --seconds 15

Prints milliseconds of CPU of kube-apiserver and etcd a write, without what they use of the same time when nobody writes, medians of
rounds that alternate: at a rate, and as fast as they are answered. Then the share of a whole installation's CPU that renewals would save. The
product keeps no Lease for a daemon; its policies refuse one to daemons, so an administrator renews it.
"""

from __future__ import annotations

import asyncio
import math
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
from provisioner_operator.core.jobs.timeouts import heartbeat_interval, idle_heartbeat_interval
from provisioner_operator.kube import paths
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAEMONS = 200
PROCESSES = (str(Component.API_SERVER), str(Component.ETCD))
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
PATCHES, RENEWALS = "patches of a status", "renewals of a Lease"
NOBODY = "nobody writes, a second"
BUSY_SHARE = 1 / 6
DAEMONS_OF_A_JOB_A_SECOND = 600
"""Daemons of an installation with a job a second, a sixth of which are busy: a run takes a hundred seconds on average."""
CHANGES_OF_A_RUN = 2
"""Patches that a run costs beside renewals: the controller has to see in a status that it has begun and ended."""
LIFE_MILLISECONDS = 28.0
"""CPU of the API server, etcd and the controller for a job's life: `make bench ARGS='--only life'`."""
_FAST = "as fast as possible"


def heartbeats_of_a_job(lost_after: float = 300) -> float:
    """Return the heartbeats of all daemons between two jobs of such an installation."""
    often, seldom = 1 / heartbeat_interval(lost_after), 1 / idle_heartbeat_interval(lost_after)
    return DAEMONS_OF_A_JOB_A_SECOND * (BUSY_SHARE * often + (1 - BUSY_SHARE) * seldom)


def saved_share(patch: float, renewal: float, life: float, others: float) -> float:
    """Return the share of an installation's CPU that renewals save.

    Args:
        patch: Milliseconds of CPU of a patch of a status.
        renewal: Those of a renewal.
        life: Those of a job's life.
        others: What the API server and etcd use for each job when nobody writes.
    """
    whole = heartbeats_of_a_job() * patch + life + others
    return (heartbeats_of_a_job() * (patch - renewal) - CHANGES_OF_A_RUN * patch) / whole


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--rate", default=60, show_default=True, help="Writes a second.")
@click.option("--seconds", default=10, show_default=True, help="Seconds of each round at that rate.")
@click.option("--life", default=LIFE_MILLISECONDS, show_default=True, help="Milliseconds of CPU of a job's life.")
def main(rounds: int, rate: int, seconds: int, life: float) -> None:
    """Measure and print."""
    results = Results()
    with ControlPlane.start() as plane:
        plane.stop_scheduler()
        variants.install((SHIPPED,), Kubectl(plane.kubeconfig), Kubectl(plane.kubeconfig_for(SUBMITTER)))
        uvloop.run(_measure(plane, rounds, rate, seconds, results))
    for row in results:
        click.echo(f"{row.measure:<45}{row.subject:<20}{row.spread.median:>8.2f} ms")
    for pace, jobs in ((f"{rate} a second", rate / heartbeats_of_a_job()), (_FAST, math.inf)):
        patch, renewal = (_sum(results, f"{subject}, {pace}") for subject in (PATCHES, RENEWALS))
        share = saved_share(patch, renewal, life, _sum(results, NOBODY) / jobs)
        click.echo(f"share of the whole that renewals save, {pace}: {share:.2f}")


def _sum(results: Results, measure: str) -> float:
    return sum(results.median(measure, process) for process in PROCESSES)


async def _measure(plane: ControlPlane, rounds: int, rate: int, seconds: int, results: Results) -> None:
    pids = {process: plane.identity(Component(process)).pid for process in PROCESSES}
    async with a_client(plane.kubeconfig) as admin, a_client(plane.kubeconfig_for(DAEMON)) as daemon:
        await register(admin, SHIPPED, DAEMONS)
        names = [f"daemon-{number}" for number in range(DAEMONS)]
        await admin.send_all([Request.create(LEASES, _lease(name)) for name in names])
        for number in range(-1, rounds):
            bodies = await stored(admin, SHIPPED, paths.daemons(NAMESPACE))
            beats = [SHIPPED.request(heartbeat(body)) for body in bodies]
            renewals = [Request.merge(f"{LEASES}/{name}", _lease(name)) for name in names]
            before = cpu_seconds(pids)
            await asyncio.sleep(seconds)
            idle = {process: spent / seconds for process, spent in used(before, cpu_seconds(pids)).items()}
            rows = {NOBODY: idle}
            for subject, client, requests in ((PATCHES, daemon, beats), (RENEWALS, admin, renewals)):
                for pace, per_second in ((_FAST, 0), (f"{rate} a second", rate)):
                    before, began = cpu_seconds(pids), time.monotonic()
                    sent = await _send(client, requests, per_second, seconds)
                    took = time.monotonic() - began
                    spent = used(before, cpu_seconds(pids))
                    rows[f"{subject}, {pace}"] = {each: (spent[each] - took * idle[each]) / sent for each in pids}
            if number >= 0:
                _note(results, rows)


def _note(results: Results, rows: Mapping[str, Mapping[str, float]]) -> None:
    for measure, costs in rows.items():
        for process, seconds in costs.items():
            results.add("heartbeats", measure, process, 1000 * seconds, "ms")


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
