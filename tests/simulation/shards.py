"""Which of several controllers would serve which organization: the rule that docs/scaling.md proposes.

Organizations fall into a fixed number of shards by a hash of their names; each shard is a Lease, held under the very rule
by which controllers elect a leader today (`core.leadership`), so that two never hold one. Rendezvous hashing over the
controllers that live (Thaler and Ravishankar, 1998) only says who should: others let go of what is not theirs, and take it
only when nobody else does.
"""

from collections.abc import Collection
from hashlib import blake2b

SHARDS = 32
"""Each costs a renewal every five seconds, whoever holds it; enough for a fair split among ten controllers."""


def shard_of(organization: str) -> int:
    """The shard of an organization: the same for all controllers, versions and machines."""
    return _hash(organization) % SHARDS


def preferred(shard: int, members: Collection[str]) -> str:
    """The member that should hold the shard. If one leaves, only its shards move; if one joins, they move only to it."""
    return max(members, key=lambda member: (_hash(f"{shard}/{member}"), member))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
