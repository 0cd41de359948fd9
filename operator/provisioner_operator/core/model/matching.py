"""Match jobs and daemons by Coder's tag rule (`provisioner_tagset_contains`), exactly.

A job without tags of its own runs only on a daemon whose tags are exactly equal. Any other job runs where each of its
tags, key and value, is among the daemon's. Comparison is by exact string: no wildcards, no negation.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from provisioner_operator.api.v1alpha1.enums import Provisioner

SCOPE = "scope"
OWNER = "owner"
SCOPE_ORGANIZATION = "organization"
SCOPE_USER = "user"

Tags = frozenset[tuple[str, str]]
"""Effective tags: (key, value) pairs that always name `scope` and `owner`."""

UNTAGGED: Tags = frozenset({(SCOPE, SCOPE_ORGANIZATION), (OWNER, "")})

_DISTINCT_TAG_SETS = 8192
"""Number of tag sets kept as one object each: a fleet has tens, a large one thousands."""


# Tuples rather than dataclasses, whose hashes are functions in Python: both are keys of most indexes.
class Demand(NamedTuple):
    """Requirements of a job. Jobs of equal demand wait in one queue."""

    namespace: str
    provisioner: Provisioner
    tags: Tags


class Supply(NamedTuple):
    """Capabilities of a daemon. Daemons of equal supply are interchangeable."""

    namespace: str
    provisioners: frozenset[Provisioner]
    tags: Tags


def effective_tags(tags: Mapping[str, str]) -> Tags:
    """Return the effective tags for those written in a spec (Coder's `MutateTags`).

    Empty values are dropped; a missing or unknown scope is `organization`, whose owner is empty.
    """
    return _effective(tuple(sorted(tags.items())))


@lru_cache(maxsize=_DISTINCT_TAG_SETS)
def _effective(items: tuple[tuple[str, str], ...]) -> Tags:
    tags = {key: value for key, value in items if value}
    if tags.get(SCOPE) == SCOPE_USER:
        tags.setdefault(OWNER, "")
    else:
        tags |= {SCOPE: SCOPE_ORGANIZATION, OWNER: ""}
    return frozenset(tags.items())


def tags_match(daemon: Tags, job: Tags) -> bool:
    """Return whether a daemon's tags satisfy a job's."""
    if job == UNTAGGED:
        return daemon == UNTAGGED
    return job <= daemon


def satisfies(supply: Supply, demand: Demand) -> bool:
    """Return whether daemons of this supply may run jobs of this demand: same organization, provisioner and tags."""
    return (
        supply.namespace == demand.namespace
        and demand.provisioner in supply.provisioners
        and tags_match(supply.tags, demand.tags)
    )


def format_tags(tags: Tags) -> str:
    """Format tags in one line, `k=v,k2=v2`, without the implied scope and owner."""
    return ",".join(f"{key}={value}" for key, value in sorted(tags - UNTAGGED)) or "none"
