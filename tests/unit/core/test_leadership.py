"""One leads at a time, whatever gets lost or late; who dies is replaced in time; and a quiet Lease costs little."""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.core.leadership import (
    LEASE_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    STEP_DOWN_SECONDS,
    WRITES_END_SECONDS,
    Candidacy,
    Create,
    Lease,
    Read,
    Renew,
    TakeOver,
    Wait,
)
from simulation.schedule import Schedule
from support.builders.core import NOON

REPLACED_WITHIN = 20.0
"""A leader that dies is replaced within so many seconds."""


def a_lease(holder: str | None = "other", *, version: int = 1, renewed: str | None = "noon", **fields: float) -> Lease:
    return Lease(version, holder, renewed, fields.get("seconds", LEASE_SECONDS))


def a_leader(at: float = 0.0) -> Candidacy:
    """A candidate that took the Lease over by a request sent at that time."""
    candidacy = Candidacy("me")
    candidacy.renewed(a_lease("me"), sent=at, now=at)
    assert candidacy.leads(at)
    return candidacy


def a_standby(at: float = 0.0) -> Candidacy:
    """A candidate that saw at that time that another holds the Lease."""
    candidacy = Candidacy("me")
    candidacy.saw(a_lease(), at)
    return candidacy


def test_a_new_candidate_reads_before_it_does_anything() -> None:
    assert Candidacy("me").next_step(0) == Read()


def test_where_there_was_never_a_lease_it_makes_one() -> None:
    candidacy = Candidacy("me")
    candidacy.saw_none()
    assert candidacy.next_step(0) == Create()


def test_a_released_lease_is_taken_at_once() -> None:
    candidacy = a_standby(0)
    released = a_lease(None, version=2)
    candidacy.saw(released, 1)
    assert candidacy.next_step(1) == TakeOver(released)


def test_a_lease_is_taken_over_once_it_did_not_change_for_as_long_as_it_says() -> None:
    candidacy = Candidacy("me")
    lease = a_lease(seconds=40)
    candidacy.saw(lease, 100)
    candidacy.saw(replace(lease, version=2), 130)  # somebody labelled it: that is no renewal
    assert candidacy.next_step(139) == Wait(140)
    assert candidacy.next_step(140) == TakeOver(replace(lease, version=2))


def test_a_lease_that_was_edited_to_end_sooner_is_not_taken_from_its_holder() -> None:
    candidacy = Candidacy("me")
    candidacy.saw(a_lease(seconds=1), 0)
    assert candidacy.next_step(5) == Wait(LEASE_SECONDS)


def test_each_renewal_that_is_seen_makes_a_standby_wait_anew() -> None:
    candidacy = a_standby(0)
    candidacy.saw(a_lease(version=2, renewed="later"), 14)
    assert candidacy.next_step(15) == Wait(14 + LEASE_SECONDS)


def test_a_leader_renews_in_time_and_counts_from_when_it_asked() -> None:
    candidacy = a_leader(100)
    assert candidacy.next_step(100) == Wait(100 + RENEW_SECONDS)
    assert candidacy.next_step(100 + RENEW_SECONDS) == Renew()
    candidacy.renewed(a_lease("me", version=2, renewed="later"), sent=105, now=109)
    assert candidacy.next_step(109) == Wait(105 + RENEW_SECONDS)
    assert candidacy.leads(105 + STEP_DOWN_SECONDS - 0.001)
    assert not candidacy.leads(105 + STEP_DOWN_SECONDS)


def test_a_write_may_take_no_longer_than_the_lease_surely_lasts() -> None:
    candidacy = a_leader(100)
    assert candidacy.tenure(103) == WRITES_END_SECONDS - 3
    assert candidacy.tenure(100 + STEP_DOWN_SECONDS) == 0
    assert a_standby().tenure(1) == 0


def test_a_leader_whose_renewals_fail_tries_on_and_steps_down_before_its_lease_is_over() -> None:
    candidacy = a_leader(0)
    at = RENEW_SECONDS
    while candidacy.leads(at):
        assert candidacy.next_step(at) == Renew()
        candidacy.failed(at)
        assert candidacy.next_step(at) == Wait(at + RETRY_SECONDS)
        at += RETRY_SECONDS
    assert at <= STEP_DOWN_SECONDS < WRITES_END_SECONDS < LEASE_SECONDS


def test_who_stepped_down_and_still_holds_the_lease_leads_again_by_renewing_it() -> None:
    candidacy = a_leader(0)
    assert not candidacy.leads(12)
    assert candidacy.next_step(12) == Renew()
    candidacy.renewed(a_lease("me", version=2), sent=12, now=12)
    assert candidacy.leads(12)


def test_a_refused_renewal_ends_the_lead_at_once() -> None:
    candidacy = a_leader(0)
    candidacy.refused(5)
    assert not candidacy.leads(5)
    assert candidacy.next_step(5) == Wait(5 + RETRY_SECONDS)
    assert candidacy.next_step(5 + RETRY_SECONDS) == Read()


def test_news_that_another_holds_the_lease_ends_the_lead_at_once() -> None:
    candidacy = a_leader(0)
    candidacy.saw(a_lease("other", version=2), 1)
    assert not candidacy.leads(1)


def test_old_news_changes_nothing() -> None:
    candidacy = Candidacy("me")
    candidacy.saw(a_lease("other", version=4), 0)
    candidacy.renewed(a_lease("me", version=5), sent=20, now=20)
    candidacy.saw(a_lease("other", version=4), 21)
    candidacy.saw_none(3)
    assert candidacy.leads(21)
    assert candidacy.holder == "me"


def test_of_a_deleted_lease_its_holder_makes_a_new_one_at_once_and_others_wait() -> None:
    leader, standby = a_leader(0), a_standby(0)
    leader.saw_none(2)
    standby.saw_none(2)
    assert not leader.leads(3)
    assert leader.next_step(3) == Create()
    assert standby.next_step(3) == Wait(LEASE_SECONDS)
    assert standby.next_step(LEASE_SECONDS) == Create()


def test_who_resigns_leads_no_more_and_has_a_lease_to_release() -> None:
    leader, standby = a_leader(0), a_standby(0)
    assert leader.resign()
    assert not leader.leads(0)
    assert not standby.resign()


# --- everything at once, in virtual time ---


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
    """What goes wrong, all of it until `calm_from`."""

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


times = st.floats(0, 120)
delays = st.lists(st.floats(0.001, 8), min_size=3, max_size=12)


@settings(max_examples=200)
@given(
    offsets=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=3),
    freezes=st.lists(st.tuples(st.integers(0, 2), times, st.floats(1, 60)), max_size=4),
    deaths=st.lists(st.tuples(st.integers(0, 2), times), max_size=1),
    delays=delays,
    lost=st.lists(st.booleans(), min_size=3, max_size=12).filter(lambda each: not all(each)),
)
def test_never_do_two_lead_and_in_the_end_exactly_one_does(
    offsets: list[float],
    freezes: list[tuple[int, float, float]],
    deaths: list[tuple[int, float]],
    delays: list[float],
    lost: list[bool],
) -> None:
    schedule, server = Schedule(), Server()
    world = Circumstances(delays, lost, calm_from=200)
    candidates = [Candidate(f"candidate-{at}", offset, schedule, server, world) for at, offset in enumerate(offsets)]

    def freeze(who: int, seconds: float) -> None:
        candidates[who % len(candidates)].frozen_until = schedule.now + seconds

    def kill(who: int) -> None:
        candidates[who % len(candidates)].alive = False

    for who, at, seconds in freezes:
        schedule.after(at, freeze, who, seconds)
    for who, at in deaths:
        schedule.after(at, kill, who)
    while schedule.now < 200 + REPLACED_WITHIN + 2 * max(delays):
        schedule.run_until(schedule.now + 0.25)
        for candidate in candidates:
            candidate.write()
        assert sum(candidate.leads or candidate.works_until > schedule.now for candidate in candidates) <= 1
    assert sum(candidate.leads for candidate in candidates) == 1
    before = len(server.writes)
    schedule.run_until(schedule.now + 100)
    (leader,) = (candidate for candidate in candidates if candidate.leads)
    assert {who for _, who in server.writes[before:]} == {leader.candidacy.identity}
    assert len(server.writes) - before <= 100 / RENEW_SECONDS


@given(offset=st.floats(-1e6, 1e6), dies_at=st.floats(0, 60))
def test_who_dies_is_replaced_in_time(offset: float, dies_at: float) -> None:
    schedule, server = Schedule(), Server()
    world = Circumstances([0.01], [False], calm_from=0)
    first = Candidate("first", 0, schedule, server, world)
    schedule.run_until(1)
    second = Candidate("second", offset, schedule, server, world)
    schedule.run_until(1 + dies_at)
    assert first.leads
    first.alive = False
    schedule.run_until(schedule.now + REPLACED_WITHIN)
    assert second.leads


def test_resigning_without_the_lease_leaves_nothing_to_release() -> None:
    assert not a_standby().resign()
    assert not Candidacy("me").resign()


def test_a_renewal_that_comes_back_as_anothers_lease_makes_no_leader() -> None:
    candidacy = a_standby()
    candidacy.renewed(a_lease("other", version=2), sent=1, now=2)
    assert not candidacy.leads(2)


def test_a_lease_is_made_held_by_its_candidate() -> None:
    assert Candidacy("me").content(NOON) == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2027-01-15T08:00:00.000000Z",
        "renewTime": "2027-01-15T08:00:00.000000Z",
        "leaseTransitions": 0,
    }


def test_a_takeover_fails_unless_the_lease_is_as_it_was_seen_and_counts_as_a_transition() -> None:
    patch = Candidacy("me").taking_over(replace(a_lease("other", renewed="noon"), transitions=4), NOON)

    assert patch.tests == (("/spec/holderIdentity", "other"), ("/spec/renewTime", "noon"))
    assert dict(patch.sets)["/spec/holderIdentity"] == "me"
    assert dict(patch.sets)["/spec/leaseTransitions"] == 5
    assert dict(patch.sets)["/spec/acquireTime"] == dict(patch.sets)["/spec/renewTime"]


def test_a_renewal_and_a_release_fail_once_another_holds_the_lease() -> None:
    renewal, release = Candidacy("me").renewing(NOON), Candidacy("me").releasing(NOON)

    assert renewal.tests == release.tests == (("/spec/holderIdentity", "me"),)
    assert dict(renewal.sets) == {
        "/spec/renewTime": "2027-01-15T08:00:00.000000Z",
        "/spec/leaseDurationSeconds": 15,
    }
    assert release.removes == ("/spec/holderIdentity",)
    assert dict(release.sets) == {"/spec/renewTime": "2027-01-15T08:00:00.000000Z"}
