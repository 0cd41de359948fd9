"""Items that come and go in any order stay sorted."""

from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.model.sorted_list import SortedList

Item = tuple[int, str]

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.text("abc", max_size=3)), unique=True, max_size=120)


def a_list() -> SortedList[Item]:
    return SortedList(itemgetter(0), itemgetter(1))


@given(ITEMS)
def test_items_are_in_order_whenever_they_came(items: list[Item]) -> None:
    found = a_list()
    for item in items:
        found.add(item)

    assert len(found) == len(items)
    assert list(found) == sorted(items)
    assert [found.index_of(item) for item in sorted(items)] == list(range(len(items)))


@given(ITEMS, st.lists(st.booleans(), min_size=120, max_size=120))
def test_removed_items_are_gone(items: list[Item], is_removed: list[bool]) -> None:
    found = a_list()
    kept = []
    for item, gone in zip(items, is_removed, strict=False):
        found.add(item)
        if gone:
            found.remove(item)
        else:
            kept.append(item)

    assert list(found) == sorted(kept)
    assert found[:2] == sorted(kept)[:2]


@given(ITEMS, st.integers(-1, 4), st.text("abc", max_size=3))
def test_what_comes_before_a_place_is_counted(items: list[Item], key: int, tie: str) -> None:
    found = a_list()
    for item in items:
        found.add(item)

    assert found.count_before(key, lambda: tie) == sum(item < (key, tie) for item in items)
    assert found.count_below(key) == sum(item[0] < key for item in items)


def test_many_late_items_are_sorted_in_together() -> None:
    found = a_list()
    items = [(min(number // 3, 50), str(number)) for number in range(200)] + [(51, ""), (52, "")]
    for item in reversed(items):
        found.add(item)
    assert list(found) == sorted(items)


def test_an_item_that_was_never_there_is_not_taken_for_another() -> None:
    found = a_list()
    found.add((1, "a"))
    with pytest.raises(LookupError):
        found.remove((1, "b"))
    with pytest.raises(LookupError):
        found.remove((0, "a"))
    assert list(found) == [(1, "a")]
