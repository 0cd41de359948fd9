"""Distribution of organizations among several controllers, as docs/scaling.md proposes it.

A hash of its name assigns each organization to one of a fixed number of shards. Each shard is a Lease, held by the same
rule by which controllers elect a leader today (`core.leadership`), so two controllers never hold the same one. Rendezvous
hashing over the running controllers (Thaler and Ravishankar, 1998) only names the preferred holder: other controllers
release the shard, and take it only if nobody else does.
"""

from collections.abc import Collection
from hashlib import blake2b

SHARDS = 32
"""Each shard costs a renewal every five seconds; enough for an even distribution among ten controllers."""


def shard_of(organization: str) -> int:
    """Return the shard of an organization, which is the same for all controllers, versions and machines."""
    return _hash(organization) % SHARDS


def preferred(shard: int, members: Collection[str]) -> str:
    """Return the preferred holder. If a member leaves, only its shards move; if one joins, shards move only to it."""
    return max(members, key=lambda member: (_hash(f"{shard}/{member}"), member))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
