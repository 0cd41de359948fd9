from typing import Any

import pytest

from provisioner_operator.core.model.json_patch import JsonPatch

BODY: dict[str, Any] = {
    "metadata": {"uid": "a", "annotations": {"example.org/mark": "x"}},
    "status": {"phase": "Pending"},
}


@pytest.mark.parametrize(
    ("path", "value", "holds"),
    [
        ("/metadata/uid", "a", True),
        ("/metadata/uid", "b", False),
        ("/metadata/annotations/example.org~1mark", "x", True),
        ("/status/assignment", None, True),
        ("/status/assignment/id", None, True),
        ("/status/phase/deeper", None, True),
        ("/status/phase", None, False),
    ],
)
def test_a_patch_knows_whether_its_tests_hold(path: str, value: str | None, *, holds: bool) -> None:
    assert JsonPatch(tests=((path, value),), sets=()).holds_for(BODY) is holds


def test_all_tests_have_to_hold() -> None:
    tests = (("/metadata/uid", "a"), ("/status/phase", "Running"))
    assert not JsonPatch(tests=tests, sets=()).holds_for(BODY)
