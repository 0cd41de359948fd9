"""Slots are found by the keys of their rows, whatever was added and removed before."""

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from provisioner_operator.web.index.slot_table import SlotTable


class Colliding(str):
    """A key of which many have the same hash."""

    __slots__ = ()

    @override
    def __hash__(self) -> int:
        return len(self)


KEYS = st.text("ab", max_size=4).map(Colliding)


@given(st.lists(st.tuples(KEYS, st.booleans()), max_size=60))
def test_what_was_added_and_not_removed_is_found(steps: list[tuple[Colliding, bool]]) -> None:
    rows: list[Colliding] = []
    table: SlotTable[Colliding] = SlotTable(rows.__getitem__)
    slots: dict[Colliding, int] = {}
    for key, is_added in steps:
        if is_added:
            rows.append(key)
            table.add(key, len(rows) - 1)
            slots[key] = len(rows) - 1
        elif key in slots:
            table.remove(key, slots.pop(key))

    assert len(table) == len(slots)
    assert {key: table.find(key) for key, _ in steps} == {key: slots.get(key) for key, _ in steps}


def test_a_slot_that_lost_its_key_to_another_is_not_removed_for_it() -> None:
    rows = ["name", "name"]
    table: SlotTable[str] = SlotTable(rows.__getitem__)
    table.add("name", 0)
    table.add("name", 1)
    table.remove("name", 0)
    assert table.find("name") == 1


def test_many_keys_come_and_go_without_end() -> None:
    rows = [str(number) for number in range(5000)]
    table: SlotTable[str] = SlotTable(rows.__getitem__)
    for slot, key in enumerate(rows):
        table.add(key, slot)
        if slot >= 100:
            table.remove(rows[slot - 100], slot - 100)

    assert len(table) == 100
    assert [table.find(key) for key in rows[-100:]] == list(range(4900, 5000))
    assert all(table.find(key) is None for key in rows[:4900])
