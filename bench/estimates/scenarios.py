"""Kinds of queues for which the estimates have to hold: how jobs come, how long they run, and what runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import exp, log
from random import Random

from bench.estimates.pool import ReplayedPool
from bench.estimates.world import World
from provisioner_operator.core.pools.records import Autoscaling
from provisioner_operator.core.scheduling.queueing.policy import Limit, QueuePolicy
from support.builders.pools import a_pool
from support.builders.queues import BY_INITIATOR, fair

HOUR = 3600.0
_START_MEDIANS = (20.0, 20.0, 20.0, 20.0, 90.0)
_OUTAGE_SECONDS = 1200.0
_ASKED_WITHIN_SECONDS = 120.0
_WARM_UP = 2 * HOUR
"""Time before the first question, in which runs end from which the later ones are estimated."""


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of job; its runs are distributed log-normally, as those of builds often are."""

    name: str
    median: float
    spread: float
    """Standard deviation of the logarithm."""
    tags: tuple[tuple[str, str], ...] = ()

    def seconds(self, chance: Random) -> float:
        """Return the duration of a run."""
        return max(1.0, exp(chance.gauss(log(self.median), self.spread)))


Arrivals = Callable[[Random], float]
"""Draws the seconds until the next jobs come."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of queue."""

    name: str
    templates: tuple[Template, ...]
    gap: float
    """Mean time between arrivals, in seconds."""
    burst: int = 1
    """Jobs that come at once."""
    fleet: tuple[tuple[tuple[str, str], ...], ...] = ()
    """Tags of each fixed daemon."""
    scaling: Autoscaling | None = None
    """Pool that grows beside them."""
    policy: QueuePolicy | None = None
    people: tuple[str, ...] = ("ann",)
    outages_per_hour: float = 0.0
    """Mean number of losses of each daemon."""

    def start_seconds(self, chance: Random) -> float:
        """Return the time that a new daemon takes to be ready: a node is there for most."""
        return exp(chance.gauss(log(chance.choice(_START_MEDIANS)), 0.3))


_SMALL = Template("small", 40, 0.4)
_LARGE = Template("large", 240, 0.6)
_GPU = Template("gpu", 150, 0.5, (("gpu", "yes"),))
_PLAIN: tuple[tuple[str, str], ...] = ()

SCENARIOS = (
    Scenario("steady", (_SMALL,), gap=12, fleet=(_PLAIN,) * 4),
    Scenario("bursts", (Template("long", 120, 0.7),), gap=1500, burst=30, fleet=(_PLAIN,) * 4),
    Scenario(
        "growing pool",
        (_SMALL, _LARGE),
        gap=1200,
        burst=12,
        scaling=Autoscaling(8, target_wait=60, scale_down_delay=120),
    ),
    Scenario("lost daemons", (_SMALL, _LARGE), gap=40, fleet=(_PLAIN,) * 6, outages_per_hour=0.1),
    Scenario("mixed templates", (_SMALL, _LARGE, _GPU), gap=45, fleet=(*(_PLAIN,) * 4, *(_GPU.tags,) * 2)),
    Scenario(
        "limits",
        (_SMALL, _LARGE),
        gap=600,
        burst=8,
        fleet=(_PLAIN,) * 3,
        policy=QueuePolicy(limits=(Limit("each", 2, per=BY_INITIATOR),)),
        people=("ann", "bob", "cleo"),
    ),
    Scenario(
        "fair shares",
        (_SMALL, _LARGE),
        gap=600,
        burst=8,
        fleet=(_PLAIN,) * 3,
        policy=QueuePolicy(fair()),
        people=("ann", "bob", "cleo"),
    ),
)


def replay(scenario: Scenario, seed: int, *, hours: float, question_gap: float) -> World:
    """Play the scenario, with a question each so often after it has warmed up, and return the world at its end."""
    world = World(scenario, seed)
    chance = Random(f"{scenario.name} {seed}")  # noqa: S311 - chance, no secret
    daemons = [world.add_daemon(f"daemon-{number}", dict(tags)) for number, tags in enumerate(scenario.fleet)]
    if scenario.scaling is not None:
        world.pool = ReplayedPool(world, a_pool(autoscaling=scenario.scaling))
    begin, end = world.now, world.now + _WARM_UP + hours * HOUR
    for daemon in daemons if scenario.outages_per_hour else ():
        for time in _times(chance, begin, end, HOUR / scenario.outages_per_hour):
            world.at(time, partial(world.lose, daemon.uid, _OUTAGE_SECONDS))
    number = 0
    for time in _times(chance, begin, end, scenario.gap):
        person = chance.choice(scenario.people)
        for _ in range(scenario.burst):
            number += 1
            kind = chance.choice(scenario.templates)
            world.at(time, partial(world.submit, f"job-{number}", kind, person, kind.seconds(chance)))
        # Asked soon after jobs have come: later, nobody may wait any more.
        for asked in _times(chance, 0.0, scenario.gap, question_gap) if time > begin + _WARM_UP else ():
            world.at(time + asked % _ASKED_WITHIN_SECONDS, world.ask)
    world.run()
    return world


def _times(chance: Random, begin: float, end: float, gap: float) -> list[float]:
    """Return the times of events that come independently of each other, in seconds from `begin` to `end`."""
    found: list[float] = []
    time = begin + chance.expovariate(1 / gap)
    while time < end:
        found.append(time)
        time += chance.expovariate(1 / gap)
    return found
