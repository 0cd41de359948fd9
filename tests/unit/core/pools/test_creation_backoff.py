"""Pods that are being made: each once, and not in a tight loop where they fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.pools.creation_backoff import (
    LONGEST_CREATION_BACKOFF_SECONDS,
    Creations,
    CreationState,
    pod_names,
)
from provisioner_operator.core.pools.members import Trouble
from support.builders.core import at
from support.builders.pools import a_pool, over, working

QUOTA = Trouble("Forbidden", "exceeded quota")


def paused(creations: Creations, seconds: float) -> float:
    """The seconds for which no Pod may be created, as of that many seconds after noon."""
    return max(0.0, creations.state().resume_at - at(seconds).monotonic)


def test_a_pod_is_on_its_way_from_the_request_to_its_answer() -> None:
    creations = Creations()
    creations.begin("a")
    creations.begin("b")
    assert creations.state().under_way == {"a", "b"}

    creations.created("a")
    creations.refused("b", QUOTA, at(0))
    assert not creations.state().under_way


def test_a_request_without_an_answer_is_made_again_under_its_name() -> None:
    creations = Creations()
    creations.begin("a")
    creations.unanswered("a")
    assert creations.state() == CreationState(unanswered=("a",))

    creations.begin("a")
    assert creations.state() == CreationState(under_way=frozenset({"a"}))


def test_a_pod_that_shows_up_answers_the_request() -> None:
    creations = Creations()
    creations.begin("a")
    creations.unanswered("a")
    creations.watch([working("a")], at(1))

    assert creations.state() == CreationState()


def test_the_pause_doubles_with_each_failure_up_to_five_minutes() -> None:
    creations, time, pauses = Creations(), 0.0, []
    for number in range(8):
        creations.watch([over(f"pod-{number}", created=time, finished=time + 1)], at(time))
        pauses.append(paused(creations, time))
        time += pauses[-1]

    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]


def test_pods_may_be_refused_for_weeks() -> None:
    creations, time = Creations(), 0.0
    for number in range(2000):
        creations.refused(f"pod-{number}", QUOTA, at(time))
        time += paused(creations, time)

    assert (time > 6 * 86_400, paused(creations, time - 300)) == (True, 300)


def test_a_new_attempt_is_made_at_once_but_what_went_wrong_is_still_known() -> None:
    creations = Creations()
    creations.watch([over("a")], at(0))
    creations.watch([over("a"), over("b", created=10, finished=11)], at(11))
    creations.try_again()
    creations.watch([over("a"), over("b", created=10, finished=11)], at(12))
    assert paused(creations, 12) == 0
    assert creations.state().failing is not None

    creations.watch([over("c", created=12, finished=13)], at(13))
    assert paused(creations, 13) == 40


def test_pods_that_fail_together_count_once() -> None:
    creations = Creations()
    creations.watch([over("a"), over("b")], at(0))
    creations.watch([over("a"), over("b"), over("c")], at(1))

    assert paused(creations, 0) == 10


def test_a_failure_counts_once_however_long_its_pod_is_kept() -> None:
    creations = Creations()
    for time in range(0, 200, 10):
        creations.watch([over("a")], at(time))

    assert paused(creations, 0) == 10


@pytest.mark.parametrize(
    "member", [over("a", failed=False), over("a", ran=3600), working("a")], ids=["done", "old", "alive"]
)
def test_a_pod_that_worked_and_then_ended_holds_up_nobody(member: object) -> None:
    creations = Creations()
    creations.watch([member], at(0))  # type: ignore[list-item]

    assert creations.state() == CreationState()


def test_a_failure_is_reported_with_the_pods_name_and_the_containers_words() -> None:
    creations = Creations()
    creations.watch([over("a")], at(0))

    assert creations.state().failing == Trouble("Error", "Pod a: Error: exit code 1")


def test_a_refusal_is_a_failure() -> None:
    creations = Creations()
    creations.begin("a")
    creations.refused("a", QUOTA, at(0))

    assert (paused(creations, 0), creations.state().failing) == (10, QUOTA)
    assert creations.state().is_refused
    assert creations.state().forget_at == at(10 + LONGEST_CREATION_BACKOFF_SECONDS).monotonic


def test_a_later_pod_that_stands_for_a_minute_ends_the_failure() -> None:
    creations = Creations()
    creations.watch([over("a")], at(5))
    newer = working("b", created=20, ready_since=25)

    creations.watch([over("a"), newer], at(84.9))
    assert creations.state().failing is not None
    creations.watch([over("a"), newer], at(85))
    assert creations.state() == CreationState()


def test_an_earlier_pod_that_stands_says_nothing_about_a_failure() -> None:
    creations, before = Creations(), working("before", created=0, ready_since=1)
    creations.watch([before, over("a", created=1)], at(5))
    creations.watch([before, over("a", created=1)], at(200))
    assert creations.state().failing is not None

    refused = Creations()
    refused.refused("b", QUOTA, at(100))
    refused.watch([before], at(100))
    refused.watch([before], at(200))
    assert refused.state().failing == QUOTA


def test_a_failure_that_nothing_followed_is_forgotten() -> None:
    creations = Creations()
    creations.watch([over("a")], at(0))
    creations.watch([], at(10 + LONGEST_CREATION_BACKOFF_SECONDS - 1))
    assert creations.state().failing is not None

    creations.watch([], at(10 + LONGEST_CREATION_BACKOFF_SECONDS))
    assert creations.state() == CreationState()


@given(count=st.integers(0, 50), taken=st.integers(0, 50), time=st.floats(0, 1e6))
def test_names_are_new_valid_and_the_same_for_the_same_moment(count: int, taken: int, time: float) -> None:
    pool = a_pool("n" * 57)
    used = pod_names(pool, taken, [], at(time))
    names = pod_names(pool, count, used, at(time))

    assert len(set(names)) == count
    assert not set(names) & set(used)
    assert all(len(name) == 63 and name.startswith(f"{pool.name}-") for name in names)
    assert names == pod_names(pool, count, used, at(time))


def test_names_of_another_moment_are_others() -> None:
    assert not set(pod_names(a_pool(), 20, [], at(0))) & set(pod_names(a_pool(), 20, [], at(0.001)))


def test_a_request_that_is_not_in_flight_cannot_go_unanswered() -> None:
    creations = Creations()
    creations.unanswered("a")

    assert creations.state() == CreationState()
