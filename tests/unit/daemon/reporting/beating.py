"""A heartbeat in virtual time, beside its object on the API server."""

import asyncio
from collections.abc import Callable
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.daemon.reporting.heartbeat import Heartbeat
from provisioner_operator.daemon.reporting.report import Report, RunningJob
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import KubeError
from support.virtual_time import EPOCH, run_in_virtual_time
from unit.daemon.builders import a_daemon_body
from unit.daemon.stored_objects import StoredObjects

PATH = paths.daemon("acme", "d1")
INTERVAL = 10.0
"""Of a daemon that is lost after 300 s and runs something."""
IDLE_INTERVAL = 60.0
"""Of one that runs nothing."""
A_RUN = RunningJob("dev-7", "u7", "dev", 0.0)


class Beating:
    """A daemon's heartbeat beside its object on the API server; it runs a job unless a test takes that away."""

    def __init__(self, **body: Any) -> None:
        self.api = StoredObjects({PATH: a_daemon_body(**body)})
        self.jobs = [A_RUN]
        self.heartbeat: Heartbeat

    def for_seconds(self, seconds: float, *steps: tuple[float, Callable[[], None]]) -> None:
        """Keep beating for so long; call each step at its time."""

        async def run() -> None:
            loop = asyncio.get_running_loop()
            self.heartbeat = Heartbeat(
                self.api, self.api.objects[PATH], instance="i1", report=self.report, clock=loop.time
            )
            for at, step in steps:
                loop.call_at(EPOCH + at, step)
            try:
                async with asyncio.timeout(seconds):
                    await self.heartbeat.keep_beating()
            except TimeoutError:
                pass

        run_in_virtual_time(run())

    def report(self) -> Report:
        return Report(DaemonState.BUSY if self.jobs else DaemonState.IDLE, tuple(self.jobs))

    @property
    def sent(self) -> list[float]:
        """The times of all heartbeats, from the start."""
        return [time - EPOCH for time in self.api.times("patch")]

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.api.objects[PATH]["status"]
        return status

    def notify(self, *, at_once: bool = False) -> Callable[[], None]:
        return lambda: self.heartbeat.notify(at_once=at_once)

    def outage(self, error: KubeError | None) -> Callable[[], None]:
        def change() -> None:
            self.api.outage = error

        return change
