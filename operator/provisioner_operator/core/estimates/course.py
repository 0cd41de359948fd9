"""One course that the events of a namespace may take: slots become free, and the first job that may takes each. Pure.

The rules are those of `assignment` and `queueing`, on numbers alone, since `start_times` plays many courses. Jobs that come later
matter where they may go before those that wait: then such jobs come as they came during some stretch of the past.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush, heapreplace
from itertools import count, islice
from math import inf
from random import Random

from provisioner_operator.core.estimates.durations import Durations
from provisioner_operator.core.estimates.growth import ordered_daemons
from provisioner_operator.core.estimates.layout import NOBODY, Layout
from provisioner_operator.core.estimates.shares import Shares
from provisioner_operator.core.estimates.situation import CurrentRun, GrowingPool
from provisioner_operator.core.pools.load_sharing import Waiting

_MOST_NEWCOMERS = 300
"""Jobs that come in a course, beside one for each that waits; what has not started then is not foreseen."""

_Key = tuple[int, bool, float, float, int]
"""Sort key of the first job of a lane: priority, background, the share of its group, its place by age."""


class Course:
    """One course of events; `starts` are the seconds until each waiting job starts, infinite for one that does not."""

    def __init__(self, layout: Layout, pasts: Mapping[int, Durations], chance: Random) -> None:
        """`pasts` are the durations of past runs, in place of those of the layout."""
        self._layout = layout
        self._random = chance.random
        self._pasts = pasts
        self._shares = Shares(layout.situation)
        self._lanes: list[deque[tuple[int, int, float]]] = [deque() for _ in layout.lanes]
        """Jobs of each lane: place by age, number of the job, and the time at which it was created."""
        self._heads: list[list[tuple[_Key, int]]] = [[] for _ in layout.servers]
        """Lanes that each kind of daemon may serve, by their first job."""
        self._shown: list[dict[int, _Key]] = [{} for _ in layout.servers]
        """The key under which each lane stands there: others are outdated."""
        self._idle = [0] * len(layout.servers)
        self._busy = [0] * len(layout.servers)
        self._present = [pool.present for pool in layout.situation.pools]
        self._rooms = list(layout.rooms)
        self._held: dict[int, list[tuple[int, int]]] = {}
        """Lanes that a limit holds up, each with the daemons that looked for a job there."""
        self._numbers = count()
        self._events: list[tuple[float, int, int, int, float]] = []
        """Time, a number, the daemons that get a slot, the job whose run ends there or -1, and the start of that run."""
        # Where jobs come faster than they run, some never start.
        self._newcomers = islice(layout.newcomers(chance), layout.waiting + _MOST_NEWCOMERS)
        self.starts = [inf] * layout.waiting

    def play(self) -> None:
        """Play the course until all jobs have started that do."""
        self._begin()
        waiting = len(self.starts)
        arrival, newcomer = next(self._newcomers, (inf, 0))
        review = 0.0 if self._layout.situation.pools else inf
        while waiting:
            time = self._events[0][0] if self._events else inf
            if (time == arrival == review == inf) or (arrival == inf and self._layout.situation.arrivals):
                return
            if arrival < min(time, review):
                takers = self._arrive(newcomer, arrival)
                time = arrival
                arrival, newcomer = next(self._newcomers, (inf, 0))
            elif review < time:  # after what happens at the same time
                review = self._review(review)
                continue
            else:
                _, _, servers, job, since = heappop(self._events)
                takers = self._free(servers, job, since, time)
            for taker in takers:
                while self._idle[taker] and (lane := self._choose(taker)) is not None:
                    waiting -= self._start(lane, taker, time)

    # --- events ---

    def _begin(self) -> None:
        layout = self._layout
        for number in range(layout.waiting):
            self._lanes[layout.lane_of[number]].append((number, number, -layout.jobs[number].waited))
        for lane in range(len(self._lanes)):
            self._show(lane)
        for servers in layout.free:
            self._add_event(0.0, servers)
        for number, run in enumerate(layout.situation.runs):
            servers = layout.number_of[run.servers]
            if servers != NOBODY:
                self._busy[servers] += 1
            self._add_event(self._rest(run), servers, layout.first_run + number, -run.elapsed)
        for pool in layout.situation.pools:
            for elapsed in pool.starting:
                self._add_daemon(pool, inf if pool.start is None else pool.start.draw_rest(self._random(), elapsed))

    def _rest(self, run: CurrentRun) -> float:
        if run.rest is not None:
            return run.rest
        if run.job.durations is None:
            return inf
        rest = self._past(run.job.durations).draw_rest(self._random(), run.elapsed)
        return min(rest, max(0.0, run.job.deadline - run.elapsed))

    def _past(self, durations: Durations) -> Durations:
        return self._pasts[id(durations)]

    def _add_event(self, time: float, servers: int, job: int = -1, since: float = 0.0) -> None:
        if time < inf:
            heappush(self._events, (time, next(self._numbers), servers, job, since))

    def _add_daemon(self, pool: GrowingPool, time: float) -> None:
        for _ in range(pool.capacity):
            self._add_event(time, self._layout.number_of[pool.servers])

    def _arrive(self, job: int, time: float) -> list[int]:
        """Add a job that comes now, and return the daemons that may take it."""
        lane = self._layout.lane_of[job]
        place = self._layout.waiting + next(self._numbers)
        self._lanes[lane].append((place, job, time))
        self._show(lane)
        return self._layout.servers_of[lane]

    def _free(self, servers: int, job: int, since: float, time: float) -> list[int]:
        """Free a slot and what it counts for, and return the daemons that may have a job now."""
        takers: dict[int, None] = {}
        if job >= 0:
            for limit in self._layout.limits_of[job]:
                self._rooms[limit] += 1
                for held_for, lane in self._held.pop(limit, ()):
                    self._show(lane, held_for)
                    takers[held_for] = None
            group = self._layout.jobs[job].group
            if self._shares.end(group, since, time):
                for lane in self._layout.lanes_of_group.get(group, ()):
                    self._show(lane)
        if servers != NOBODY:
            self._busy[servers] -= job >= 0
            self._idle[servers] += 1
            takers[servers] = None
        return list(takers)

    # --- the order ---

    def _key(self, lane: int) -> _Key | None:
        jobs = self._lanes[lane]
        if not jobs:
            return None
        priority, background, group = self._layout.ranks[lane]
        return (-priority, background, *self._shares.of(group), jobs[0][0])

    def _show(self, lane: int, only: int | None = None) -> None:
        """Put a lane in its place where it stands too late or not at all; one that stands too early is moved when it is first."""
        if (key := self._key(lane)) is None:
            return
        for servers in self._layout.servers_of[lane] if only is None else (only,):
            shown = self._shown[servers].get(lane)
            if shown is None or key < shown:
                self._shown[servers][lane] = key
                heappush(self._heads[servers], (key, lane))

    def _choose(self, servers: int) -> int | None:
        """Return the lane whose first job these daemons start next."""
        heads, shown = self._heads[servers], self._shown[servers]
        while heads:
            key, lane = heads[0]
            current = self._key(lane)
            if shown.get(lane) != key:
                heappop(heads)
            elif current is None:
                heappop(heads)
                del shown[lane]
            elif current != key:
                shown[lane] = current
                heapreplace(heads, (current, lane))
            elif (full := self._full_limit(lane)) is not None:
                heappop(heads)
                del shown[lane]
                self._held.setdefault(full, []).append((servers, lane))
            else:
                return lane
        return None

    def _full_limit(self, lane: int) -> int | None:
        return next((limit for limit in self._layout.lane_limits[lane] if self._rooms[limit] <= 0), None)

    def _start(self, lane: int, servers: int, time: float) -> bool:
        """Start the first job of a lane, and return whether it is one of those that wait now."""
        _, number, _ = self._lanes[lane].popleft()
        job = self._layout.jobs[number]
        is_asked = number < len(self.starts)
        if is_asked:
            self.starts[number] = time
        self._idle[servers] -= 1
        self._busy[servers] += 1
        self._shares.start(job.group)
        for limit in self._layout.limits_of[number]:
            self._rooms[limit] -= 1
        if job.durations is not None:
            taken = min(self._past(job.durations).draw(self._random()), job.deadline)
            self._add_event(time + taken, servers, number, time)
        return is_asked

    # --- pools ---

    def _review(self, time: float) -> float:
        """Let the pools grow as they would at this time, and return the time of the next review."""
        pools, number_of = self._layout.situation.pools, self._layout.number_of
        busy = [self._busy[number_of[pool.servers]] for pool in pools]
        orders, look = ordered_daemons(pools, busy, self._present, list(self._loads(time)))
        for at, (pool, ordered) in enumerate(zip(pools, orders, strict=True)):
            self._present[at] += ordered
            for _ in range(ordered):
                self._add_daemon(pool, time + (inf if pool.start is None else pool.start.draw(self._random())))
        return inf if look is None else time + look

    def _loads(self, time: float) -> Iterator[Waiting]:
        """Yield the jobs for which pools grow: of each lane as many as its limits let run at the same time."""
        for lane, jobs in enumerate(self._lanes):
            depth = min([len(jobs), *(max(0, self._rooms[limit]) for limit in self._layout.lane_limits[lane])])
            if depth:
                yield Waiting(self._layout.lanes[lane].demand, depth, time - jobs[0][2])
