from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from typing_extensions import override

from provisioner_operator.core.model.backoff import (
    LONGEST_PAUSE_SECONDS,
    TRANSIENT_FAILURES,
    Backoff,
    Refusal,
    pause_after,
)
from provisioner_operator.core.model.work_queue import WorkQueue

REFUSAL = Refusal("Forbidden", "no")


@pytest.fixture
def queue() -> WorkQueue[str]:
    return WorkQueue()


def popped(queue: WorkQueue[str], now: float = 0) -> list[str]:
    return list(_pop_all(queue, now))


def _pop_all(queue: WorkQueue[str], now: float) -> Iterator[str]:
    while (key := queue.pop(now)) is not None:
        yield key


def test_keys_come_in_order_of_arrival_each_once(queue: WorkQueue[str]) -> None:
    queue.add("b")
    queue.add("a", "b")
    assert popped(queue) == ["b", "a"]
    assert popped(queue) == []


def test_a_deadline_hands_the_key_out_when_it_has_passed(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 10)
    assert popped(queue, 9) == []
    assert queue.next_wake() == 10
    assert popped(queue, 10) == ["a"]
    assert queue.next_wake() is None


def test_a_new_deadline_replaces_the_one_before(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 10)
    queue.add_after("a", 20)
    assert popped(queue, 15) == []
    queue.add_after("a", None)
    assert popped(queue, 30) == []


def test_a_key_under_way_comes_once_its_work_is_done(queue: WorkQueue[str]) -> None:
    queue.begin("a")
    queue.add("a")
    assert popped(queue) == []
    assert queue.is_under_way("a")
    queue.done("a")
    assert popped(queue) == ["a"]


def test_work_that_is_done_brings_nothing_up_by_itself(queue: WorkQueue[str]) -> None:
    queue.begin("a")
    queue.done("a")
    assert popped(queue) == []


def test_a_parked_key_comes_once_it_is_unparked(queue: WorkQueue[str]) -> None:
    queue.park("a")
    queue.add("a")
    assert popped(queue) == []
    queue.unpark("a")
    assert popped(queue) == ["a"]


def test_a_key_that_is_both_parked_and_under_way_waits_for_both(queue: WorkQueue[str]) -> None:
    queue.park("a")
    queue.begin("a")
    queue.add("a")
    assert popped(queue) == []
    queue.done("a")
    assert popped(queue) == []
    queue.unpark("a")
    assert popped(queue) == ["a"]


def test_a_refused_key_comes_after_a_second_then_twice_as_late_each_time(queue: WorkQueue[str]) -> None:
    now = 0.0
    for pause in (1, 2, 4, 8):
        queue.back_off("a", "Write", REFUSAL, now)
        queue.add("a")
        assert popped(queue, now + pause - 0.01) == []
        assert queue.next_wake() == now + pause
        assert popped(queue, now + pause) == ["a"]
        now += pause


def test_a_transient_refusal_that_lasts_for_minutes_is_reported_like_any_other() -> None:
    backoff, now, reported = Backoff(), 0.0, []
    for failure in range(1, 2 * TRANSIENT_FAILURES):
        if backoff.refused("Write", replace(REFUSAL, transient=True), now):
            reported.append(failure)
        assert backoff.refusal is not None
        assert backoff.refusal.transient is (failure < TRANSIENT_FAILURES)
        assert backoff.until - now <= 5
        now = backoff.until
    assert reported == [1, TRANSIENT_FAILURES]


def test_a_change_of_the_object_ends_the_pause(queue: WorkQueue[str]) -> None:
    queue.back_off("a", "Write", REFUSAL, 0)
    queue.add("a")
    assert popped(queue) == []
    queue.forget("a")
    queue.add("a")
    assert popped(queue) == ["a"]


def test_only_the_first_refusal_of_a_kind_or_for_a_reason_is_news(queue: WorkQueue[str]) -> None:
    assert queue.back_off("a", "Write", REFUSAL, 0)
    assert not queue.back_off("a", "Write", Refusal("Forbidden", "other words"), 1)
    assert queue.back_off("a", "Other", REFUSAL, 2)
    assert queue.back_off("a", "Other", Refusal("Denied", "no"), 3)
    queue.forget("a")
    assert queue.back_off("a", "Other", Refusal("Denied", "no"), 4)


def test_ready_shows_what_is_due_and_takes_nothing(queue: WorkQueue[str]) -> None:
    queue.add_after("later", 5)
    queue.add("now")
    assert queue.ready(4) == ("now",)
    assert queue.ready(5) == ("now", "later")
    assert popped(queue, 5) == ["now", "later"]


def test_nothing_is_kept_of_a_discarded_key(queue: WorkQueue[str]) -> None:
    for number in range(10_000):
        key = str(number)
        queue.add(key)
        queue.add_after(key, number)
        queue.park(key)
        queue.back_off(key, "Write", REFUSAL, 0)
        assert queue.pop(-1) is None
        queue.discard(key)
    assert _kept(queue) < 100


def test_work_under_way_on_a_discarded_key_still_ends(queue: WorkQueue[str]) -> None:
    queue.begin("a")
    queue.discard("a")
    queue.add("a")
    assert popped(queue) == []
    queue.done("a")
    assert popped(queue) == ["a"]
    assert _kept(queue) == 0


def _kept(queue: WorkQueue[str]) -> int:
    """The number of entries anywhere inside, including stale ones of the heap."""
    parts = [*vars(queue).values(), *vars(queue.__dict__["_later"]).values()]
    return sum(len(part) for part in parts if hasattr(part, "__len__"))


keys = st.sampled_from("abc")


class ComparedWithSets(RuleBasedStateMachine):
    """The queue beside what anybody expects of it."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: WorkQueue[str] = WorkQueue()
        self.now = 0.0
        self.owed: set[str] = set()
        self.under_way: set[str] = set()
        self.parked: set[str] = set()
        self.failures: dict[str, int] = {}
        self.not_before: dict[str, float] = {}

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.queue.add(key)
        self.owed.add(key)

    @rule(key=keys, seconds=st.integers(0, 5))
    def add_after(self, key: str, seconds: int) -> None:
        self.queue.add_after(key, self.now + seconds)

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def pop(self) -> None:
        key = self.queue.pop(self.now)
        if key is None:
            assert not [each for each in self.owed - self.under_way - self.parked if self._may_come(each)]
        else:
            assert key not in self.under_way | self.parked
            assert self._may_come(key)
            self.owed.discard(key)

    @rule(key=keys)
    def begin(self, key: str) -> None:
        self.queue.begin(key)
        self.under_way.add(key)

    @rule(key=keys)
    def done(self, key: str) -> None:
        self.queue.done(key)
        self.under_way.discard(key)

    @rule(key=keys)
    def park(self, key: str) -> None:
        self.queue.park(key)
        self.parked.add(key)

    @rule(key=keys)
    def unpark(self, key: str) -> None:
        self.queue.unpark(key)
        self.parked.discard(key)

    @rule(key=keys)
    def back_off(self, key: str) -> None:
        self.queue.back_off(key, "Write", REFUSAL, self.now)
        self.failures[key] = self.failures.get(key, 0) + 1
        self.not_before[key] = self.now + pause_after(self.failures[key])

    @rule(key=keys)
    def change(self, key: str) -> None:
        """The object changed: whoever lifts a pause adds the key, and only then it comes at once."""
        self.queue.forget(key)
        self._forget(key)
        self.add(key)

    @rule(key=keys)
    def discard(self, key: str) -> None:
        self.queue.discard(key)
        self._forget(key)
        self.owed.discard(key)
        self.parked.discard(key)

    @override
    def teardown(self) -> None:
        """In the end all that was added comes."""
        for key in "abc":
            self.done(key)
            self.unpark(key)
        self.now += LONGEST_PAUSE_SECONDS
        for _ in range(10):
            self.pop()
        assert not self.owed

    def _may_come(self, key: str) -> bool:
        return self.now >= self.not_before.get(key, 0.0)

    def _forget(self, key: str) -> None:
        self.failures.pop(key, None)
        self.not_before.pop(key, None)


TestWorkQueueComparedWithSets = ComparedWithSets.TestCase
TestWorkQueueComparedWithSets.settings = settings(max_examples=100, stateful_step_count=40)
