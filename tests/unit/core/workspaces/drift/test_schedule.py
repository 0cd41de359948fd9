"""The schedule of checks for drift: never too often, always again, and spread over the workspaces."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.limits import LONGEST_DRIFT_CHECK_SECONDS, SHORTEST_DRIFT_CHECK_SECONDS
from provisioner_operator.core.workspaces.drift.schedule import seconds_to_check, slot_at
from support.builders.core import NOON

UIDS = st.uuids().map(str)
INTERVALS = st.integers(SHORTEST_DRIFT_CHECK_SECONDS, LONGEST_DRIFT_CHECK_SECONDS)
TIMES = st.floats(NOON, NOON + 10 * LONGEST_DRIFT_CHECK_SECONDS)


def next_check(uid: str, interval: int, since: float, now: float) -> float:
    """The time of the next check of a workspace whose last build or check ended at `since`, by a loop that wakes when asked to."""
    while wait := seconds_to_check(slot_at(uid, interval, now), since, now):
        now = now + wait
    return now


def test_a_workspace_keeps_its_slots_in_later_versions() -> None:
    slot = slot_at("5f3c2a1e-0000-4000-8000-000000000000", 86_400, NOON)
    assert (slot.number, slot.start) == (19840, 1_799_946_798)


@given(UIDS, INTERVALS, TIMES)
def test_a_time_lies_in_its_slot_and_the_slots_follow_upon_each_other(uid: str, interval: int, time: float) -> None:
    slot = slot_at(uid, interval, time)

    assert slot.start <= time < slot.end
    assert slot.start < slot.closes < slot.end
    following = slot_at(uid, interval, slot.end)
    assert (following.number, following.start) == (slot.number + 1, slot.end)


@given(UIDS, INTERVALS, TIMES, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 10**6)), min_size=2, max_size=6))
def test_two_checks_are_never_closer_than_the_interval(
    uid: str, interval: int, now: float, delays: list[tuple[float, float]]
) -> None:
    """However late in its window each begins, and however long it takes."""
    since, begun = now, [float("-inf")]
    for share, lasts in delays:
        due = next_check(uid, interval, since, now)
        begins = due + share * max(slot_at(uid, interval, due).closes - due - 1, 0)
        assert seconds_to_check(slot_at(uid, interval, begins), since, begins) == 0
        begun.append(begins)
        since = now = begins + lasts

    assert all(later - earlier >= interval for earlier, later in pairwise(begun))


@given(UIDS, INTERVALS, TIMES, st.floats(0, 10**7))
def test_a_check_always_follows_within_one_slot(uid: str, interval: int, since: float, missed: float) -> None:
    """Also after an outage of whatever length: the next slot is never further than its length."""
    now = since + missed
    slot = slot_at(uid, interval, now)

    assert next_check(uid, interval, since, now) - now <= slot.end - slot.start


@given(st.sampled_from([SHORTEST_DRIFT_CHECK_SECONDS, 3600, 86_400]), st.floats(NOON, NOON + 10**6))
def test_a_thousand_workspaces_are_not_checked_at_the_same_time(interval: int, now: float) -> None:
    """Neither if they were all built at once, nor if the checks of all were enabled, or missed, at once."""
    for since in (now, now - 10 * interval):
        checks = [next_check(f"uid-{number}", interval, since, now) for number in range(1000)]
        minutes = Counter(int((each - now) / (interval / 20)) for each in checks)
        at_once = sum(each == now for each in checks)

        # Of what was missed, only those whose window it is are due at once: an eleventh of the shortest interval's slot.
        assert at_once <= (0 if since == now else 1000 / 11 * 1.5)
        assert max(count for share, count in minutes.items() if share > 0) < 1000 / 20 * 2


@given(UIDS, INTERVALS, TIMES)
def test_consecutive_checks_have_different_keys(uid: str, interval: int, time: float) -> None:
    slot = slot_at(uid, interval, time)

    assert len(slot.key) == 3
    assert slot.key.isalpha()
    assert slot_at(uid, interval, slot.end).key != slot.key
