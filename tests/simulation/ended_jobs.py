"""Ended jobs as a simulated controller knows them: listed after its start and for a new policy, and followed by its watch."""

from typing import TYPE_CHECKING

from provisioner_operator.core.jobs.decisions import Expire
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.kube.parsing import parse_job
from simulation.network import RETRY_SECONDS, Network, Result
from simulation.server import JOB, NAMESPACE, is_terminal
from support.builders.histories import plain_dues
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController


class EndedJobs:
    """Observation of ended jobs, for the times to live and for the policy of the namespace."""

    def __init__(self, controller: "SimulatedController", network: Network) -> None:
        self._controller = controller
        self._mirror = controller.mirror
        self._network = network
        self._observed: dict[str, Job] = {}
        self._deleted: set[str] = set()

    def observed(self, job: Job) -> None:
        """Note what the controller observes of a job."""
        known = self._observed.get(job.uid)
        is_news = known is None or known.resource_version < job.resource_version
        if job.phase in TERMINAL and job.uid not in self._deleted and is_news:
            self._observed[job.uid] = job

    def gone(self, uid: str) -> None:
        """Note that the controller observes a deletion."""
        self._observed.pop(uid, None)
        self._deleted.add(uid)

    def may_be_deleted(self, decision: Expire, queue: Queue | None) -> bool:
        """Return whether the plain definition deletes the job, of all those that were observed, under this policy."""
        due = plain_dues(queue, self._observed.values()).get(decision.job.uid)
        return due is not None and due <= self._controller.now.wall

    def list_if_asked(self) -> None:
        """List the ended jobs if a policy is about such as are not known."""
        if self._mirror.wants_ended_jobs:
            self.list()

    def list(self) -> None:
        """List the ended jobs; try again until that succeeds."""
        if not self._controller.alive or self._controller.feed.is_cut:
            return
        self._mirror.wants_ended_jobs = False
        known = sorted(self._mirror.ended_uids())
        listed: dict[str, Body] = {}

        def read() -> None:
            found = self._network.server.list_kind(JOB)
            listed.update({body["metadata"]["uid"]: body for body in found if is_terminal(body)})

        def answered(result: Result, _: Body | None) -> None:
            if not self._controller.alive or self._controller.feed.is_cut:
                return
            if result is not Result.DONE:
                self._network.schedule.after(RETRY_SECONDS, self.list)
                return
            for body in listed.values():
                self._observe_if_needed(body)
            for uid in known:
                if uid not in listed:
                    self._controller.feed.forget_job(uid)
            self._controller.wake()

        self._network.send(self._controller, read, answered)

    def _observe_if_needed(self, body: Body) -> None:
        job = parse_job(body)
        if job.ttl is not None or self._mirror.keeps_history(NAMESPACE) or job.observed_generation != job.generation:
            self._controller.feed.observe(body)
        if self._mirror.needs_ended_jobs(NAMESPACE):
            self.observed(job)
            self._mirror.observe_ended(job)
