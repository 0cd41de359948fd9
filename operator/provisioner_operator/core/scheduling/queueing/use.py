"""Add up the time that each group's ended runs occupied slots, of which half counts a half-life later. Pure.

A second at time t counts 2^(t / half-life), so nothing has to be rewritten while time passes: a factor that all groups have in
common changes no order. The sums are whole numbers, so that runs may be added and removed in any order with the same result:
a controller that starts anew, and knows only the objects that exist, orders the groups as its predecessor did.
"""

from collections.abc import Iterator

from provisioner_operator.core.scheduling.queueing.policy import PastRun

_PERIOD = 128
"""Half-lives after which the zero of the scale moves on; what lies 128 to 256 half-lives back is forgotten. That much counts next to
nothing, but it still tells who had a turn: the bound of fairness holds for rounds that are shorter than this."""
_REACH = 2 * _PERIOD + 2
"""Half-lives above the zero up to which time counts: clocks of daemons may be ahead, and one that is years ahead must cost nothing."""
_UNIT = 1 << 32
"""Value of the scale's zero: the precision of a run's start and end."""


class PastUse:
    """Slot time of the groups' ended runs."""

    def __init__(self, half_life: float) -> None:
        """`half_life` is in seconds."""
        self._half_life = half_life
        self._zero = 0
        """Zero of the scale, in half-lives since the epoch."""
        self._runs: dict[str, tuple[PastRun, str]] = {}
        """Runs that count, each with its group."""
        self._sums: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, uid: str) -> bool:
        """Return whether the run counts."""
        return uid in self._runs

    @property
    def next_move(self) -> float:
        """Wall-clock time at which the zero of the scale moves on."""
        return (self._zero + 2 * _PERIOD) * self._half_life

    def runs(self) -> Iterator[PastRun]:
        """Iterate over the runs that count."""
        return (run for run, _ in self._runs.values())

    def summary(self) -> tuple[dict[str, float], list[float]]:
        """Return the end of each group's last run, and the seconds of all runs."""
        ends: dict[str, float] = {}
        for run, group in self._runs.values():
            ends[group] = max(run.finished, ends.get(group, run.finished))
        return ends, [run.finished - run.started for run in self.runs()]

    def of(self, group: str) -> int:
        """Return the group's past use, on a scale that only comparisons of groups at the same time may use."""
        return self._sums.get(group, 0)

    def decayed(self, group: str, now: float) -> float:
        """Return the group's past use in slots: 1 for a group that has always used one until this wall-clock time."""
        return self.of(group) / self._at(now)

    def advance(self, now: float) -> bool:
        """Move the zero of the scale if it is due at this wall-clock time; return whether all sums are new."""
        zero = (int(now // self._half_life) // _PERIOD - 1) * _PERIOD
        if zero <= self._zero:
            return False
        self._zero = zero
        runs, self._runs, self._sums = self._runs, {}, {}
        for run, group in runs.values():
            self._add(run, group)
        return True

    def add(self, run: PastRun, group: str) -> bool:
        """Add a run, or replace what is known of it; return whether it counts."""
        self.remove(run.uid)
        return self._add(run, group)

    def remove(self, uid: str) -> str | None:
        """Remove a run whose object is gone; return its group, None if it did not count."""
        known = self._runs.pop(uid, None)
        if known is None:
            return None
        run, group = known
        rest = self._sums[group] - self._value(run)
        if rest:
            self._sums[group] = rest
        else:
            del self._sums[group]
        return group

    def _add(self, run: PastRun, group: str) -> bool:
        value = self._value(run)
        if value <= 0:
            return False
        self._runs[run.uid] = run, group
        self._sums[group] = self._sums.get(group, 0) + value
        return True

    def _value(self, run: PastRun) -> int:
        return self._at(run.finished) - self._at(run.started)

    def _at(self, time: float) -> int:
        lives, rest = divmod(time, self._half_life)
        height = int(lives) - self._zero
        if height < 0:
            return _UNIT
        if height >= _REACH:
            return _UNIT << _REACH
        return int(2 ** (rest / self._half_life) * _UNIT) << height
