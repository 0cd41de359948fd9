"""Feed of the simulated controller: it lists and watches, rereads jobs, and notices by a resync what a watch missed."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.kube.parsing import parse_daemon, parse_job
from provisioner_operator.kube.pod_parsing import parse_daemon_pod
from simulation.ended_jobs import EndedJobs
from simulation.network import RETRY_SECONDS, Event, Network, Result, Watch
from simulation.server import DAEMON, JOB, NAMESPACE, POD, POOL, TEMPLATE, WORKSPACE, GoneError, is_terminal
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController

RESYNC_SECONDS = 60.0
MISSED_DELETIONS = 0.1
KINDS = (POOL, JOB, POD, DAEMON, TEMPLATE, WORKSPACE)
"""Observed kinds, in the order in which the first list is observed."""
NEVER_MISSED = (TEMPLATE, WORKSPACE, POOL)
"""Kinds whose deletions the watch never misses, because no resync sweeps them."""


def concerns_controller(body: Body) -> bool:
    """Field selector of the controller's lists; its watches have none, so that they show a job's end."""
    return body["kind"] != JOB or not is_terminal(body)


def _anything(_: Body) -> bool:
    return True


class ControllerFeed:
    """Observation of the cluster for the product's reconcilers."""

    def __init__(self, controller: "SimulatedController", network: Network, random: Random) -> None:
        self.primed_at: float | None = None
        self.known: dict[str, int] = {}
        """Latest observed version of each job."""
        self.ended: set[str] = set()
        """Jobs that were observed to have ended, while older events of them may still arrive."""
        self.past = EndedJobs(controller, network)
        self._controller = controller
        self._mirror = controller.mirror
        self._workspaces = controller.workspaces
        self._network = network
        self._schedule = network.schedule
        self._random = random
        self._backlog: list[Event] = []
        self._unlisted = set(KINDS)
        """Kinds whose list is under way or to be made; their events wait for it."""
        self._watch: Watch | None = None
        self.is_cut = False
        """Whether its watches broke, and are not resumed: it decides nothing then."""

    @property
    def is_well(self) -> bool:
        """Whether the first list was observed, and events arrive."""
        return self.primed_at is not None and not (self._watch is not None and self._watch.stalled)

    def stall(self, *kinds: str) -> None:
        """Stop delivering events of these kinds, unnoticed by the controller."""
        if self._watch is not None:
            self._watch.stalled = kinds

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()

    def prime(self) -> None:
        """List and watch; try again until that succeeds."""
        if not self._controller.alive:
            return
        listed: list[Body] = []

        def read() -> None:
            if self._network.server.undefined:
                raise GoneError  # a controller exits if a list is answered with 404, and is started again
            listed.extend(body for body in self._network.server.objects.values() if concerns_controller(body))
            self._watch = Watch(self._network, self._controller, KINDS, _anything, self._handle)

        def primed(result: Result, _: Body | None) -> None:
            if not self._controller.alive:
                return
            if result is not Result.DONE:
                if self._watch is not None:
                    self._watch.close()
                    self._watch = None
                self._schedule.after(RETRY_SECONDS, self.prime)
                return
            for body in sorted(listed, key=lambda body: KINDS.index(body["kind"])):
                self.observe(body)
            self.primed_at = self._schedule.now
            self._listed(*KINDS)
            self.past.list()
            self._schedule.after(RESYNC_SECONDS, self._resync)
            if self._controller.leads:
                self._controller.begin_term()

        self._network.send(self._controller, read, primed)

    def _listed(self, *kinds: str) -> None:
        """Handle the events that waited for the lists of these kinds."""
        self._unlisted.difference_update(kinds)
        waiting, self._backlog = self._backlog, []
        for event in waiting:
            self._handle(event)

    def cut(self) -> None:
        """Observe nothing any more, as etcd was restored: the first list or watch would show that, and end the process."""
        self.is_cut = True
        if self._watch is not None:
            for kind in KINDS:
                self._watch.end(kind, loses=True)

    def end_watch(self, kind: str, *, loses: bool) -> None:
        """End the watch of a kind with its definition, and list it anew once it has one again."""
        if self._watch is not None:
            self._watch.end(kind, loses=loses)
            self._schedule.after(RETRY_SECONDS * self._random.random(), self._list_anew, kind, self._watch)

    def _list_anew(self, kind: str, watch: Watch) -> None:
        if not self._controller.alive or watch is not self._watch or self.is_cut:
            return
        known = self._known(kind)
        listed: dict[str, Body] = {}

        def read() -> None:
            found = self._network.server.list_kind(kind)
            listed.update({body["metadata"]["uid"]: body for body in found if concerns_controller(body)})
            watch.resume(kind)
            self._unlisted.add(kind)

        def answered(result: Result, _: Body | None) -> None:
            if not self._controller.alive or watch is not self._watch:
                return
            if result is not Result.DONE or self.primed_at is None:
                self.end_watch(kind, loses=True)
                return
            for body in listed.values():
                self.observe(body)
            for uid in sorted(known - listed.keys()):
                if kind == JOB:
                    self.read_job(uid, lambda: None)
                else:
                    self._gone(kind, uid)
            self._listed(kind)
            if kind == JOB:
                self.past.list()

        self._network.send(self._controller, read, answered)

    def _known(self, kind: str) -> set[str]:
        """Return the objects of a kind that a list would contain, as far as they are known."""
        if kind == JOB:
            return {*self._mirror.uids()[0], *self._workspaces.mirror.unfinished_jobs()}
        if kind == DAEMON:
            return {*self._mirror.uids()[1]}
        return {uid for uid, its_kind in self._workspaces.uids().items() if its_kind == kind}

    def _handle(self, event: Event) -> None:
        old, new = event
        if not self._controller.alive:
            return
        if (new or old or {}).get("kind") in self._unlisted:
            self._backlog.append(event)
        elif new is not None:
            self.observe(new)
        elif old is not None and (old["kind"] in NEVER_MISSED or not self._misses_deletion()):
            self._gone(old["kind"], old["metadata"]["uid"], old)

    def _misses_deletion(self) -> bool:
        return self._random.random() < MISSED_DELETIONS * 10 * self._network.failure_rate

    def observe(self, body: Body) -> None:
        self._controller.observed()
        if body["kind"] in (TEMPLATE, WORKSPACE):
            self._workspaces.observe(body)
        elif body["kind"] == JOB:
            self._workspaces.observe(body)
            job = parse_job(body)
            self._mirror.observe_job(job, self._controller.now)
            self.past.observed(job)
            if job.phase in TERMINAL:
                self.ended.add(job.uid)
            self.known[job.uid] = max(job.resource_version, self.known.get(job.uid, 0))
        elif body["kind"] == POD:
            self._mirror.observe_pod(parse_daemon_pod(body), self._controller.now)
            self._controller.pools.observe(body)
        elif body["kind"] == POOL:
            self._controller.pools.observe(body)
        else:
            self._mirror.observe_daemon(parse_daemon(body), self._controller.now)
        self._controller.wake()

    def _gone(self, kind: str, uid: str, last: Body | None = None) -> None:
        """Observe that an object is gone, from the watch or a resync."""
        self.ended.discard(uid)
        self._workspaces.gone(kind, uid, last)
        self._controller.pools.gone(kind, uid)
        if kind in NEVER_MISSED:
            self._controller.wake()
        elif kind == POD:
            pod = None if last is None else parse_daemon_pod(last, deleted=True)
            self._mirror.pod_deleted(uid, NAMESPACE, pod, self._controller.now)
            self._controller.wake()
        elif kind == DAEMON:
            self._mirror.daemon_deleted(uid, self._controller.now, watched=last is not None)
            self._controller.wake()
        else:
            self.forget_job(uid)
            self._controller.wake()

    def forget_pod(self, uid: str) -> None:
        self._gone(POD, uid)

    def forget_job(self, uid: str) -> None:
        self.past.gone(uid)
        self._mirror.job_deleted(uid, self._controller.now)
        self._workspaces.gone(JOB, uid)

    def read_job(self, uid: str, then: Callable[[], None]) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if not self._controller.alive:
                return
            if result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS, self.read_job, uid, then)
                return
            if body is not None:
                self.observe(body)
            else:
                self.forget_job(uid)
            then()
            self._controller.wake()

        self._network.send(self._controller, lambda: self._network.server.get(uid), answered)

    def _resync(self) -> None:
        """Remove objects whose deletion was missed."""
        if not self._controller.alive or self.is_cut:
            return
        jobs, daemons = self._known(JOB), self._known(DAEMON)
        pods = self._mirror.pod_uids()
        listed: set[str] = set()

        def read() -> None:
            server = self._network.server
            # A list that is answered with 404 shows nothing.
            listed.update(jobs if JOB in server.undefined else (), daemons if DAEMON in server.undefined else ())
            objects = server.objects.items()
            listed.update(uid for uid, body in objects if concerns_controller(body))

        def answered(result: Result, _: Body | None) -> None:
            if not self._controller.alive:
                return
            if result is Result.DONE:
                for uid in sorted(jobs - listed):
                    self.read_job(uid, lambda: None)  # the job ended, or its object is gone
                for uid in sorted(pods.keys() - listed):
                    self._gone(POD, uid)
                for uid in sorted(daemons - listed):
                    self._gone(DAEMON, uid)
                self._mirror.tidy(self._controller.now)
            self._schedule.after(RESYNC_SECONDS, self._resync)

        self._network.send(self._controller, read, answered)
