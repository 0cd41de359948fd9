"""The state of one namespace from which the starts of its waiting jobs follow: slots, runs, jobs, shares, pools. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner_operator.core.estimates.durations import Durations
from provisioner_operator.core.model.matching import Demand, Supply
from provisioner_operator.core.scheduling.queueing.policy import Fairness, LimitKey


@dataclass(frozen=True, slots=True)
class Servers:
    """Daemons that differ in nothing: those of one pool, or all of one supply that are of none."""

    supply: Supply
    pool: str | None = None
    """Uid of the pool to which they belong."""


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job, as far as others have to wait for it."""

    uid: str
    demand: Demand
    durations: Durations | None
    """Durations of runs like its own; None if too few are known."""
    deadline: float
    """Seconds from its start after which it is ended."""
    waited: float = 0.0
    group: str = ""
    """Group whose share it uses."""
    priority: int = 0
    background: bool = False
    limits: tuple[LimitKey, ...] = ()


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """A run that occupies a slot."""

    job: WaitingJob
    servers: Servers | None
    """Daemons that get the slot back; None if nobody does, since the daemon takes no further jobs."""
    elapsed: float
    rest: float | None = None
    """Seconds until it ends; None if that follows from runs like it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job that came in the past, as another may come."""

    ago: float
    """Seconds since it came."""
    job: WaitingJob


@dataclass(frozen=True, slots=True)
class GrowingPool:
    """A pool that has daemons which are starting, or may have more."""

    uid: str
    name: str
    servers: Servers
    capacity: int
    most: int
    """Daemons that it may have."""
    present: int
    """Daemons that it has, ready or not."""
    starting: tuple[float, ...]
    """Seconds since which each of those that are not ready has been starting."""
    start: Durations | None
    """Seconds that daemons took to be ready; None if too few were measured."""
    mean_run: float | None = None
    target_wait: float = 0.0
    """Wait at which it aims; 0 for a pool of fixed size."""
    is_fixed: bool = False
    """Whether it has as many daemons as it may, whatever waits."""

    @property
    def may_change(self) -> bool:
        """Whether it gets further daemons by itself."""
        return bool(self.starting) or self.most > self.present


@dataclass(frozen=True, slots=True)
class Situation:
    """One namespace at one moment."""

    free: tuple[Servers, ...] = ()
    """Free slots, one entry for each."""
    runs: tuple[CurrentRun, ...] = ()
    waiting: tuple[WaitingJob, ...] = ()
    """Jobs that wait for nothing but a slot or a limit, by priority and age."""
    rooms: Mapping[LimitKey, int] = field(default_factory=dict)
    """Number of further jobs that each limit lets run."""
    fairness: Fairness | None = None
    past_use: Mapping[str, float] = field(default_factory=dict)
    """Slots that each group used lately, faded with the half-life."""
    arrivals: tuple[Arrival, ...] = ()
    """Jobs that came during the last `window` seconds; none if those that come do not go before those that wait."""
    window: float = 0.0
    is_overtaken: bool = False
    """Whether jobs that come may go before those that wait."""
    pools: tuple[GrowingPool, ...] = ()
