"""State how long a group may have to wait: the bound of the fairness, which tests prove and a metric watches. Pure.

Let a group have work that waits for nothing but a slot, and nothing that runs. The jobs concerned have one priority, and any
daemon of the fleet runs any of them. Then the group's first job starts within

    round + debt, where
    round = longest run x ceil(groups / slots)
    debt  = half-life x log2(past use x heaviest weight / (own weight x (1 - 2^(-shortest run / half-life)))), at least 0

The round is what the group's equal share of the slots takes, to within one run: each other group starts at most one job before it,
since by that its past use exceeds the group's. The debt is the time in which the group's own past use fades until a single run
of another outweighs it; a group that used nothing has none. Weights change how often a group has its turn, never
whether it comes. Both together have to be shorter than 128 half-lives, after which past use may be forgotten.
"""

from dataclasses import dataclass
from math import ceil, log2

from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue


def round_seconds(longest_run: float, groups: int, slots: int) -> float:
    """Return the seconds in which each of the groups has had a turn, if no run takes longer than the longest."""
    return longest_run * ceil(groups / slots)


def debt_seconds(*, past_use: float, weight: int, heaviest: int, shortest_run: float, half_life: float) -> float:
    """Return the seconds in which a group's past use, in slots, fades to that of one run of another group."""
    one_run = 1 - 2 ** (-shortest_run / half_life)
    if past_use <= 0 or one_run <= 0:
        return 0.0
    return max(0.0, half_life * log2(past_use * heaviest / (weight * one_run)))


@dataclass(frozen=True, slots=True)
class MeasuredFairness:
    """Distance of a namespace from the bound."""

    longest_wait: float = 0.0
    """Seconds of the longest wait of a group that has nothing running, while its jobs wait for nothing but a slot."""
    ratio: float = 0.0
    """The largest share of its bound that the wait of any such group has reached."""


def measure_fairness(queue: NamespaceQueue, now: float) -> MeasuredFairness:
    """Measure the waits of a namespace's groups at this wall-clock time; runs that have gone on longest stand for the longest run."""
    policy, past = queue.policy.fairness, queue.past
    if policy is None or past is None:
        return MeasuredFairness()
    groups = queue.claimable_groups()
    ends, lengths = past.summary()
    lengths += [now - job.started for job in queue.slots.jobs() if job.started is not None]
    competing = set(groups) | set(queue.slots.groups())
    heaviest = max((policy.weight_of(group) for group in competing), default=1)
    found = MeasuredFairness()
    for group, oldest in groups.items():
        if queue.slots.of_group(group):
            continue
        wait = max(0.0, now - max(oldest, ends.get(group, oldest)))
        bound = round_seconds(max(lengths, default=0.0), len(competing), max(1, len(queue.slots))) + debt_seconds(
            past_use=past.decayed(group, now),
            weight=policy.weight_of(group),
            heaviest=heaviest,
            shortest_run=min(lengths, default=0.0),
            half_life=policy.half_life,
        )
        found = MeasuredFairness(max(found.longest_wait, wait), max(found.ratio, wait / bound if bound > 0 else 0.0))
    return found
