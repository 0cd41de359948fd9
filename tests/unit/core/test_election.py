"""One leads at a time, whatever gets lost or late; who dies is replaced in time; and a quiet Lease costs little."""

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.core.leadership import RENEW_SECONDS
from simulation.candidates import Candidate, Circumstances, Server
from simulation.schedule import Schedule

REPLACED_WITHIN = 20.0
"""A leader that dies is replaced within so many seconds."""

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
