"""Administrators of the queue: they set, change and remove the policy of the namespace at any moment.

Every controller observes each change a little later, as its watch reports it; its other connections do not matter for that.
"""

from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, GroupField
from provisioner_operator.core.jobs.decisions import Assign, Expire
from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Grouping, Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.kube.parsing import parse_job
from simulation.server import EPOCH, JOB, NAMESPACE, is_terminal
from support.builders.histories import plain_dues

if TYPE_CHECKING:
    from simulation.controller import SimulatedController
    from simulation.world import World

PEOPLE = ("ann", "bob", None)
TEMPLATES = ("gpu", "small", "small", None)
LONGEST_NEWS_SECONDS = 2.0
LONGEST_DELETION_SECONDS = 60.0
"""Time in which a quiet cluster deletes a job that is due, held jobs apart."""


class Policies:
    """The policy in effect, with a random schedule of its changes."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self._number = 0
        self.queue: Queue | None = None
        if world.plan.calm:
            return
        if random.random() < 0.5:
            self._change()
        for _ in range(random.choice([0, 0, 1, 3])):
            world.schedule.after(random.uniform(0, world.plan.seconds), self._change)

    def put(self, policy: QueuePolicy | None) -> None:
        """Set a policy, or remove it, and let all controllers observe that at once."""
        self._replace(policy)
        for controller in self._world.controllers():
            self._report(controller)

    def leave(self) -> None:
        """Leave a policy under which every job may start at some time, or none."""
        if self._world.plan.calm:
            return
        self._set(self._policy(fewest=1) if self._random.random() < 0.5 else None)

    def tell(self, controller: "SimulatedController") -> None:
        """Let a controller that starts list the policy, before it lists jobs."""
        if self.queue is not None:
            controller.mirror.observe_queue(self.queue, controller.now)

    def limit(self, job: Job) -> bool:
        """Return whether a limit concerns the job, reached or not."""
        return self.queue is not None and any(limit.concerns(job) for limit in self.queue.policy.limits)

    def holds(self, job: Job, jobs: list[Job]) -> bool:
        """Return whether a limit holds up the job, given all unfinished jobs."""
        used = [each for each in jobs if each.assignment is not None and each.uid != job.uid]
        policy = QueuePolicy() if self.queue is None else self.queue.policy
        return any(
            limit.concerns(job)
            and sum(limit.concerns(each) and limit.key_of(each) == limit.key_of(job) for each in used) >= limit.most
            for limit in policy.limits
        )

    def decided(self, decision: Decision, controller: "SimulatedController") -> None:
        """Check that no controller exceeds a limit that it knows by an assignment, or deletes a job that it has to keep."""
        if isinstance(decision, Expire):
            in_force = next(controller.mirror.queues(), None)
            if not controller.feed.past.may_be_deleted(decision, in_force):
                self._world.invariants.violated(f"{decision.job.name} is deleted although it is to be kept")
        if not isinstance(decision, Assign):
            return
        queue = controller.mirror.policy_queues.of(NAMESPACE)
        if queue is None:  # there is no policy, and nobody waits
            return
        for key in queue.policy.limits_of(decision.job):
            if len(queue.slots.under(key)) > queue.policy.most(key):
                self._world.invariants.violated(f"{decision.job.name} exceeds the limit {key}")

    def check_end_state(self) -> None:
        """Check, once nothing happens any more, that the jobs are deleted which are not to be kept."""
        controller, now = self._world.controller, EPOCH + self._world.schedule.now
        jobs = [parse_job(body) for body in self._world.server.of_kind(JOB) if is_terminal(body)]
        for uid, due in plain_dues(self.queue, jobs).items():
            is_held = controller is None or controller.workspaces.mirror.holds(uid)
            if due + LONGEST_DELETION_SECONDS < now and not is_held:
                self._world.invariants.violated(f"{uid} is never deleted")

    def _change(self) -> None:
        self._set(self._policy() if self._random.random() < 0.8 else None)

    def _set(self, policy: QueuePolicy | None) -> None:
        self._replace(policy, self._history())
        for controller in self._world.controllers():
            self._world.schedule.after(self._random.uniform(0, LONGEST_NEWS_SECONDS), self._report, controller)

    def _replace(self, policy: QueuePolicy | None, history: HistoryLimits | None = None) -> None:
        self.queue = None
        self._number += 1
        if policy is not None:
            number = self._number
            self.queue = Queue(NAMESPACE, "default", f"queue-{number}", number, number, policy, history=history)

    def _report(self, controller: "SimulatedController") -> None:
        if not controller.alive:
            return
        # A watch reports all changes until now in their order: no older policy is left beside the one in effect.
        for known in [*controller.mirror.queues()]:
            if self.queue is None or known.uid != self.queue.uid:
                controller.mirror.queue_deleted(known.uid, controller.now)
        if self.queue is not None:
            controller.mirror.observe_queue(self.queue, controller.now)
        controller.feed.past.list_if_asked()
        controller.wake()

    def _history(self) -> HistoryLimits | None:
        choice = self._random.choice
        limits = HistoryLimits(choice([None, 0, 1, 5]), choice([None, 0, 2]), choice([None, None, 1, 3]))
        return choice([None, limits])

    def _policy(self, *, fewest: int = 0) -> QueuePolicy:
        choice, randint = self._random.choice, self._random.randint
        grouping = Grouping(choice([GroupField.INITIATOR, GroupField.TEMPLATE]))
        limits = [
            Limit("all", randint(fewest, 3)),
            Limit("each", randint(max(fewest, 1), 2), per=Grouping(GroupField.INITIATOR)),
            Limit("gpu", randint(fewest, 2), template="gpu"),
        ]
        return QueuePolicy(
            fairness=choice([None, Fairness(grouping, 60, (("ann", randint(1, 4)),))]),
            limits=tuple(limit for limit in limits if self._random.random() < 0.4),
            background=choice([frozenset(), frozenset({BackgroundWork.TEMPLATE_IMPORT})]),
        )
