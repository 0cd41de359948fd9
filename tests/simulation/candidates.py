"""Candidates for one Lease in virtual time, each with a clock of its own, whose requests may be slow or get lost."""

from dataclasses import dataclass, field

from provisioner_operator.core.leadership import (
    LEASE_SECONDS,
    RETRY_SECONDS,
    Candidacy,
    Create,
    Lease,
    Read,
    Renew,
    TakeOver,
    Wait,
)
from simulation.schedule import Schedule


@dataclass
class Server:
    """The API server's one Lease."""

    lease: Lease | None = None
    version: int = 0
    writes: list[tuple[float, str]] = field(default_factory=list)

    def write(self, at: float, who: str, holder: str | None) -> Lease:
        self.version += 1
        self.writes.append((at, who))
        self.lease = Lease(self.version, holder, f"{who} at {at!r}", LEASE_SECONDS)
        return self.lease


@dataclass
class Circumstances:
    """Faults of the simulated world, which end at `calm_from`."""

    delays: list[float]
    lost: list[bool]
    calm_from: float
    asked: int = 0

    def delay(self, now: float) -> float:
        self.asked += 1
        return 0.01 if now >= self.calm_from else self.delays[self.asked % len(self.delays)]

    def is_lost(self, now: float) -> bool:
        self.asked += 1
        return now < self.calm_from and self.lost[self.asked % len(self.lost)]


class Candidate:
    """One process: a candidacy, a clock of its own, and requests that may be slow or get lost."""

    def __init__(self, name: str, offset: float, schedule: Schedule, server: Server, world: Circumstances) -> None:
        self.candidacy = Candidacy(name)
        self.alive = True
        self.frozen_until = 0.0
        self.works_until = 0.0
        """Until when, by the world's clock, something may come of a write that it made."""
        self._offset = offset
        self._schedule = schedule
        self._server = server
        self._world = world
        schedule.after(0, self._act)

    @property
    def now(self) -> float:
        """Its own clock, which goes on while the process is frozen."""
        return self._schedule.now + self._offset

    @property
    def leads(self) -> bool:
        return self.alive and self.candidacy.leads(self.now)

    def write(self) -> None:
        """Make a write that takes as long as it may, if it may."""
        if self.alive and self._schedule.now >= self.frozen_until and (tenure := self.candidacy.tenure(self.now)):
            self.works_until = self._schedule.now + tenure

    def _act(self) -> None:
        if not self.alive:
            return
        if (rest := self.frozen_until - self._schedule.now) > 0:
            self._schedule.after(rest, self._act)
            return
        step = self.candidacy.next_step(self.now)
        if isinstance(step, Wait):
            # Looks at times in between, as a watch would tell it; never sooner than floats of that size can tell apart.
            self._schedule.after(max(min(step.until - self.now, 1.0), 0.001), self._act)
            if step.until - self.now > RETRY_SECONDS:
                self._see()
            return
        sent = self.now
        self._schedule.after(self._world.delay(self._schedule.now), self._arrive, step, sent)

    def _see(self) -> None:
        if not self._world.is_lost(self._schedule.now) and self._server.lease is not None:
            self.candidacy.saw(self._server.lease, self.now)

    def _arrive(self, step: Read | Create | TakeOver | Renew, sent: float) -> None:
        server, who, at = self._server, self.candidacy.identity, self._schedule.now
        back = self._world.delay(at)
        if self._world.is_lost(at):
            self._schedule.after(back, self._answered, None, sent, "lost")
            return
        lease, said = server.lease, "refused"
        match step:
            case Read():
                said = "read"
            case Create() if lease is None:
                lease, said = server.write(at, who, who), "done"
            case TakeOver(seen) if lease and (lease.holder, lease.renewed) == (seen.holder, seen.renewed):
                lease, said = server.write(at, who, who), "done"
            case Renew() if lease and lease.holder == who:
                lease, said = server.write(at, who, who), "done"
        if self._world.is_lost(at):
            said = "lost"
        self._schedule.after(back, self._answered, lease, sent, said)

    def _answered(self, lease: Lease | None, sent: float, said: str) -> None:
        if (rest := self.frozen_until - self._schedule.now) > 0:
            self._schedule.after(rest, self._answered, lease, sent, said)
            return
        match said:
            case "lost":
                self.candidacy.failed(self.now)
            case "refused":
                self.candidacy.refused(self.now)
            case "done" if lease is not None:
                self.candidacy.renewed(lease, sent=sent, now=self.now)
            case _ if lease is not None:
                self.candidacy.saw(lease, self.now)
            case _:
                self.candidacy.saw_none()
        self._act()
