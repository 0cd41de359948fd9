"""A repeated request is recognized by what the workspace remembers, which the first one wrote with its change."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import IDEMPOTENCY_KEY_ANNOTATION
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.workspaces.idempotency_key import KeyedRequest, earlier_request, remembering
from provisioner_operator.kube.object_states import meta_of

FIRST = KeyedRequest.of("ada", "k", "start", 3)
CHANGE = JsonPatch(tests=(("/metadata/uid", "u"),), sets=(("/spec/running", True),))
POINTER = "/metadata/annotations/provisioner.dev~1idempotency-key"


def a_workspace(annotations: dict[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "dev", "uid": "u", "annotations": annotations}}


def written(patch: JsonPatch, before: dict[str, Any]) -> dict[str, Any]:
    """The workspace with the annotations that the patch writes."""
    value = dict(patch.sets)
    if POINTER in value:
        return a_workspace({**before["metadata"]["annotations"], IDEMPOTENCY_KEY_ANNOTATION: str(value[POINTER])})
    added = value["/metadata/annotations"]
    assert isinstance(added, dict)
    return a_workspace({key: str(each) for key, each in added.items()})


@pytest.mark.parametrize("annotations", [None, {"team": "core"}, {IDEMPOTENCY_KEY_ANNOTATION: "other-1"}])
def test_a_repetition_finds_the_builds_before_the_first_request(annotations: dict[str, str] | None) -> None:
    before = a_workspace(annotations)
    patch = remembering(CHANGE, meta_of(before), FIRST)
    assert patch.tests[0] == CHANGE.tests[0]
    assert patch.sets[0] == CHANGE.sets[0]
    assert patch.holds_for(before)

    after = written(patch, before)
    assert earlier_request(meta_of(after), KeyedRequest.of("ada", "k", "start", 4)) == FIRST
    assert not patch.holds_for(after), "of two equal requests at the same time, one must fail"
    assert (annotations or {}).items() - after["metadata"]["annotations"].items() <= {
        (IDEMPOTENCY_KEY_ANNOTATION, "other-1")
    }


@pytest.mark.parametrize(
    "other",
    [
        KeyedRequest.of("sam", "k", "start", 3),
        KeyedRequest.of("ada", "l", "start", 3),
        KeyedRequest.of("ada", "k", "stop", 3),
    ],
)
def test_another_user_key_or_content_is_another_request(other: KeyedRequest) -> None:
    before = a_workspace()
    after = written(remembering(CHANGE, meta_of(before), FIRST), before)
    assert earlier_request(meta_of(after), other) is None


@pytest.mark.parametrize("value", ["", FIRST.digest, f"{FIRST.digest}-", f"{FIRST.digest}-x"])
def test_an_annotation_that_is_no_request_is_none(value: str) -> None:
    assert earlier_request(meta_of(a_workspace({IDEMPOTENCY_KEY_ANNOTATION: value})), FIRST) is None
