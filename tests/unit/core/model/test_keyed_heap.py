from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from provisioner_operator.core.model.keyed_heap import KeyedHeap

keys = st.sampled_from("abcdef")
priorities = st.integers(0, 4)


class ComparedWithAList(RuleBasedStateMachine):
    """The heap beside the simplest thing that does the same: a list that is searched."""

    def __init__(self) -> None:
        super().__init__()
        self.heap: KeyedHeap[str, int] = KeyedHeap()
        self.entries: list[tuple[int, str]] = []
        """In order of arrival."""

    def _first(self) -> tuple[int, str] | None:
        return min(self.entries, key=lambda entry: entry[0], default=None)

    @rule(key=keys, priority=priorities)
    def put(self, key: str, priority: int) -> None:
        self.heap.put(key, priority)
        if (priority, key) not in self.entries:
            self.entries = [entry for entry in self.entries if entry[1] != key] + [(priority, key)]

    @rule(key=keys)
    def discard(self, key: str) -> None:
        self.heap.discard(key)
        self.entries = [entry for entry in self.entries if entry[1] != key]

    @rule()
    def pop(self) -> None:
        first = self._first()
        assert self.heap.pop() == first
        if first is not None:
            self.entries.remove(first)

    @rule(limit=priorities)
    def pop_due(self, limit: int) -> None:
        due = sorted((entry for entry in self.entries if entry[0] <= limit), key=lambda entry: entry[0])
        assert self.heap.pop_due(limit) == [key for _, key in due]
        self.entries = [entry for entry in self.entries if entry[0] > limit]

    @invariant()
    def is_equal(self) -> None:
        assert len(self.heap) == len(self.entries)
        assert self.heap.peek() == self._first()
        assert all((key in self.heap) == any(entry[1] == key for entry in self.entries) for key in "abcdef")


TestComparedWithAList = ComparedWithAList.TestCase
TestComparedWithAList.settings = settings(max_examples=60, stateful_step_count=40)


def test_the_first_of_nothing_is_an_error() -> None:
    with pytest.raises(LookupError):
        KeyedHeap[str, int]().first()


def test_moving_one_key_for_ever_takes_no_more_room() -> None:
    heap: KeyedHeap[str, int] = KeyedHeap()
    for priority in range(10_000):
        heap.put("a", priority)
    assert len(heap._heap) < 100  # noqa: SLF001 - what is promised is what it holds inside
    assert heap.peek() == (9_999, "a")


def test_moving_many_keys_for_ever_takes_no_more_room_and_keeps_their_order() -> None:
    heap: KeyedHeap[int, int] = KeyedHeap()
    most = 0
    for turn in range(50):
        for key in range(100):
            heap.put(key, (key * 37 + turn * 11) % 101)
            most = max(most, len(heap._heap))  # noqa: SLF001 - what is promised is what it holds inside
    expected = sorted((key * 37 + 49 * 11) % 101 for key in range(100))

    assert most <= 2 * 100 + 64 + 1
    assert [entry[0] for _ in range(100) if (entry := heap.pop()) is not None] == expected


@pytest.mark.parametrize("arrangement", [range(70), range(69, -1, -1), [(each * 31) % 70 for each in range(70)]])
def test_what_is_left_after_a_compaction_comes_out_in_order(arrangement: Iterable[int]) -> None:
    heap: KeyedHeap[int, int] = KeyedHeap()
    for key in range(70):
        heap.put(key, 0)
    # The 205th entry compacts the heap: each key is then at a place that says nothing of its priority.
    for turn in range(2):
        for key, priority in enumerate(arrangement):
            heap.put(key, priority + 1 + 100 * turn)

    assert heap.pop_due(1000) == [key for key, _ in sorted(enumerate(arrangement), key=lambda entry: entry[1])]
