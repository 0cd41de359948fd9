"""Hollow daemons: one process that reports, acknowledges, finishes and cancels for many daemons, and runs nothing.

The writes come from the same code as a real daemon's, so that the load on the API server is the same. Started by `arena`;
prints a line when all its daemons have reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import uvloop

from bench.behavior import PAUSE_SECONDS, Behavior
from bench.client import CONNECTIONS
from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.jobs.timeouts import heartbeat_interval
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.reporting.pace import Pace
from provisioner_operator.daemon.reporting.report import Report, RunningJob, Tally, status_content
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.connect import connect
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.kube.parsing import parse_job
from provisioner_operator.kube.reflector import Reflector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner_operator.core.model.records import Job
    from provisioner_operator.kube.client import KubeClient

READY = "all daemons have reported"
_INSTANCE = "hollow"
_COMPLETED = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "The run succeeded.")
_STOPPED = Outcome(Phase.CANCELED, EndReason.CANCELED, "The run was interrupted.")


def reports(turn: int, number: int, factor: int) -> bool:
    """Return whether a daemon that reports in every so many turns does so in this one.

    Daemons at rest take turns, as those do that were started one after the other: of 600, ten report in each second.
    """
    return (turn + number) % factor == 0


class HollowDaemons:
    """All daemons of one namespace."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._daemons: dict[str, ProvisionerDaemon] = {}
        self._running: dict[str, dict[str, RunningJob]] = {}
        self._paces: dict[str, Pace] = {}
        self._versions: dict[str, int] = {}
        self._due: asyncio.Queue[tuple[Job, JsonPatch]] = asyncio.Queue()

    async def report_once(self) -> None:
        """List the daemons, and report for each."""
        async for page in self._client.list_pages(paths.daemons(self._namespace)):
            for body in page["items"]:
                daemon = ProvisionerDaemon.model_validate(body)
                self._daemons[daemon.metadata.name] = daemon
        await asyncio.gather(*(self._report(name) for name in self._daemons))

    async def live(self) -> None:
        """Act on jobs and report until canceled; survives an API server that is stalled for a while, as real daemons do."""
        reflector = Reflector(
            self._client,
            paths.jobs(self._namespace),
            self,
            listing=selectors.UNFINISHED_JOBS,
            watching=selectors.UNFINISHED_JOBS,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(reflector.follow())
            for _ in range(CONNECTIONS):
                group.create_task(self._write())
            group.create_task(self._keep_reporting())

    def known(self) -> Mapping[str, int]:
        """Return the versions of the jobs that were acted on, by uid."""
        return self._versions

    def listed(self) -> None:
        """Note nothing: each job is acted on when it is seen."""

    def deleted(self, body: Mapping[str, Any]) -> None:
        """Forget a job that has ended or is gone."""
        self.missed(body["metadata"]["uid"])

    def seen(self, body: Mapping[str, Any]) -> None:
        """Write what a daemon of the job's behavior writes next."""
        if "assignment" not in body["status"]:
            return
        job = parse_job(body)
        if job.resource_version <= self._versions.get(job.uid, -1):
            return
        self._versions[job.uid] = job.resource_version
        behavior = Behavior.of(body)
        if behavior is Behavior.PAUSE and job.phase is Phase.RUNNING:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._queue_write, job, Behavior.FINISH)
        else:
            self._queue_write(job, behavior)

    def _queue_write(self, job: Job, behavior: Behavior) -> None:
        patch = self._next_write(job, behavior)
        if patch is not None:
            self._due.put_nowait((job, patch))

    def _next_write(self, job: Job, behavior: Behavior) -> JsonPatch | None:
        now = time.time()
        match job.phase:
            case Phase.PENDING if behavior is not Behavior.IGNORE:
                return status_writes.acknowledge(job, _INSTANCE, now)
            case Phase.RUNNING | Phase.CANCELING if job.cancel:
                return status_writes.finish(job, _STOPPED, now)
            case Phase.RUNNING if behavior is Behavior.FINISH:
                return status_writes.finish(job, _COMPLETED, now)
            case _:
                return None

    async def _write(self) -> None:
        while True:
            job, patch = await self._due.get()
            try:
                body = await self._client.json_patch(paths.job_status(job.namespace, job.name), patch)
            except KubeError:
                continue  # another writer changed the job first; the watch will show its new state
            self._list(parse_job(body))
            self.seen(body)

    def _list(self, job: Job) -> None:
        """List the job in heartbeats while it runs."""
        if job.assignment is None:
            return
        runs = self._running.setdefault(job.assignment.daemon, {})
        if job.phase in TERMINAL:
            runs.pop(job.uid, None)
        else:
            runs[job.uid] = RunningJob(job.name, job.uid, job.changed_workspace, job.started or 0.0)

    def missed(self, uid: str) -> None:
        """Forget a job, and take it off its daemon's list."""
        self._versions.pop(uid, None)
        for runs in self._running.values():
            runs.pop(uid, None)

    async def _keep_reporting(self) -> None:
        for turn in count():
            began = time.monotonic()
            interval = heartbeat_interval(next(iter(self._daemons.values())).spec.lost_after_seconds)
            for number, name in enumerate(self._daemons):
                due = began + interval * number / len(self._daemons)
                await asyncio.sleep(max(due - time.monotonic(), 0))
                if self._is_due(name, turn, number, interval):
                    with contextlib.suppress(KubeError):  # the next one is due an interval later
                        await self._report(name)
            await asyncio.sleep(max(began + interval - time.monotonic(), 0))

    def _is_due(self, name: str, turn: int, number: int, interval: float) -> bool:
        """Return whether the daemon has to report now: like a real one, less often while it runs nothing."""
        if self._running.get(name) or name not in self._paces:
            return True
        lost_after = self._daemons[name].spec.lost_after_seconds
        return reports(turn, number, round(self._paces[name].interval(lost_after) / interval))

    async def _report(self, name: str) -> None:
        daemon = self._daemons[name]
        runs = tuple(self._running.get(name, {}).values())
        report = Report(DaemonState.BUSY if runs else DaemonState.IDLE, runs)
        lost_after = daemon.spec.lost_after_seconds
        pace = self._paces.setdefault(name, Pace())
        content = status_content(
            report,
            Tally(),
            daemon,
            instance=_INSTANCE,
            lost_after_seconds=lost_after,
            idle_heartbeat_seconds=pace.announce(report, lost_after, is_deleted=False),
            now=time.time(),
        )
        patch = JsonPatch(tests=(("/metadata/uid", daemon.metadata.uid),), sets=(("/status", content),))
        body = await self._client.json_patch(paths.daemon_status(self._namespace, name), patch)
        self._daemons[name] = answer = ProvisionerDaemon.model_validate(body)
        pace.accepted(answer.status.idle_heartbeat_seconds, is_deleted=False)


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), required=True)
@click.option("--namespace", "namespaces", multiple=True, required=True)
def main(kubeconfig: Path, namespaces: tuple[str, ...]) -> None:
    """Run hollow daemons for all daemons of these namespaces."""
    uvloop.run(_serve(kubeconfig, namespaces))


async def _serve(kubeconfig: Path, namespaces: tuple[str, ...]) -> None:
    async with connect(kubeconfig, connections=len(namespaces) * (CONNECTIONS + 2)) as connection:
        fleets = [HollowDaemons(connection.client, namespace) for namespace in namespaces]
        for fleet in fleets:
            await fleet.report_once()
        click.echo(READY)
        async with asyncio.TaskGroup() as group:
            for fleet in fleets:
                group.create_task(fleet.live())


if __name__ == "__main__":
    main()
