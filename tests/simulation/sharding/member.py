"""One controller of the sharding simulation: it holds shards by the product's `Candidacy`, and writes only while it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner_operator.core.leadership import LEASE_SECONDS, Candidacy, Create, Lease, Read, Renew, Step, TakeOver
from simulation.server import EPOCH
from simulation.sharding.shards import SHARDS, preferred

if TYPE_CHECKING:
    from simulation.sharding.world import ShardedWorld

LONGEST_CHECK_INTERVAL = 1.0
"""Longest interval at which a member checks its shards."""
REQUEST_TIMEOUT_SECONDS = 3.0
"""Time after which a request counts as lost."""
NO_ANSWER = object()
"""Result of a request that was lost, or whose answer was."""
CLOCK_TOLERANCE = 0.05
"""Maximum relative error of a member's clock; the Lease's times allow for a third."""


@dataclass(slots=True)
class _Held:
    candidacy: Candidacy
    in_flight: int = 0
    releasing: bool = False
    asked: bool = False
    free_since: float | None = None


class Member:
    """One controller, from its start to its death."""

    def __init__(self, name: str, world: "ShardedWorld", *, eager: bool) -> None:
        self.name = name
        self.alive = True
        self.connected = True
        self.frozen_until = 0.0
        self.shards = {shard: _Held(Candidacy(name)) for shard in range(SHARDS)}
        self._world = world
        self._eager = eager
        self.leaving = False
        self._rate = 1 + world.random.uniform(-CLOCK_TOLERANCE, CLOCK_TOLERANCE)
        self._offset = world.random.uniform(0, 1e6)
        self._heard: dict[str, tuple[str | None, float]] = {}
        world.store.listeners[name] = self._watch
        self._check_shards()
        self._renew_own_lease()

    @property
    def clock(self) -> float:
        return self._offset + self._world.schedule.now * self._rate

    def holds(self, shard: int) -> bool:
        """Return whether it may decide and write for the shard's organizations at this moment."""
        held = self.shards[shard]
        if self._eager:
            return self.alive and preferred(shard, self.view()) == self.name
        return self.alive and not held.releasing and held.candidacy.leads(self.clock)

    def view(self) -> set[str]:
        """Return the members whose Leases have changed recently, by its own clock."""
        now = self.clock
        return {self.name} | {other for other, (_, at) in self._heard.items() if now - at < LEASE_SECONDS}

    def die(self) -> None:
        self.alive = False
        self._world.store.listeners.pop(self.name, None)

    def leave(self) -> None:
        """Stop gracefully: release every shard, then exit."""
        self.leaving = True
        for held in self.shards.values():
            held.releasing = held.releasing or held.candidacy.leads(self.clock)

    # --- the network ---

    def _send(self, call: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        """Send a request to the store; `answer` gets its result, or NO_ANSWER."""
        world, settled = self._world, [False]

        def settle(result: Any) -> None:
            if not settled[0]:
                settled[0] = True
                self._awake(lambda: answer(result))

        def arrive() -> None:
            if not self.connected or not self.alive:
                return
            result = call()
            if world.random.random() > world.failure_rate:
                world.schedule.after(world.delay(), lambda: settle(result) if self.connected else None)

        if world.random.random() > world.failure_rate:
            world.schedule.after(world.delay(), arrive)
        world.schedule.after(REQUEST_TIMEOUT_SECONDS, settle, NO_ANSWER)

    def _awake(self, action: Callable[[], None]) -> None:
        """Run the action now, or as soon as the process is no longer frozen."""
        if not self.alive:
            return
        if self._world.schedule.now < self.frozen_until:
            self._world.schedule.after(self.frozen_until - self._world.schedule.now, self._awake, action)
        else:
            action()

    def _watch(self, name: str, lease: Lease) -> None:
        if self.connected:
            self._world.schedule.after(self._world.delay(), self._awake, lambda: self._saw(name, lease))

    def _saw(self, name: str, lease: Lease) -> None:
        if name.startswith("shard-"):
            self.shards[int(name[6:])].candidacy.saw(lease, self.clock)
        elif name != self.name and self._heard.get(name, (None, 0.0))[0] != lease.renewed:
            self._heard[name] = (lease.renewed, self.clock)

    # --- its own Lease, and the shards ---

    def _renew_own_lease(self) -> None:
        """Renew its own Lease, by which other members recognize that it runs."""
        store, wall = self._world.store, EPOCH + self._world.schedule.now
        content = Candidacy(self.name).content(wall)

        def beat() -> None:
            store.leases.pop(self.name, None)
            store.create(self.name, dict(content))

        self._send(beat, lambda *_: None)
        self._world.schedule.after(5.0 / self._rate, self._awake, self._renew_own_lease)

    def _check_shards(self) -> None:
        view = self.view()
        if self.leaving and not any(held.releasing or held.asked for held in self.shards.values()):
            self.die()
            return
        for shard, held in self.shards.items():
            self._look(shard, held, mine=preferred(shard, view) == self.name and not self.leaving)
            if self.holds(shard):
                self._work(shard, held)
        self._world.schedule.after(
            LONGEST_CHECK_INTERVAL * self._world.random.uniform(0.3, 1), self._awake, self._check_shards
        )

    def _look(self, shard: int, held: _Held, *, mine: bool) -> None:
        candidacy, now = held.candidacy, self.clock
        if held.asked:
            return
        if candidacy.leads(now) and not mine:
            held.releasing = True
        if held.releasing:
            self._release(shard, held)
            return
        step = candidacy.next_step(now)
        if isinstance(step, TakeOver | Create):
            held.free_since = now if held.free_since is None else held.free_since
            if self.leaving or (not mine and now - held.free_since < LEASE_SECONDS):
                return  # the preferred holder has priority
        else:
            held.free_since = None
        self._take(shard, held, step)

    def _release(self, shard: int, held: _Held) -> None:
        """Stop deciding, wait for the writes in flight, and release the Lease, like a controller that stops gracefully."""
        if held.in_flight:
            return
        patch = held.candidacy.releasing(EPOCH + self._world.schedule.now)
        if held.candidacy.resign():
            self._ask(shard, held, lambda: self._world.store.patch(f"shard-{shard}", patch))
        held.releasing = False

    def _take(self, shard: int, held: _Held, step: Step) -> None:
        store, wall, candidacy = self._world.store, EPOCH + self._world.schedule.now, held.candidacy
        name = f"shard-{shard}"
        match step:
            case Read():
                self._ask(shard, held, lambda: store.lease(name), read=True)
            case Create():
                content = dict(candidacy.content(wall))
                self._ask(shard, held, lambda: store.create(name, content))
            case TakeOver(lease):
                patch = candidacy.taking_over(lease, wall)
                self._ask(shard, held, lambda: store.patch(name, patch))
            case Renew():
                patch = candidacy.renewing(wall)
                self._ask(shard, held, lambda: store.patch(name, patch))
            case _:
                pass

    def _ask(self, shard: int, held: _Held, call: Callable[[], Lease | None], *, read: bool = False) -> None:
        sent, held.asked = self.clock, True

        def answered(lease: Any) -> None:
            held.asked = False
            if lease is NO_ANSWER:
                held.candidacy.failed(self.clock)
            elif read:
                if lease is None:
                    held.candidacy.saw_none()
                else:
                    held.candidacy.saw(lease, self.clock)
            elif lease is None:
                held.candidacy.refused(self.clock)
            elif lease.holder == self.name:
                held.candidacy.renewed(lease, sent=sent, now=self.clock)
            else:
                held.candidacy.saw(lease, self.clock)
            self._world.check(shard)

        self._send(call, answered)

    def _work(self, shard: int, held: _Held) -> None:
        """Send one write per item of the shard, as long as the shard is held."""
        for item in self._world.waiting[shard]:
            if self._world.random.random() < 0.5 or not self.holds(shard):
                continue
            held.in_flight += 1

            def answered(_result: object) -> None:
                held.in_flight -= 1

            self._send(lambda item=item: self._world.done(item, self.name), answered)  # type: ignore[misc]
