"""The new job of a retry: its spec, and its name."""

from typing import Any

import pytest

from provisioner_operator.cli.jobs.retry import names_after, repeated


def a_body(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "metadata": {"name": "dev-7", "uid": "u", "annotations": {"note": "old"}}
        | ({"labels": labels} if labels else {}),
        "spec": spec,
        "status": {"phase": "Failed"},
    }


def test_the_new_job_has_the_spec_without_requests_to_the_old_one() -> None:
    body = a_body(
        {"team": "a"},
        cancel=True,
        cancelReason="x",
        canceledBy="ann",
        initiator="ann",
        suspend=True,
        priority=3,
        workspaceRef={"name": "dev", "owner": "ann"},
    )
    manifest = repeated(body, "dev-7-retry-1")
    assert manifest["spec"] == {"priority": 3, "workspaceRef": {"name": "dev", "owner": "ann"}}
    assert manifest["metadata"] == {
        "name": "dev-7-retry-1",
        "labels": {"team": "a"},
        "annotations": {"provisioner.dev/retry-of": "dev-7"},
    }


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("dev-7", ["dev-7-retry-1", "dev-7-retry-2"]),
        ("dev-7-retry-9", ["dev-7-retry-10", "dev-7-retry-11"]),
        ("a" * 63, ["a" * 55 + "-retry-1", "a" * 55 + "-retry-2"]),
    ],
)
def test_retries_are_numbered(name: str, following: list[str]) -> None:
    names = names_after(name)
    assert [next(names), next(names)] == following
    assert len(following[0]) <= 63
