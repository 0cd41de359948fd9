"""Writes of the simulated controller: it carries out decisions about jobs and daemons over the network."""

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    HoldDaemon,
    MarkOffline,
    RegisterDaemon,
    ReleaseDaemon,
    RemoveDaemon,
    ReshapeDaemon,
)
from provisioner_operator.core.jobs.decisions import CheckJob, Expire
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus
from provisioner_operator.kube.parsing import parse_daemon
from simulation.exchange import Exchange
from simulation.network import RETRY_SECONDS, Call, Network, Result
from simulation.server import POD
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController
    from simulation.invariants import Invariants


DaemonOfPod = RegisterDaemon | ReshapeDaemon | RemoveDaemon


class ControllerWrites:
    """Execution of the decisions about jobs and daemons; what is read for one is observed by the feed."""

    def __init__(
        self, controller: "SimulatedController", network: Network, random: Random, invariants: "Invariants"
    ) -> None:
        self._controller = controller
        self._mirror = controller.mirror
        self._feed = controller.feed
        self._network = network
        self._random = random
        self._exchange = Exchange(controller, network, invariants, self._mirror)

    def carry_out(self, decision: JobReconcilerDecision) -> None:
        server = self._network.server
        match decision:
            case CheckJob(job):
                self._feed.read_job(job.uid, lambda: self._exchange.settle(decision))
            case CheckDaemon(daemon):
                self._exchange.read(
                    decision, lambda: server.get(daemon.uid), lambda body: self._checked(daemon.uid, body)
                )
            case RegisterDaemon():
                self._shape(decision, lambda: server.register(decision.body()))
            case ReshapeDaemon(_, daemon):
                self._shape(decision, lambda: server.patch_spec(daemon.uid, decision.patch().operations()))
            case RemoveDaemon():
                self._remove(decision)
            case HoldDaemon(daemon) | ReleaseDaemon(daemon):
                self._write(decision, lambda: server.patch(daemon.uid, decision.patch().operations()))
            case UpdateQueueStatus(queue, status):
                # The simulation has no object for it: as if the write were answered at once.
                self._mirror.accepted(decision)
                written = replace(queue, resource_version=queue.resource_version + 1, status=status)
                self._mirror.observe_queue(written, self._controller.now)
                self._exchange.settle(decision)
            case Expire(job):
                self._write(decision, lambda: server.delete(job.uid))
            case _:
                operations = decision.patch(self._controller.now.wall).operations()
                writer = type(decision).__name__
                self._write(decision, lambda: server.patch_status(decision.subject, operations, writer))

    def _shape(self, decision: DaemonOfPod, call: Call) -> None:
        """Create, change or delete the daemon of a Pod."""
        self._exchange.write(decision, call, lambda *got: self._shaped(decision, *got))

    def _write(self, decision: JobReconcilerDecision, call: Call) -> None:
        """Change or delete a job, or change a daemon's status or finalizers."""
        self._exchange.write(decision, call, lambda *got: self._written(decision, *got), self._short_pause)

    def _remove(self, decision: RemoveDaemon) -> None:
        """Remove the daemon of a former Pod, if a read shows that the other Pod of its name exists."""
        server, pod = self._network.server, decision.pod

        def read() -> Body | None:
            return next((body for body in server.of_kind(POD) if body["metadata"]["name"] == pod.name), None)

        def found(_: Result, body: Body | None) -> None:
            if body is not None and body["metadata"]["uid"] == pod.uid:
                self._shape(decision, lambda: server.delete(decision.daemon.uid))
                return
            self._feed.forget_pod(pod.uid)
            if body is not None:
                self._feed.observe(body)
            self._exchange.settle(decision)

        self._exchange.ask(decision, read, found)

    def _shaped(self, decision: DaemonOfPod, result: Result, body: Body | None) -> None:
        if result is Result.DONE:
            self._mirror.accepted(decision)
        if body is not None:
            self._feed.observe(body)
        elif not isinstance(decision, RegisterDaemon):
            self._mirror.daemon_deleted(decision.daemon.uid, self._controller.now)
        else:  # the name belongs to an object that the watch will show
            self._network.schedule.after(RETRY_SECONDS, self._exchange.settle, decision)
            return
        self._exchange.settle(decision)

    def _checked(self, uid: str, body: Body | None) -> None:
        if body is not None:
            self._mirror.observe_daemon(parse_daemon(body), self._controller.now, fresh=True)
        else:
            self._mirror.daemon_deleted(uid, self._controller.now)

    def _written(self, decision: JobReconcilerDecision, result: Result, body: Body | None) -> None:
        if result is Result.DONE:
            self._mirror.accepted(decision)
        match result:
            case Result.REFUSED if isinstance(decision, MarkOffline | HoldDaemon | ReleaseDaemon):
                assert isinstance(decision.daemon, Daemon)  # each can be parsed
                self.carry_out(CheckDaemon(decision.daemon))
                return
            case Result.REFUSED:
                self._feed.read_job(decision.subject, lambda: self._exchange.settle(decision))
                return
            case Result.DONE if body is not None:
                self._feed.observe(body)
                if isinstance(decision, ReleaseDaemon) and not body["metadata"].get("finalizers"):
                    self._mirror.daemon_deleted(decision.subject, self._controller.now)
            case _ if isinstance(decision, MarkOffline | HoldDaemon | ReleaseDaemon):
                self._mirror.daemon_deleted(decision.subject, self._controller.now)
            case _:
                self._feed.forget_job(decision.subject)
        self._exchange.settle(decision)

    def _short_pause(self) -> float:
        return RETRY_SECONDS * self._random.random()
