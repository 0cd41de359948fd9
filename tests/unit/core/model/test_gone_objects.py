"""Objects that are over: what is observed of them late is no news."""

import pytest

from provisioner_operator.core.model import gone_objects
from provisioner_operator.core.model.gone_objects import DELETED, GoneObjects


@pytest.mark.parametrize(
    ("added", "covered", "outdated"),
    [
        ([], [], []),
        ([5], [0, 4, 5], [0, 4]),
        ([5, 7], [0, 4, 5, 6, 7], [0, 4, 5, 6]),
        ([7, 5], [0, 4, 5, 6, 7], [0, 4, 5, 6]),
        ([DELETED], [0, 4, 5, 6, 7, 8], [0, 4, 5, 6, 7, 8]),
        ([DELETED, 5], [0, 4, 5, 6, 7, 8], [0, 4, 5, 6, 7, 8]),
    ],
)
def test_what_was_over_in_a_version_is_over_in_all_up_to_it(
    added: list[float], covered: list[int], outdated: list[int]
) -> None:
    gone = GoneObjects()
    for version in added:
        gone.add("uid", version)
    versions = [0, 4, 5, 6, 7, 8]
    assert [each for each in versions if gone.covers("uid", each)] == covered
    assert [each for each in versions if gone.outdates("uid", each)] == outdated
    assert gone.has_deleted("uid") is (DELETED in added)
    assert not gone.covers("another", 0)


def test_those_that_were_added_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone_objects, "MOST_REMEMBERED", 2)
    gone = GoneObjects()
    for uid in ("a", "b", "a", "c"):
        gone.add(uid)
    assert [uid for uid in "abc" if gone.has_deleted(uid)] == ["a", "c"]
