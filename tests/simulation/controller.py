"""Controller in virtual time: it lets the product's reconcilers decide whenever something was observed or is due."""

from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.core.daemons.outage import Outage
from provisioner_operator.core.leadership import recorded_restore
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.kube.parsing import lease_record
from simulation.feed import ControllerFeed
from simulation.network import Network
from simulation.pools import PoolHalf
from simulation.server import EPOCH
from simulation.workspaces import WorkspaceHalf
from simulation.writes import ControllerWrites

if TYPE_CHECKING:
    from simulation.invariants import Invariants
    from simulation.people.policies import Policies

LONGEST_BATCH = 0.05
"""Maximum delay of the loop after an event."""


class Tenure:
    """Sender of the controller's writes; a write in flight has no effect once the controller leads no more."""

    def __init__(self, controller: "SimulatedController") -> None:
        self._controller = controller

    @property
    def connected(self) -> bool:
        return self._controller.connected and self._controller.leads and not self._controller.feed.is_cut

    def heard(self, *, answered: bool) -> None:
        if self._controller.leads:  # otherwise nothing was sent
            self._controller.heard(answered=answered)


class SimulatedController:
    """One process of the controller, from its start to its death."""

    def __init__(
        self,
        network: Network,
        random: Random,
        invariants: "Invariants",
        policies: "Policies",
        *,
        leads: bool = True,
    ) -> None:
        self.connected = True
        self.alive = True
        self._is_calm = network.is_calm
        self._outage = Outage()
        self.leads = leads
        """Whether it decides and writes; a standby only observes."""
        self.tenure = Tenure(self)
        self.workspaces = WorkspaceHalf(self, network, invariants)
        self.mirror = JobReconciler(self.workspaces.mirror.holds, self.workspaces.mirror.ownership_of)
        self.pools = PoolHalf(self, network, invariants)
        self.feed = ControllerFeed(self, network, random)
        self._writes = ControllerWrites(self, network, random, invariants)
        self._schedule = network.schedule
        self._server = network.server
        self._random = random
        self._invariants = invariants
        self._monotonic_offset = random.uniform(0, 1e6)
        self._woken = False
        self._alarm = float("inf")
        self._policies = policies
        policies.tell(self)
        self.feed.prime()

    @property
    def now(self) -> Instant:
        return Instant(EPOCH + self._schedule.now, self._monotonic_offset + self._schedule.now)

    def die(self) -> None:
        self.alive = self.connected = False
        self.feed.close()

    def heard(self, *, answered: bool) -> None:
        """Tell outages by the answers to requests, as the product's observer does."""
        if not self.alive or self._is_calm:
            return
        if not answered:
            self._outage.failed()
        elif (since := self._outage.answered(self.now.monotonic)) is not None:
            self.mirror.contact_regained(since, self.now)
            self.wake()

    def observed(self) -> None:
        """Note a watch event."""
        if not self._is_calm:
            self._outage.observed(self.now.monotonic)

    def lead(self) -> None:
        """Begin to decide and write."""
        self.leads = True
        if self.feed.primed_at is not None:
            self.begin_term()

    def begin_term(self) -> None:
        """Begin to decide with what was observed so far, the first list at least, and with the Lease as it was acquired."""
        restored = lease_record(self._server.lease).restored
        self.mirror.leadership_gained(self.now, restored)
        self.workspaces.mirror.leadership_gained()
        self.pools.mirror.leadership_gained()
        self.wake()

    def record_restore(self) -> None:
        """Record what its watches have shown, before it starts anew."""
        self._server.annotate_lease(recorded_restore(self.now.wall))

    @property
    def is_well(self) -> bool:
        """Whether it can observe and write."""
        return self.connected and self.feed.is_well

    # --- the loop ---

    def wake(self) -> None:
        if not self._woken and self.feed.primed_at is not None:
            self._woken = True
            self._schedule.after(LONGEST_BATCH * self._random.random(), self._decide)

    def _ring(self, at: float) -> None:
        if at == self._alarm:
            self._alarm = float("inf")
            self._decide()

    def _decide(self) -> None:
        self._woken = False
        if not self.alive or not self.leads or self.feed.is_cut:
            return
        for decision in list(self.mirror.decide(self.now)):
            self._invariants.decided(decision, self.feed.known, self.feed.ended)
            self._policies.decided(decision, self)
            self._writes.carry_out(decision)
        self.pools.decide()
        self.workspaces.decide()
        halves = (self.mirror, self.pools.mirror, self.workspaces.mirror)
        wakes = [half.next_wake() for half in halves]
        due = min((wake for wake in wakes if wake is not None), default=None)
        if due is None:
            return
        self._invariants.no_hot_loop(due - self._monotonic_offset)
        at = max(due - self._monotonic_offset, self._schedule.now + 0.001)
        if at < self._alarm or self._alarm <= self._schedule.now:
            self._alarm = at
            self._schedule.after(at - self._schedule.now, self._ring, at)
