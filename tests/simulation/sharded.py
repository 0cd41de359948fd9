"""Several controllers that share the organizations by shards, in virtual time, with all that can go wrong between them.

Not the product's shell: none shards yet. Each shard's Lease is held by the product's own `Candidacy`; work is one
conditional write an item, sent only while its shard is held, as the writer does.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from provisioner_operator.core.leadership import (
    LEASE_SECONDS,
    Candidacy,
    Create,
    Lease,
    Read,
    Renew,
    Step,
    TakeOver,
)
from provisioner_operator.core.model.json_patch import JsonPatch
from simulation.schedule import Schedule
from simulation.server import EPOCH
from simulation.shards import SHARDS, preferred, shard_of

LONGEST_PULSE = 1.0
"""How often a member looks at its shards, at the longest."""
GIVEN_UP_SECONDS = 3.0
"""When a request counts as lost."""
SILENCE = object()
"""What is heard of a request whose answer, or that itself, got lost."""
CLOCK_TOLERANCE = 0.05
"""By how much a member's clock may run too fast or too slow; the Lease's times allow for a third."""


class ViolatedError(AssertionError):
    """A promise was broken."""


@dataclass(slots=True)
class Item:
    """A piece of work of one organization: to be done once."""

    shard: int
    since: float
    done_by: str | None = None


class Store:
    """The API server: Leases, work, and who is told of a change."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.leases: dict[str, dict[str, Any]] = {}
        self.items: list[Item] = []
        self.listeners: dict[str, Callable[[str, Lease], None]] = {}
        self._version = 0

    def lease(self, name: str) -> Lease | None:
        spec = self.leases.get(name)
        if spec is None:
            return None
        return Lease(
            spec["version"], spec["holderIdentity"], spec["renewTime"], LEASE_SECONDS, spec["leaseTransitions"]
        )

    def create(self, name: str, spec: dict[str, Any]) -> Lease | None:
        return None if name in self.leases else self._store(name, spec)

    def patch(self, name: str, patch: JsonPatch) -> Lease | None:
        spec = self.leases.get(name)
        if spec is None or any(spec.get(path.rpartition("/")[2]) != value for path, value in patch.tests):
            return None
        removed = {path.rpartition("/")[2]: None for path in patch.removes}
        return self._store(name, spec | removed | {path.rpartition("/")[2]: value for path, value in patch.sets})

    def do(self, item: Item, member: str) -> None:
        if item.done_by is None:  # the precondition
            item.done_by = member

    def _store(self, name: str, spec: dict[str, Any]) -> Lease:
        self._version += 1
        self.leases[name] = {"holderIdentity": None, "leaseTransitions": 0} | spec | {"version": self._version}
        lease = self.lease(name)
        assert lease is not None
        for told in self.listeners.values():
            told(name, lease)
        return lease


@dataclass(slots=True)
class _Held:
    candidacy: Candidacy
    under_way: int = 0
    letting_go: bool = False
    asked: bool = False
    free_since: float | None = None


class Member:
    """One controller."""

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
        self._pulse()
        self._breathe()

    @property
    def clock(self) -> float:
        return self._offset + self._world.schedule.now * self._rate

    def holds(self, shard: int) -> bool:
        """Whether it may decide and write for the shard's organizations at this moment."""
        held = self.shards[shard]
        if self._eager:
            return self.alive and preferred(shard, self.view()) == self.name
        return self.alive and not held.letting_go and held.candidacy.leads(self.clock)

    def view(self) -> set[str]:
        """The members that live, as far as it has heard: as with any Lease, by change and by its own clock."""
        now = self.clock
        return {self.name} | {other for other, (_, at) in self._heard.items() if now - at < LEASE_SECONDS}

    def die(self) -> None:
        self.alive = False
        self._world.store.listeners.pop(self.name, None)

    def leave(self) -> None:
        """End in order: let go of every shard, then of life."""
        self.leaving = True
        for held in self.shards.values():
            held.letting_go = held.letting_go or held.candidacy.leads(self.clock)

    # --- the network ---

    def _send(self, call: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        """Have it done at the store; `answer` gets what came of it, or SILENCE."""
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
        world.schedule.after(GIVEN_UP_SECONDS, settle, SILENCE)

    def _awake(self, action: Callable[[], None]) -> None:
        """Do it, or as soon as the process is no longer frozen."""
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

    def _breathe(self) -> None:
        """Renew its own Lease, by which the others know that it lives."""
        store, wall = self._world.store, EPOCH + self._world.schedule.now
        content = Candidacy(self.name).content(wall)

        def beat() -> None:
            store.leases.pop(self.name, None)
            store.create(self.name, dict(content))

        self._send(beat, lambda *_: None)
        self._world.schedule.after(5.0 / self._rate, self._awake, self._breathe)

    def _pulse(self) -> None:
        view = self.view()
        if self.leaving and not any(held.letting_go or held.asked for held in self.shards.values()):
            self.die()
            return
        for shard, held in self.shards.items():
            self._look(shard, held, mine=preferred(shard, view) == self.name and not self.leaving)
            if self.holds(shard):
                self._work(shard, held)
        self._world.schedule.after(LONGEST_PULSE * self._world.random.uniform(0.3, 1), self._awake, self._pulse)

    def _look(self, shard: int, held: _Held, *, mine: bool) -> None:
        candidacy, now = held.candidacy, self.clock
        if held.asked:
            return
        if candidacy.leads(now) and not mine:
            held.letting_go = True
        if held.letting_go:
            self._let_go(shard, held)
            return
        step = candidacy.next_step(now)
        if isinstance(step, TakeOver | Create):
            held.free_since = now if held.free_since is None else held.free_since
            if self.leaving or (not mine and now - held.free_since < LEASE_SECONDS):
                return  # whose it is comes first
        else:
            held.free_since = None
        self._take(shard, held, step)

    def _let_go(self, shard: int, held: _Held) -> None:
        """Decide no more, let the writes under way end, release the Lease: as a controller that ends in order."""
        if held.under_way:
            return
        patch = held.candidacy.releasing(EPOCH + self._world.schedule.now)
        if held.candidacy.resign():
            self._ask(shard, held, lambda: self._world.store.patch(f"shard-{shard}", patch))
        held.letting_go = False

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
            if lease is SILENCE:
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
        """Have done what is to do in the shard, a write an item, as long as it is held."""
        for item in self._world.waiting[shard]:
            if self._world.random.random() < 0.5 or not self.holds(shard):
                continue
            held.under_way += 1

            def answered(_result: object) -> None:
                held.under_way -= 1

            self._send(lambda item=item: self._world.done(item, self.name), answered)  # type: ignore[misc]


@dataclass(slots=True)
class ShardedWorld:
    """Everything that one seed brings about."""

    seed: int
    eager: bool = False
    """Whether members serve what they think is theirs without asking: what must not be."""
    failure_rate: float = 0.02
    random: Random = field(init=False)
    schedule: Schedule = field(init=False)
    store: Store = field(init=False)
    members: dict[str, Member] = field(init=False)
    waiting: defaultdict[int, list[Item]] = field(init=False)
    _born: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.schedule = Schedule()
        self.store = Store(self.schedule)
        self.members = {}
        self.waiting = defaultdict(list)
        for _ in range(self.random.randint(2, 5)):
            self.join()

    def delay(self) -> float:
        return self.random.uniform(0.002, 0.05) if self.random.random() < 0.98 else self.random.uniform(0.05, 2.5)

    def join(self) -> None:
        self._born += 1
        name = f"member-{self._born}"
        self.members[name] = Member(name, self, eager=self.eager)

    def submit(self, organization: str) -> None:
        item = Item(shard_of(organization), self.schedule.now)
        self.store.items.append(item)
        self.waiting[item.shard].append(item)

    def done(self, item: Item, member: str) -> None:
        """A write arrives: when it was sent its sender held the shard, and nobody else may hold it yet."""
        if others := [other.name for other in self.living() if other.name != member and other.holds(item.shard)]:
            raise ViolatedError(f"{member} writes in shard {item.shard}, which {others[0]} holds")
        self.store.do(item, member)
        if item in self.waiting[item.shard]:
            self.waiting[item.shard].remove(item)

    def check(self, shard: int) -> None:
        """Nobody else may hold what one holds."""
        holders = [member.name for member in self.members.values() if member.holds(shard)]
        if len(holders) > 1:
            raise ViolatedError(f"at {self.schedule.now:.1f} s {' and '.join(holders)} hold shard {shard}")

    def check_all(self) -> None:
        for shard in range(SHARDS):
            self.check(shard)

    def staying(self) -> list[Member]:
        return [member for member in self.living() if not member.leaving]

    def living(self) -> list[Member]:
        return [member for member in self.members.values() if member.alive]
