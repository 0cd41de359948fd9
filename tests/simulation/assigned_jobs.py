"""Jobs of a simulated daemon as it last observed them: listed, watched, and listed anew when the watch ends."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube.parsing import parse_job
from simulation.network import RETRY_SECONDS, Event, Network, Result, Watch
from simulation.server import JOB
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.daemons import SimulatedDaemon


class AssignedJobs:
    """Cache of the jobs that are assigned to one daemon."""

    def __init__(
        self,
        daemon: "SimulatedDaemon",
        network: Network,
        random: Random,
        *,
        on_seen: Callable[[Job], None],
        on_change: Callable[[], None],
        on_restored: Callable[[], None],
    ) -> None:
        """Call `on_seen` with each newer version of a job, and `on_restored` when the known versions mean nothing any more."""
        self._daemon = daemon
        self._network = network
        self._random = random
        self._on_seen = on_seen
        self._on_change = on_change
        self._on_restored = on_restored
        self._jobs: dict[str, Job] = {}
        self._outdated: set[str] = set()
        """Assignments that a backup brought back unacknowledged."""
        self._watch: Watch | None = None

    @property
    def jobs(self) -> Mapping[str, Job]:
        return self._jobs

    @property
    def is_watching(self) -> bool:
        return self._watch is not None

    def start_watching(self) -> None:
        self._watch = Watch(self._network, self._daemon, (JOB,), self._is_mine, self._handle)
        for body in self._network.server.of_kind(JOB):
            if self._is_mine(body):
                self.see(parse_job(body))

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()

    def end_watch(self, *, loses: bool, restored: bool) -> None:
        """End the watch, and list anew as soon as possible; after a restore the known versions mean nothing."""
        if self._watch is not None:
            self._watch.end(JOB, loses=loses)
            pause = RETRY_SECONDS * self._random.random()
            self._network.schedule.after(pause, self._list_anew, self._watch, restored)

    def see(self, job: Job) -> None:
        if job.phase is Phase.PENDING and job.assignment is not None and job.assignment.id in self._outdated:
            self.forget(job.uid)
            return
        known = self._jobs.get(job.uid)
        if known is None or job.resource_version > known.resource_version:
            self._jobs[job.uid] = job
            self._on_seen(job)

    def forget(self, uid: str) -> None:
        self._jobs.pop(uid, None)

    def _is_mine(self, body: Body) -> bool:
        given = body["status"].get("assignment")
        return given is not None and given["daemonUID"] == self._daemon.uid

    def _handle(self, event: Event) -> None:
        old, new = event
        if new is not None:
            self.see(parse_job(new))
        elif old is not None:
            self.forget(old["metadata"]["uid"])
        self._on_change()

    def _list_anew(self, watch: Watch, restored: bool) -> None:  # noqa: FBT001 - see `end_watch`
        listed: dict[str, Body] = {}

        def read() -> None:
            found = self._network.server.list_kind(JOB)
            listed.update({body["metadata"]["uid"]: body for body in found if self._is_mine(body)})
            watch.resume(JOB)

        def answered(result: Result, _: Body | None) -> None:
            if not self._daemon.alive:
                return
            if result is Result.GONE:
                self._jobs.clear()  # without their definition, all are gone
                self._on_change()
            if result is not Result.DONE:
                self.end_watch(loses=True, restored=restored)
                return
            if restored:
                self._jobs = {uid: replace(job, resource_version=0) for uid, job in self._jobs.items()}
                self._on_restored()
                self._outdated = {
                    body["status"]["assignment"]["id"]
                    for body in listed.values()
                    if body["status"]["phase"] == Phase.PENDING
                }
            for body in listed.values():
                self.see(parse_job(body))
            for uid in sorted(self._jobs.keys() - listed.keys()):
                del self._jobs[uid]
            self._on_change()

        self._network.send(self._daemon, read, answered)
