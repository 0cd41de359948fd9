"""The states of workspaces that clients show."""

from typing import Any

import pytest

from provisioner_operator.kube.workspace_states import workspace_state
from support.builders.manifests import a_workspace_manifest


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        ({"job": "dev-2", "transition": "Stop", "version": "docker-2"}, ("dev-2", "Stop", "docker-2")),
        ({"job": "dev-2"}, ("dev-2", "", "")),
        (None, ("", "", "")),
    ],
)
def test_the_latest_build_is_shown_as_far_as_there_is_one(latest: Any, expected: tuple[str, str, str]) -> None:
    body = a_workspace_manifest() | {"status": {"latestBuild": latest}}
    body["metadata"] |= {"namespace": "acme", "uid": "1", "resourceVersion": "1"}

    state = workspace_state(body)

    assert (state.latest_job, state.latest_transition, state.latest_version) == expected
