"""Retries whose names are taken, without an API server: the rest is tested against a real one."""

from typing import Any

import pytest

from provisioner_operator.core.jobs.retry import MOST_RETRIES, retry_name_for
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import AlreadyExistsError, UnreachableError
from provisioner_operator.web.actions.outcome import Result
from provisioner_operator.web.actions.retry import retry
from provisioner_operator.web.actions.target import ObjectRef
from support.scripted_client import ScriptedClient
from support.virtual_time import virtual_time

JOB = ObjectRef("acme", "dev-7", "u")
JOBS, JOB_PATH = paths.jobs("acme"), paths.job("acme", "dev-7")
NAME = retry_name_for("dev-7", "u", "key")
TAKEN = AlreadyExistsError(409, "taken")


def a_job(name: str = "dev-7", uid: str = "u", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "metadata": {"name": name, "namespace": "acme", "uid": uid} | metadata,
        "spec": {"priority": 3},
        "status": {"phase": "Failed"},
    }


def a_client() -> ScriptedClient:
    client = ScriptedClient()
    client.answers("GET", JOB_PATH, a_job())
    return client


@virtual_time
async def test_a_repeated_request_finds_the_job_of_the_first() -> None:
    client = a_client()
    client.answers("POST", JOBS, TAKEN)
    first = a_job(NAME, "v", annotations={"provisioner.dev/retry-of": "dev-7"})
    client.answers("GET", paths.job("acme", NAME), first)

    outcome = await retry(client, JOB, "key")

    assert (outcome.result, outcome.body) == (Result.DONE, first)


@virtual_time
async def test_a_foreign_job_of_that_name_is_not_taken_for_the_retry() -> None:
    client = a_client()
    client.answers("POST", JOBS, TAKEN)
    client.answers("GET", paths.job("acme", NAME), a_job(NAME, "v"))
    with pytest.raises(AlreadyExistsError):
        await retry(client, JOB, "key")


@virtual_time
async def test_a_retry_whose_name_is_taken_has_the_next_number() -> None:
    client = a_client()
    client.answers("POST", JOBS, TAKEN, TAKEN, a_job("dev-7-retry-3", "v"))

    outcome = await retry(client, JOB)

    assert outcome.message == "Submitted again, as dev-7-retry-3."
    assert [sent.body["metadata"]["name"] for sent in client.sent("POST")] == [
        "dev-7-retry-1",
        "dev-7-retry-2",
        "dev-7-retry-3",
    ]


@virtual_time
async def test_a_job_with_the_most_retries_is_not_retried_again() -> None:
    client = a_client()
    client.answers("POST", JOBS, TAKEN)

    outcome = await retry(client, JOB)

    assert (outcome.result, outcome.cause) == (Result.REFUSED, Cause.MOST_RETRIES)
    assert len(client.sent("POST")) == MOST_RETRIES


@virtual_time
async def test_a_lost_answer_is_no_outcome() -> None:
    client = a_client()
    client.answers("POST", JOBS, UnreachableError("away"))
    with pytest.raises(UnreachableError):
        await retry(client, JOB, "key")
