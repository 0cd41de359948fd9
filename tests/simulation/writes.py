"""Writes of the simulated controller: it carries out decisions about jobs and daemons over the network."""

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
from provisioner_operator.kube.parsing import parse_daemon
from simulation.network import DENIAL, RETRY_SECONDS, Answer, Call, Network, Result
from simulation.server import POD
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController
    from simulation.invariants import Invariants


class ControllerWrites:
    """Execution of the decisions about jobs and daemons; what is read for one is observed by the feed."""

    def __init__(
        self, controller: "SimulatedController", network: Network, random: Random, invariants: "Invariants"
    ) -> None:
        self._controller = controller
        self._mirror = controller.mirror
        self._feed = controller.feed
        self._network = network
        self._schedule = network.schedule
        self._random = random
        self._invariants = invariants

    def carry_out(self, decision: JobReconcilerDecision) -> None:
        server = self._network.server
        match decision:
            case CheckJob(job):
                self._feed.read_job(job.uid, lambda: self._settle(decision))
            case CheckDaemon(daemon):
                self._network.send(
                    self._controller, lambda: server.get(daemon.uid), lambda *got: self._checked(decision, *got)
                )
            case RegisterDaemon():
                self._write(
                    decision, lambda: server.register(decision.body()), lambda *got: self._shaped(decision, *got)
                )
            case ReshapeDaemon(_, daemon):
                self._write(
                    decision,
                    lambda: server.patch_spec(daemon.uid, decision.patch().operations()),
                    lambda *got: self._shaped(decision, *got),
                )
            case RemoveDaemon():
                self._remove(decision)
            case HoldDaemon(daemon) | ReleaseDaemon(daemon):
                self._write(
                    decision,
                    lambda: server.patch(daemon.uid, decision.patch().operations()),
                    lambda *got: self._written(decision, *got),
                )
            case Expire(job):
                self._write(decision, lambda: server.delete(job.uid), lambda *got: self._written(decision, *got))
            case _:
                operations = decision.patch(self._controller.now.wall).operations()
                writer = type(decision).__name__
                self._write(
                    decision,
                    lambda: server.patch_status(decision.subject, operations, writer),
                    lambda *got: self._written(decision, *got),
                )

    def _write(self, decision: JobReconcilerDecision, call: Call, answer: Answer) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if result is Result.DENIED and self._controller.alive:
                self._invariants.denied(decision)
                self._mirror.refused(decision, DENIAL, self._controller.now)
                self._settle(decision)
                return
            if result is Result.DONE and self._controller.alive:
                self._mirror.accepted(decision)
            answer(result, body)

        self._network.send(self._controller.tenure, self._network.unless_denied(decision, call), answered)

    def _remove(self, decision: RemoveDaemon) -> None:
        """Remove the daemon of a former Pod, if a read shows that the other Pod of its name exists."""
        server, pod = self._network.server, decision.pod

        def read() -> Body | None:
            return next((body for body in server.of_kind(POD) if body["metadata"]["name"] == pod.name), None)

        def answered(result: Result, body: Body | None) -> None:
            if not self._controller.alive:
                return
            if result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS, self._settle, decision)
                return
            if body is not None and body["metadata"]["uid"] == pod.uid:
                remove = lambda: server.delete(decision.daemon.uid)  # noqa: E731 - a request
                self._write(decision, remove, lambda *got: self._shaped(decision, *got))
                return
            self._feed.forget_pod(pod.uid)
            if body is not None:
                self._feed.observe(body)
            self._settle(decision)

        self._network.send(self._controller, read, answered)

    def _shaped(
        self, decision: RegisterDaemon | ReshapeDaemon | RemoveDaemon, result: Result, body: Body | None
    ) -> None:
        if not self._controller.alive:
            return
        if result is Result.UNREACHABLE:
            self._schedule.after(RETRY_SECONDS, self._settle, decision)
            return
        if body is not None:
            self._feed.observe(body)
        elif not isinstance(decision, RegisterDaemon):
            self._mirror.daemon_deleted(decision.daemon.uid, self._controller.now)
        else:  # the name belongs to an object that the watch will show
            self._schedule.after(RETRY_SECONDS, self._settle, decision)
            return
        self._settle(decision)

    def _checked(self, decision: CheckDaemon, result: Result, body: Body | None) -> None:
        if not self._controller.alive:
            return
        if result is Result.UNREACHABLE:
            self._schedule.after(RETRY_SECONDS, self._settle, decision)
            return
        if body is not None:
            self._mirror.observe_daemon(parse_daemon(body), self._controller.now, fresh=True)
        else:
            self._mirror.daemon_deleted(decision.daemon.uid, self._controller.now)
        self._settle(decision)

    def _written(self, decision: JobReconcilerDecision, result: Result, body: Body | None) -> None:
        if not self._controller.alive:
            return
        match result:
            case Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._settle, decision)
                return
            case Result.REFUSED if isinstance(decision, MarkOffline | HoldDaemon | ReleaseDaemon):
                assert isinstance(decision.daemon, Daemon)  # each can be parsed
                self.carry_out(CheckDaemon(decision.daemon))
                return
            case Result.REFUSED:
                self._feed.read_job(decision.subject, lambda: self._settle(decision))
                return
            case Result.DONE if body is not None:
                self._feed.observe(body)
                if isinstance(decision, ReleaseDaemon) and not body["metadata"]["finalizers"]:
                    self._mirror.daemon_deleted(decision.subject, self._controller.now)
            case _ if isinstance(decision, MarkOffline | HoldDaemon | ReleaseDaemon):
                self._mirror.daemon_deleted(decision.subject, self._controller.now)
            case _:
                self._feed.forget_job(decision.subject)
        self._settle(decision)

    def _settle(self, decision: JobReconcilerDecision) -> None:
        if self._controller.alive:
            self._mirror.settled(decision, self._controller.now)
            self._controller.wake()
