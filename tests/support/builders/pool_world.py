"""Small simulated cluster in which a Fleet's decisions are carried out late, in any order, or not at all.

It follows the rules on which the product relies: only a daemon that is not cordoned gets a job, a Pod's daemon registers
and reports some time later, a name is used once. A broken promise to users raises an error where it happens.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from provisioner_operator.api.v1alpha1.names import DRAIN_FINALIZER
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView, Round
from provisioner_operator.core.pools.load_sharing import Waiting
from provisioner_operator.core.pools.members import Member, PodEnd, PoolDaemon, PoolPod, Trouble
from provisioner_operator.core.pools.pod_builder import revision
from provisioner_operator.core.pools.records import Pool
from support.builders.core import NAMESPACE, a_demand, at
from support.builders.pool_promises import BrokenPromiseError, require_size
from support.builders.pools import a_pool

IMAGE = "image"


@dataclass(slots=True)
class Job:
    """A job that is pending, or runs on a Pod's daemon."""

    submitted: float
    pod: str | None = None
    started: float = 0.0


class PoolWorld:
    """One pool with its Pods and jobs, and a controller that carries out the Fleet's decisions."""

    def __init__(self, pool: Pool, seed: int) -> None:
        self.time = 0.0
        self.pool: Pool | None = pool
        self.pods: dict[str, Member] = {}
        """By uid."""
        self.jobs: list[Job] = []
        self.under_way: dict[str, PoolDecision] = {}
        self.wakes_in: float | None = None
        self._fleet = Fleet(IMAGE)
        self._chance = Random(seed)
        self._count = 0

    @property
    def now(self) -> Instant:
        return at(self.time)

    @property
    def wanted_revision(self) -> str:
        assert self.pool is not None
        return revision(self.pool, IMAGE)

    # --- the controller ---

    def restart_controller(self) -> None:
        """Restart the controller: requests in flight may still succeed, and the new process does not know them."""
        for key in list(self.under_way):
            if self._chance.random() < 0.5:
                self._carry_out(self.under_way[key])
        self.under_way.clear()
        self._fleet = Fleet(IMAGE)

    def look(self) -> Round:
        """Let the Fleet decide and send its requests, at most one per object at a time."""
        views = [] if self.pool is None else [PoolView(self.pool, tuple(self.pods.values()))]
        waits = [self.time - job.submitted for job in self.jobs if job.pod is None]
        queue = [Waiting(a_demand(), len(waits), max(waits))] if waits else []
        made = self._fleet.decide(views, queue, self.now)
        for decision in made.decisions:
            key = decision.subject
            if key not in self.under_way:
                self.under_way[key] = decision
            elif isinstance(decision, CreatePod):
                raise BrokenPromiseError(f"{decision.name} is requested twice at the same time")
        if any(isinstance(decision, CreatePod) for decision in made.decisions):
            assert self.pool is not None
            requested = sum(isinstance(decision, CreatePod) for decision in self.under_way.values())
            require_size(self.pool, self.wanted_revision, self.pods.values(), requested)
        self.wakes_in = made.requeue_after
        return made

    def settle_one(self) -> None:
        """Answer a random request in flight."""
        if self.under_way:
            self._settle(self._chance.choice(list(self.under_way)), lost=self._chance.random() < 0.2)

    def settle_all(self) -> None:
        """Let all requests in flight succeed."""
        for key in list(self.under_way):
            self._settle(key, lost=False)

    def _settle(self, key: str, *, lost: bool) -> None:
        decision = self.under_way.pop(key)
        if not isinstance(decision, CreatePod):
            if not lost or self._chance.random() < 0.5:
                self._carry_out(decision)
            return
        uid, name = decision.pool.uid, decision.name
        if not lost:
            self._carry_out(decision)
            self._fleet.created(uid, name)
        elif self._chance.random() < 0.3:
            self._fleet.refused(uid, name, Trouble("Forbidden", "quota"), self.now)
        else:
            if self._chance.random() < 0.5:
                self._carry_out(decision)
            self._fleet.unanswered(uid, name)

    def _carry_out(self, decision: PoolDecision) -> None:
        """Carry out the decision if its precondition holds, as the API server does."""
        match decision:
            case CreatePod():
                self._create(decision)
            case CordonDaemon(_, pod, daemon):
                self._set_daemon(pod.uid, daemon, cordoned=True, by_pool=True)
            case UncordonDaemon(_, pod, daemon):
                self._set_daemon(pod.uid, daemon, cordoned=False, by_pool=False)
            case DeletePod(_, pod):
                self._delete(pod)
            case _:
                self._change_pool(decision)

    def _change_pool(self, decision: PoolDecision) -> None:
        if self.pool is None:
            return
        match decision:
            case AddFinalizer(pool) if self.pool.finalizers == pool.finalizers:
                self.pool = replace(self.pool, finalizers=(*pool.finalizers, DRAIN_FINALIZER))
            case RemoveFinalizer():
                if any(job.pod is not None for job in self.jobs):
                    raise BrokenPromiseError("the pool was removed while a job ran")
                self.pool = None
                self._fleet.deleted(decision.pool.uid)
            case UpdatePoolStatus(_, status):
                self.pool = replace(self.pool, status=status)

    def _create(self, decision: CreatePod) -> None:
        if self.pool is None or any(member.pod.name == decision.name for member in self.pods.values()):
            return
        if DRAIN_FINALIZER not in self.pool.finalizers:
            raise BrokenPromiseError("a Pod without a finalizer on its pool")
        self._count += 1
        pod = PoolPod(
            NAMESPACE,
            decision.name,
            f"pod-{self._count}",
            decision.pool.uid,
            revision(decision.pool, IMAGE),
            self.now.wall,
        )
        self.pods[pod.uid] = Member(pod)

    def _set_daemon(self, pod_uid: str, daemon: PoolDaemon, *, cordoned: bool, by_pool: bool) -> None:
        member = self.pods.get(pod_uid)
        if member is None or member.daemon is None or member.daemon.uid != daemon.uid:
            return
        precondition = not member.daemon.cordoned if cordoned else member.daemon.cordoned_by_pool
        if precondition:
            self._daemon(pod_uid, cordoned=cordoned, cordoned_by_pool=by_pool)

    def _delete(self, pod: PoolPod) -> None:
        member = self.pods.get(pod.uid)
        if member is None:
            return
        if any(job.pod == pod.uid for job in self.jobs):
            raise BrokenPromiseError(f"{pod.name} was deleted while its daemon held a job")
        del self.pods[pod.uid]

    def _daemon(self, pod_uid: str, **changes: object) -> None:
        member = self.pods[pod_uid]
        assert member.daemon is not None
        self.pods[pod_uid] = replace(member, daemon=replace(member.daemon, **changes))  # type: ignore[arg-type]

    # --- nodes and daemons ---

    def start_one(self) -> None:
        """Let a random Pod register its daemon, or its daemon send a heartbeat."""
        waiting = [
            uid
            for uid, member in self.pods.items()
            # Registering a daemon is a decision about its Pod, so it must wait for another one in flight.
            if member.is_present and not member.is_ready and (member.daemon is not None or uid not in self.under_way)
        ]
        if not waiting:
            return
        uid = self._chance.choice(waiting)
        member = self.pods[uid]
        if member.daemon is None:
            self.pods[uid] = replace(member, daemon=PoolDaemon(f"daemon-of-{uid}"))
        else:
            self.pods[uid] = replace(member, pod=replace(member.pod, ready_since=self.now.wall))
            self._daemon(uid, online=True)

    def start_all(self, *, made_before: float = float("inf")) -> None:
        """Make all Pods that were created before this time ready."""
        for uid, member in self.pods.items():
            if member.is_present and not member.is_ready and member.pod.created <= at(made_before).wall:
                pod = replace(member.pod, ready_since=self.now.wall)
                daemon = member.daemon or PoolDaemon(f"daemon-of-{uid}")
                self.pods[uid] = Member(pod, replace(daemon, online=True))

    def crash_one(self) -> None:
        """Let a random container die; its jobs end later."""
        if not (alive := [uid for uid, member in self.pods.items() if not member.is_over]):
            return
        uid = self._chance.choice(alive)
        member = self.pods[uid]
        ran = self.now.wall - member.pod.ready_since if member.pod.ready_since is not None else 0.0
        end = PodEnd(
            failed=self._chance.random() < 0.8, finished=self.now.wall, ran=ran, trouble=Trouble("Error", "died")
        )
        self.pods[uid] = replace(member, pod=replace(member.pod, ready_since=None, end=end))

    def delete_one_by_hand(self) -> None:
        """Delete a random Pod as an administrator; it drains, and is gone once it has no job."""
        if self.pods:
            uid = self._chance.choice(list(self.pods))
            self.pods[uid] = replace(self.pods[uid], pod=replace(self.pods[uid].pod, deleting=True))
            self._reap()

    def cordon_one_by_hand(self) -> None:
        """Cordon a random daemon as an administrator, or uncordon it.

        Not while its Pod is being deleted: the Pod's own drain then saves a job that is assigned at that moment.
        """
        daemons = [uid for uid, member in self.pods.items() if member.daemon is not None and uid not in self.under_way]
        if daemons:
            uid = self._chance.choice(daemons)
            self._daemon(uid, cordoned=not self.pods[uid].is_cordoned)

    def stop_heartbeats(self) -> None:
        """Stop the heartbeats of a random daemon, which keeps its runs."""
        ready = [uid for uid, member in self.pods.items() if member.is_ready]
        if ready:
            self._daemon(self._chance.choice(ready), online=False)

    # --- jobs ---

    def submit(self) -> None:
        self.jobs.append(Job(self.time))

    def assign(self) -> None:
        """Assign pending jobs to daemons that are ready, not cordoned and free."""
        for job in self.jobs:
            if job.pod is None:
                free = [uid for uid, member in self.pods.items() if self._takes_jobs(member)]
                if not free:
                    return
                job.pod, job.started = self._chance.choice(free), self.time
                self._count_jobs()

    def _takes_jobs(self, member: Member) -> bool:
        capacity = self.pool.capacity if self.pool is not None else 0
        return member.is_ready and not member.is_cordoned and member.held < capacity

    def finish_one(self) -> None:
        if running := [job for job in self.jobs if job.pod is not None]:
            self._finish(self._chance.choice(running))

    def finish_those_that_ran(self, seconds: float) -> None:
        """Finish all jobs that have run for this many seconds."""
        for job in [job for job in self.jobs if job.pod is not None and self.time - job.started >= seconds]:
            self._finish(job)

    def _finish(self, job: Job) -> None:
        self.jobs.remove(job)
        if self.pool is not None:
            self._fleet.run_ended(self.pool.uid, self.time - job.started)
        self._count_jobs()

    def _count_jobs(self) -> None:
        for uid, member in self.pods.items():
            if member.daemon is not None:
                self._daemon(uid, held=sum(job.pod == uid for job in self.jobs))
        self._reap()

    def _reap(self) -> None:
        self.pods = {uid: member for uid, member in self.pods.items() if not member.pod.deleting or member.held}


def a_world(seed: int = 0, **fields: Any) -> PoolWorld:
    """A new pool, without its finalizer."""
    return PoolWorld(a_pool(finalizers=(), **fields), seed)
