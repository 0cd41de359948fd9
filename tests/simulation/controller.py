"""Controller in virtual time: it primes and feeds the product's reconciler, and carries out its decisions over the network."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    MarkOffline,
    RegisterDaemon,
    RemoveDaemon,
    ReshapeDaemon,
)
from provisioner_operator.core.jobs.decisions import CheckJob, Expire
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.kube.parsing import parse_daemon, parse_job
from provisioner_operator.kube.pod_parsing import parse_daemon_pod
from simulation.network import DENIAL, RETRY_SECONDS, Answer, Call, Event, Network, Result, Watch
from simulation.server import DAEMON, EPOCH, JOB, NAMESPACE, POD, TEMPLATE, WORKSPACE, Body, is_terminal
from simulation.workspaces import WorkspaceHalf

if TYPE_CHECKING:
    from simulation.invariants import Invariants

RESYNC_SECONDS = 60.0
LONGEST_BATCH = 0.05
"""Maximum delay of the loop after an event."""
MISSED_DELETIONS = 0.1
NEVER_MISSED = (TEMPLATE, WORKSPACE)
"""Kinds whose deletions the watch never misses, because no resync sweeps them."""


def concerns_controller(body: Body) -> bool:
    """Field selector of the controller's lists; its watches have none, so that they show a job's end."""
    return body["kind"] != JOB or not is_terminal(body)


def _anything(_: Body) -> bool:
    return True


class Tenure:
    """Sender of the controller's writes; a write in flight has no effect once the controller leads no more."""

    def __init__(self, controller: "SimulatedController") -> None:
        self._controller = controller

    @property
    def connected(self) -> bool:
        return self._controller.connected and self._controller.leads


class SimulatedController:
    """One process of the controller, from its start to its death."""

    def __init__(self, network: Network, random: Random, invariants: "Invariants", *, leads: bool = True) -> None:
        self.connected = True
        self.alive = True
        self.leads = leads
        """Whether it decides and writes; a standby only observes."""
        self.tenure = Tenure(self)
        self.primed_at: float | None = None
        self.workspaces = WorkspaceHalf(self, network, invariants)
        self.mirror = JobReconciler(self.workspaces.mirror.holds)
        self.known: dict[str, int] = {}
        """Latest observed version of each job."""
        self.ended: set[str] = set()
        """Jobs that were observed to have ended, while older events of them may still arrive."""
        self._network = network
        self._schedule = network.schedule
        self._random = random
        self._invariants = invariants
        self._monotonic_offset = random.uniform(0, 1e6)
        self._backlog: list[Event] = []
        self._watch: Watch | None = None
        self._woken = False
        self._alarm = float("inf")
        self._prime()

    @property
    def now(self) -> Instant:
        return Instant(EPOCH + self._schedule.now, self._monotonic_offset + self._schedule.now)

    def die(self) -> None:
        self.alive = self.connected = False
        if self._watch is not None:
            self._watch.close()

    def regain_contact(self) -> None:
        """Note that the API server can be reached again."""
        self.mirror.contact_regained(self.now)
        self.wake()

    def lead(self) -> None:
        """Begin to decide and write."""
        self.leads = True
        self.wake()

    @property
    def is_well(self) -> bool:
        """Whether it can observe and write."""
        return self.connected and self.primed_at is not None and not (self._watch is not None and self._watch.stalled)

    def stall(self, *kinds: str) -> None:
        """Stop delivering events of these kinds, unnoticed by the controller."""
        if self._watch is not None:
            self._watch.stalled = kinds

    # --- events ---

    def _prime(self) -> None:
        if not self.alive:
            return
        listed: list[Body] = []

        def read() -> None:
            listed.extend(body for body in self._network.server.objects.values() if concerns_controller(body))
            self._watch = Watch(self._network, self, (JOB, DAEMON, POD, TEMPLATE, WORKSPACE), _anything, self._handle)

        def primed(result: Result, _: Body | None) -> None:
            if not self.alive:
                return
            if result is not Result.DONE:
                if self._watch is not None:
                    self._watch.close()
                    self._watch = None
                self._schedule.after(RETRY_SECONDS, self._prime)
                return
            for body in sorted(listed, key=lambda body: (JOB, POD, DAEMON, TEMPLATE, WORKSPACE).index(body["kind"])):
                self.observe(body)
            self.primed_at = self._schedule.now
            for event in self._backlog:
                self._handle(event)
            self._schedule.after(RESYNC_SECONDS, self._resync)
            self.wake()

        self._network.send(self, read, primed)

    def _handle(self, event: Event) -> None:
        old, new = event
        if not self.alive:
            return
        if self.primed_at is None:
            self._backlog.append(event)
        elif new is not None:
            self.observe(new)
            if not concerns_controller(new):
                self.mirror.job_left(new["metadata"]["uid"])
        elif old is not None and (old["kind"] in NEVER_MISSED or not self._misses_deletion()):
            self._gone(old["kind"], old["metadata"]["uid"], old)

    def _misses_deletion(self) -> bool:
        return self._random.random() < MISSED_DELETIONS * 10 * self._network.failure_rate

    def observe(self, body: Body) -> None:
        if body["kind"] in (TEMPLATE, WORKSPACE):
            self.workspaces.observe(body)
        elif body["kind"] == JOB:
            self.workspaces.observe(body)
            job = parse_job(body)
            self.mirror.observe_job(job, self.now)
            if job.phase in TERMINAL:
                self.ended.add(job.uid)
            self.known[job.uid] = max(job.resource_version, self.known.get(job.uid, 0))
        elif body["kind"] == POD:
            self.mirror.observe_pod(parse_daemon_pod(body), self.now)
        else:
            self.mirror.observe_daemon(parse_daemon(body), self.now)
        self.wake()

    def _gone(self, kind: str, uid: str, last: Body | None = None) -> None:
        """Observe that an object is gone, from the watch or a resync."""
        self.ended.discard(uid)
        self.workspaces.gone(kind, uid)
        if kind in (TEMPLATE, WORKSPACE):
            self.wake()
        elif kind == POD:
            pod = None if last is None else parse_daemon_pod(last, deleted=True)
            self.mirror.pod_deleted(uid, NAMESPACE, pod, self.now)
            self.wake()
        elif kind == DAEMON:
            self.mirror.daemon_deleted(uid, self.now)
            self.wake()
        else:
            self._forget_job(uid)
            self.wake()

    def _forget_job(self, uid: str) -> None:
        self.mirror.job_deleted(uid, self.now)
        self.workspaces.gone(JOB, uid)

    def read_job(self, uid: str, then: Callable[[], None]) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if not self.alive:
                return
            if result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS, self.read_job, uid, then)
                return
            if body is not None:
                self.observe(body)
            else:
                self._forget_job(uid)
            then()
            self.wake()

        self._network.send(self, lambda: self._network.server.get(uid), answered)

    def _resync(self) -> None:
        """Remove objects whose deletion was missed."""
        if not self.alive:
            return
        jobs, daemons = self.mirror.uids()
        jobs |= self.workspaces.mirror.unfinished_jobs().keys()
        pods = self.mirror.pod_uids()
        listed: set[str] = set()

        def read() -> None:
            objects = self._network.server.objects.items()
            listed.update(uid for uid, body in objects if concerns_controller(body))

        def answered(result: Result, _: Body | None) -> None:
            if not self.alive:
                return
            if result is Result.DONE:
                for uid in sorted(jobs - listed):
                    self.read_job(uid, lambda: None)  # the job ended, or its object is gone
                for uid in sorted(pods.keys() - listed):
                    self._gone(POD, uid)
                for uid in sorted(daemons - listed):
                    self._gone(DAEMON, uid)
                self.mirror.tidy(self.now)
            self._schedule.after(RESYNC_SECONDS, self._resync)

        self._network.send(self, read, answered)

    # --- the loop ---

    def wake(self) -> None:
        if not self._woken and self.primed_at is not None:
            self._woken = True
            self._schedule.after(LONGEST_BATCH * self._random.random(), self._decide)

    def _ring(self, at: float) -> None:
        if at == self._alarm:
            self._alarm = float("inf")
            self._decide()

    def _decide(self) -> None:
        self._woken = False
        if not self.alive or not self.leads:
            return
        for decision in list(self.mirror.decide(self.now)):
            self._invariants.decided(decision, self.known, self.ended)
            self._carry_out(decision)
        self.workspaces.decide()
        wakes = (self.mirror.next_wake(), self.workspaces.mirror.next_wake())
        due = min((wake for wake in wakes if wake is not None), default=None)
        if due is None:
            return
        self._invariants.no_hot_loop(due - self._monotonic_offset)
        at = max(due - self._monotonic_offset, self._schedule.now + 0.001)
        if at < self._alarm or self._alarm <= self._schedule.now:
            self._alarm = at
            self._schedule.after(at - self._schedule.now, self._ring, at)

    def _carry_out(self, decision: JobReconcilerDecision) -> None:
        server = self._network.server
        match decision:
            case CheckJob(job):
                self.read_job(job.uid, lambda: self._settle(decision))
            case CheckDaemon(daemon):
                self._network.send(self, lambda: server.get(daemon.uid), lambda *got: self._checked(decision, *got))
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
            case RemoveDaemon(_, daemon):
                self._write(decision, lambda: server.delete(daemon.uid), lambda *got: self._shaped(decision, *got))
            case Expire(job):
                self._write(decision, lambda: server.delete(job.uid), lambda *got: self._written(decision, *got))
            case _:
                operations = decision.patch(self.now.wall).operations()
                writer = type(decision).__name__
                self._write(
                    decision,
                    lambda: server.patch_status(decision.subject, operations, writer),
                    lambda *got: self._written(decision, *got),
                )

    def _write(self, decision: JobReconcilerDecision, call: Call, answer: Answer) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if result is Result.DENIED and self.alive:
                self._invariants.denied(decision)
                self.mirror.refused(decision, DENIAL, self.now)
                self._settle(decision)
                return
            if result is Result.DONE and self.alive:
                self.mirror.accepted(decision)
            answer(result, body)

        self._network.send(self.tenure, self._network.unless_denied(decision, call), answered)

    def _shaped(
        self, decision: RegisterDaemon | ReshapeDaemon | RemoveDaemon, result: Result, body: Body | None
    ) -> None:
        if not self.alive:
            return
        if result is Result.UNREACHABLE:
            self._schedule.after(RETRY_SECONDS, self._settle, decision)
            return
        if body is not None:
            self.observe(body)
        elif not isinstance(decision, RegisterDaemon):
            self.mirror.daemon_deleted(decision.daemon.uid, self.now)
        else:  # the name belongs to an object that the watch will show
            self._schedule.after(RETRY_SECONDS, self._settle, decision)
            return
        self._settle(decision)

    def _checked(self, decision: CheckDaemon, result: Result, body: Body | None) -> None:
        if not self.alive:
            return
        if result is Result.UNREACHABLE:
            self._schedule.after(RETRY_SECONDS, self._settle, decision)
            return
        if body is not None:
            self.mirror.observe_daemon(parse_daemon(body), self.now, fresh=True)
        else:
            self.mirror.daemon_deleted(decision.daemon.uid, self.now)
        self._settle(decision)

    def _written(self, decision: JobReconcilerDecision, result: Result, body: Body | None) -> None:
        if not self.alive:
            return
        match result:
            case Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._settle, decision)
                return
            case Result.REFUSED if isinstance(decision, MarkOffline):
                self._carry_out(CheckDaemon(decision.daemon))
                return
            case Result.REFUSED:
                self.read_job(decision.subject, lambda: self._settle(decision))
                return
            case Result.DONE if body is not None:
                self.observe(body)
            case _ if isinstance(decision, MarkOffline):
                self.mirror.daemon_deleted(decision.subject, self.now)
            case _:
                self._forget_job(decision.subject)
        self._settle(decision)

    def _settle(self, decision: JobReconcilerDecision) -> None:
        if self.alive:
            self.mirror.settled(decision, self.now)
            self.wake()
