"""The parts of a situation that all its courses have in common, with numbers for daemons, jobs, lanes and limits. Pure.

Jobs that differ in nothing but their age are a lane, as in `namespace_queue`. Numbered are first the waiting jobs, then those that
came before and may come again, then those that run.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import NamedTuple

from provisioner_operator.core.estimates.situation import Servers, Situation, WaitingJob
from provisioner_operator.core.model.matching import Demand, Supply, satisfies

NOBODY = -1
"""Stands for the daemons of a slot that nobody gets back."""


class _Lane(NamedTuple):
    demand: Demand
    limits: tuple[int, ...]
    group: str
    priority: int
    background: bool


class Layout:
    """One situation in numbers."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.waiting = len(situation.waiting)
        self.first_run = self.waiting + len(situation.arrivals)
        arrivals = (arrival.job for arrival in situation.arrivals)
        self.jobs: list[WaitingJob] = [*situation.waiting, *arrivals, *(run.job for run in situation.runs)]
        histories = (job.durations for job in self.jobs)
        self.histories = {id(each): each for each in histories if each is not None}
        window = situation.window
        self._came = sorted(
            (window - arrival.ago, self.waiting + number) for number, arrival in enumerate(situation.arrivals)
        )
        """Times of the jobs that came, from the begin of the window on, with their numbers."""
        self._number_servers()
        self._number_limits()
        self._number_lanes()

    def _number_servers(self) -> None:
        situation = self.situation
        of_runs = (run.servers for run in situation.runs if run.servers is not None)
        found = dict.fromkeys(chain(situation.free, of_runs, (pool.servers for pool in situation.pools)))
        # Those with the fewest spare tags go first.
        self.servers = sorted(found, key=lambda each: _spare(each.supply))
        self.number_of: dict[Servers | None, int] = {each: number for number, each in enumerate(self.servers)}
        self.number_of[None] = NOBODY
        self.free = sorted(self.number_of[each] for each in situation.free)

    def _number_limits(self) -> None:
        limits: dict[tuple[str, str], int] = {}
        self.limits_of = [tuple(limits.setdefault(limit, len(limits)) for limit in job.limits) for job in self.jobs]
        self.rooms = [self.situation.rooms.get(limit, 0) for limit in limits]

    def _number_lanes(self) -> None:
        lanes: dict[_Lane, int] = {}
        self.lane_of: list[int] = []
        for job, limits in zip(self.jobs[: self.first_run], self.limits_of, strict=False):
            lane = _Lane(job.demand, limits, job.group, job.priority, job.background)
            self.lane_of.append(lanes.setdefault(lane, len(lanes)))
        self.lanes = list(lanes)
        self.lane_limits = [lane.limits for lane in lanes]
        self.ranks = [(lane.priority, lane.background, lane.group) for lane in lanes]
        self.servers_of = [
            [number for number, each in enumerate(self.servers) if satisfies(each.supply, lane.demand)]
            for lane in lanes
        ]
        self.lanes_of_group: dict[str, list[int]] = {}
        for number, lane in enumerate(lanes):
            self.lanes_of_group.setdefault(lane.group, []).append(number)

    def newcomers(self, chance: Random) -> Iterator[tuple[float, int]]:
        """Yield the times and numbers of jobs that come, as they came from a random moment of the past on, over and over."""
        window = self.situation.window
        if not self.situation.arrivals or window <= 0:
            return
        begin = chance.random() * window
        first = bisect_left(self._came, (begin, 0))
        turn = -begin
        while True:
            for time, number in self._came[first:]:
                yield turn + time, number
            first = 0
            turn += window


def _spare(supply: Supply) -> tuple[int, int]:
    return len(supply.tags), len(supply.provisioners)
