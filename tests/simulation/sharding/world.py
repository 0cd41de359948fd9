"""Several controllers that divide the organizations into shards, in virtual time, with failures between them.

The product has no such mode yet. Each shard's Lease is held by the product's own `Candidacy`; work is one conditional write
per item, sent only while its shard is held, as the writer does.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from simulation.schedule import Schedule
from simulation.sharding.member import Member
from simulation.sharding.shards import SHARDS, shard_of
from simulation.sharding.store import Item, Store


class ViolatedError(AssertionError):
    """Violation of the rule that a shard has at most one holder."""


@dataclass(slots=True)
class ShardedWorld:
    """Simulated store and members of one seed."""

    seed: int
    eager: bool = False
    """Whether members serve their preferred shards without holding the Leases, which must break the rule."""
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
        """Apply a write, and check that nobody but its sender holds the shard when it arrives."""
        if others := [other.name for other in self.living() if other.name != member and other.holds(item.shard)]:
            raise ViolatedError(f"{member} writes in shard {item.shard}, which {others[0]} holds")
        self.store.do(item, member)
        if item in self.waiting[item.shard]:
            self.waiting[item.shard].remove(item)

    def check(self, shard: int) -> None:
        """Check that at most one member holds the shard."""
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
