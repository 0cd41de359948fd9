"""The last versions of a state: which are kept, and which may be restored."""

import pytest

from provisioner_operator.core.states import versions as state_versions
from provisioner_operator.core.states.file import StateFile, UnreadableStateError, pack, read_state, unpack
from provisioner_operator.core.states.versions import (
    MOST_BYTES,
    MOST_VERSIONS,
    NotRestorableError,
    StateHistory,
    restored,
    with_version,
)
from support.builders.states import a_state


def added(history: StateHistory, text: bytes, *, origin: str = "after dev-1") -> StateHistory:
    return with_version(history, read_state(text), pack(text), origin=origin, now=100.0)


def of(*texts: bytes) -> StateHistory:
    history = StateHistory()
    for text in texts:
        history = added(history, text)
    return history


def a_file(**fields: int | str) -> StateFile:
    return read_state(a_state(**fields))  # type: ignore[arg-type]


def test_a_version_says_what_it_is_and_where_it_was_found() -> None:
    text = a_state(serial=4, lineage="x", resources=3)
    (version,) = of(text).versions
    assert (version.number, version.serial, version.lineage, version.resources) == (1, 4, "x", 3)
    assert (version.size, version.kept, version.origin) == (len(text), 100.0, "after dev-1")
    assert of(text).packed[1] == pack(text)


def test_the_state_that_is_the_newest_version_is_not_kept_again() -> None:
    history = of(a_state(serial=1), a_state(serial=2))
    assert added(history, a_state(serial=2)) is history
    assert len(added(history, a_state(serial=1)).versions) == 3  # pushed back by hand


def test_another_state_of_the_same_serial_is_another_version() -> None:
    assert len(of(a_state(serial=2), a_state(serial=2, resources=1)).versions) == 2
    assert len(of(a_state(serial=2), a_state(serial=2, lineage="y")).versions) == 2


def test_the_last_ten_versions_are_kept_and_no_number_is_used_again() -> None:
    history = of(*(a_state(serial=serial) for serial in range(1, 15)))
    assert [each.number for each in history.versions] == [*range(5, 15)]
    assert history.packed.keys() == {*range(5, 15)}
    assert history.version(5) is history.versions[0]
    assert history.version(4) is None
    assert len(history.versions) == MOST_VERSIONS


def test_all_versions_together_are_bounded_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [a_state(serial=serial, noise=4000) for serial in (1, 2, 3)]
    monkeypatch.setattr(state_versions, "MOST_BYTES", sum(len(pack(each)) for each in states[1:]))
    assert [each.serial for each in of(*states).versions] == [2, 3]


def test_a_state_that_is_too_large_is_not_kept_and_drops_nothing() -> None:
    history = of(a_state(serial=1))
    with pytest.raises(UnreadableStateError, match=f"at most {MOST_BYTES:,} are kept"):
        added(history, a_state(serial=2, noise=3 * MOST_BYTES))
    assert [each.serial for each in history.versions] == [1]


def test_an_older_version_is_left_out_only_with_all_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large, newest = a_state(serial=1), a_state(serial=2, noise=8000), a_state(serial=3)
    monkeypatch.setattr(state_versions, "MOST_BYTES", len(pack(large)))
    assert [each.serial for each in of(small, large, newest).versions] == [3]


@pytest.mark.parametrize(
    ("current", "serial"),
    [
        (None, 5),
        (a_file(serial=9), 10),
        (a_file(serial=2), 5),
        (a_file(serial=9, resources=1), 10),
        (a_file(serial=1, lineage="other"), 5),
    ],
)
def test_a_restored_version_is_newer_than_all_before(current: StateFile | None, serial: int) -> None:
    state = read_state(unpack(restored(a_file(serial=4, resources=2), current)))
    assert (state.serial, state.resources, state.lineage) == (serial, 2, "lineage")


def test_a_version_of_before_the_workspace_was_created_anew_is_not_restored_over_its_resources() -> None:
    with pytest.raises(NotRestorableError, match="another lineage, and its 1 resources"):
        restored(a_file(serial=4), a_file(serial=1, lineage="other", resources=1))


def test_a_version_whose_serial_cannot_be_raised_is_not_restored() -> None:
    odd = b'{"outputs": {"serial": 1}, "serial": 1, "lineage": "x", "resources": []}'
    with pytest.raises(NotRestorableError, match="Push it by hand"):
        restored(read_state(odd), None)
