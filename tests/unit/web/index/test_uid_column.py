"""A uid is returned as it was stored, however it is written, and found by any part of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.index import uid_column
from provisioner_operator.web.index.uid_column import UidColumn

UIDS = st.uuids().map(str) | st.text(max_size=40) | st.uuids().map(lambda uid: str(uid).upper()) | st.just("00-11")


@given(st.lists(UIDS), st.lists(st.tuples(st.integers(0, 9), UIDS)))
def test_each_slot_has_the_uid_that_was_stored_last(first: list[str], later: list[tuple[int, str]]) -> None:
    column = UidColumn()
    expected = dict(enumerate(first))
    changes = {slot: uid for slot, uid in later if slot < len(first)}
    for slot, uid in expected.items():
        column.put(slot, uid)
    for slot, uid in changes.items():
        column.put(slot, uid)

    assert {slot: column.get(slot) for slot in expected} == expected | changes


@given(st.lists(UIDS, min_size=1, max_size=6), st.data())
def test_a_uid_is_found_by_each_part_of_at_least_four_characters(uids: list[str], data: st.DataObject) -> None:
    column = UidColumn()
    for slot, uid in enumerate(uids):
        column.put(slot, uid)
    chosen = data.draw(st.sampled_from(uids)).lower()
    start = data.draw(st.integers(0, len(chosen)))
    part = chosen[start : data.draw(st.integers(start, len(chosen)))]
    for word in (part, part.replace("-", ""), f"{part}-", f"-{part}", f"{part}g"):
        expected = {slot for slot, uid in enumerate(uids) if len(word) >= 4 and word in uid.lower()}
        assert set(column.containing(word)) == expected


def test_a_word_is_found_in_any_of_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uid_column, "_BLOCK", 2)
    column = UidColumn()
    for slot in range(5):
        column.put(slot, f"{slot:08x}-aaaa-4bbb-8ccc-dddddddddddd")
    assert list(column.containing("00000004-a")) == [4]
    # None goes from the end of one uid into the next.
    assert list(column.containing("dddd0000")) == []
