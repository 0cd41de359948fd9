"""The new job of a retry: its spec, and its name."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioner_operator.core.jobs.retry import (
    MOST_RETRIES,
    most_retries,
    require_ended,
    retry_manifest,
    retry_name_for,
    retry_names,
)
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError
from provisioner_operator.kube.object_states import job_state, meta_of


def a_body(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "metadata": {"name": "dev-7", "uid": "u", "annotations": {"note": "old"}}
        | ({"labels": labels} if labels else {}),
        "spec": spec,
        "status": {"phase": "Failed"},
    }


def test_a_check_for_drift_is_repeated_as_a_plan_like_any_other() -> None:
    reference = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3}
    body = a_body(type="WorkspacePlan", workspaceRef=reference | {"change": "c"})

    new = retry_manifest(body, meta_of(body), "dev-drift-abc-retry-1")

    assert new["spec"] == {"type": "WorkspacePlan", "workspaceRef": reference}
    assert body["spec"]["workspaceRef"]["change"] == "c"


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
    manifest = retry_manifest(body, meta_of(body), "dev-7-retry-1")
    assert manifest["spec"] == {"priority": 3, "workspaceRef": {"name": "dev", "owner": "ann"}}
    assert manifest["metadata"] == {
        "name": "dev-7-retry-1",
        "labels": {"team": "a"},
        "annotations": {"provisioner.dev/retry-of": "dev-7"},
    }


def test_the_new_job_of_one_without_labels_has_none() -> None:
    assert "labels" not in retry_manifest(a_body(), meta_of(a_body()), "dev-7-retry-1")["metadata"]


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("dev-7", ["dev-7-retry-1", "dev-7-retry-2"]),
        ("dev-7-retry-9", ["dev-7-retry-10", "dev-7-retry-11"]),
        ("a" * 63, ["a" * 55 + "-retry-1", "a" * 55 + "-retry-2"]),
    ],
)
def test_retries_are_numbered(name: str, following: list[str]) -> None:
    names = retry_names(name)
    assert [next(names), next(names)] == following
    assert len(following[0]) <= 63


def test_only_a_job_that_has_ended_is_retried() -> None:
    require_ended(job_state(a_body()))
    with pytest.raises(NotPossibleError, match="The job 'dev-7' has not ended: it is Running") as raised:
        require_ended(job_state(a_body() | {"status": {"phase": "Running"}}))
    assert raised.value.cause is Cause.NOT_ENDED


NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


@given(NAMES, st.text())
def test_a_key_always_means_the_same_retry_and_its_name_is_valid(name: str, key: str) -> None:
    found = retry_name_for(name, "u", key)
    assert found == retry_name_for(name, "u", key)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", found)


@given(NAMES, st.text(), st.text())
def test_another_key_and_another_job_of_the_name_mean_another_retry(name: str, key: str, other: str) -> None:
    assume(key != other)
    found = {retry_name_for(name, "u", key), retry_name_for(name, "u", other), retry_name_for(name, "v", key)}
    assert len(found) == 3


def test_a_job_whose_names_are_all_taken_is_not_retried_again() -> None:
    assert len(list(retry_names("dev-7"))) == MOST_RETRIES
    assert str(most_retries("dev-7")) == "The job 'dev-7' has 100 retries."
