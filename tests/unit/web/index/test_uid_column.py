"""A uid is returned as it was stored, however it is written."""

from hypothesis import given
from hypothesis import strategies as st

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
