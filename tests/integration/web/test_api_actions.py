"""Requests of the API that change jobs, on a real API server, by users of each role."""

import json
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from support.builders.manifests import a_job_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.coder.go_decoder import problems_of
from support.manifests import Manifest
from support.programs.web_server import TIMEOUT, WebUsers
from support.test_namespace import a_job
from support.unique import unique

OWN = "/api/provisioner/v1"
CODER = "/api/v2"


@pytest.fixture
def job(admin: Kubectl, web: WebUsers) -> Manifest:
    """A pending job, which the web server knows."""
    made = admin.create(a_job(unique("job"), tags={"zone": "mars"}))
    await_known(web, made)
    return made


def uid_of(job: Manifest) -> str:
    return str(job["metadata"]["uid"])


def await_known(web: WebUsers, job: Manifest) -> None:
    """Wait until the server's index has the job, by the stream of its changes or because it is there already."""
    namespace = job["metadata"]["namespace"]
    with web.client("viewer").stream("GET", f"{OWN}/events", params={"organization": namespace}) as stream:
        lines = stream.iter_lines()
        while "event: ready" not in next(lines):
            pass
        found = web.client("viewer").get(f"{CODER}/organizations/{namespace}/provisionerjobs/{uid_of(job)}")
        if found.status_code == httpx.codes.NOT_FOUND:
            next(line for line in lines if uid_of(job) in line)


def test_a_pending_job_is_explained(web: WebUsers, job: Manifest) -> None:
    answer = web.client("viewer").get(f"{OWN}/jobs/{uid_of(job)}/why")
    assert answer.status_code == httpx.codes.OK
    found = answer.json()
    assert found["reason"] == "NoMatchingDaemon"
    assert found["stuck"]
    assert found["daemons"] == []


def test_who_may_see_nothing_gets_no_explanation(web: WebUsers, job: Manifest) -> None:
    assert web.client("nobody").get(f"{OWN}/jobs/{uid_of(job)}/why").status_code == httpx.codes.NOT_FOUND


def test_a_job_is_suspended_moved_and_resumed(web: WebUsers, admin: Kubectl, job: Manifest) -> None:
    client, path = web.client("namespace-admin"), f"{OWN}/jobs/{uid_of(job)}"
    assert client.post(f"{path}/suspend").json()["result"] == "done"
    assert client.post(f"{path}/suspend").json() == {
        "result": "nothing-to-do",
        "message": "It is suspended already.",
        "cause": "AsRequested",
    }
    assert client.put(f"{path}/priority", json={"priority": 7}).json()["result"] == "done"
    assert client.post(f"{path}/resume").json()["result"] == "done"
    spec = admin.get("pj", job["metadata"]["name"])["spec"]
    assert (spec["suspend"], spec["priority"]) == (False, 7)


def test_a_viewer_changes_nothing(web: WebUsers, admin: Kubectl, job: Manifest) -> None:
    client = web.client("viewer")
    for answer in (
        client.post(f"{OWN}/jobs/{uid_of(job)}/suspend"),
        client.post(f"{OWN}/jobs/{uid_of(job)}/cancel", json={}),
        client.put(f"{OWN}/jobs/{uid_of(job)}/priority", json={"priority": 7}),
        client.patch(f"{CODER}/workspacebuilds/{uid_of(job)}/cancel"),
    ):
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert problems_of("Response", answer.json()) == []
    now = admin.get("pj", job["metadata"]["name"])
    assert now["metadata"]["resourceVersion"] == job["metadata"]["resourceVersion"]


def test_a_cancel_of_a_job_in_another_status_is_refused(web: WebUsers, admin: Kubectl, job: Manifest) -> None:
    client, path = web.client("namespace-admin"), f"{CODER}/workspacebuilds/{uid_of(job)}/cancel"
    refused = client.patch(path, params={"expect_status": "running"})
    assert refused.status_code == httpx.codes.PRECONDITION_FAILED
    assert refused.json()["message"] == "Job is not in the expected state."
    assert not admin.get("pj", job["metadata"]["name"])["spec"]["cancel"]

    accepted = client.patch(path, params={"expect_status": "pending"})
    assert accepted.json()["message"] == "Job has been marked as canceled..."
    again = client.patch(path)
    assert again.status_code == httpx.codes.BAD_REQUEST
    assert again.json()["message"] == "Job has already been marked as canceled!"


def test_only_the_route_of_its_type_cancels_a_job(web: WebUsers, job: Manifest) -> None:
    path = f"{CODER}/templateversions/{uid_of(job)}/cancel"
    assert web.client("namespace-admin").patch(path).status_code == httpx.codes.NOT_FOUND


def test_a_job_that_has_not_ended_cannot_be_retried(web: WebUsers, job: Manifest) -> None:
    client, path = web.client("namespace-admin"), f"{OWN}/jobs/{uid_of(job)}/retry"
    answer = client.post(path, headers={"Accept": "application/problem+json"})
    assert answer.status_code == httpx.codes.CONFLICT
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "NotEnded"


def test_a_retry_with_the_same_key_makes_one_job(web: WebUsers, admin: Kubectl, job: Manifest) -> None:
    name = job["metadata"]["name"]
    admin.patch("pj", name, {"spec": {"cancel": True}})
    ended = {"status": {"phase": "Canceled", "finishedAt": "2026-01-01T00:02:00Z", "reason": "Canceled"}}
    admin.patch("pj", name, ended, subresource="status")
    client, path = web.client("namespace-admin"), f"{OWN}/jobs/{uid_of(job)}/retry"
    answers = [client.post(path, headers={"Idempotency-Key": "once"}).json() for _ in range(2)]
    assert answers[0]["kind"] == "ProvisionerJob"
    assert answers[0]["name"] == answers[1]["name"]
    assert len(admin.list_all("pj")) == 2


def test_a_workspace_that_nobody_builds_gets_no_build(web: WebUsers, admin: Kubectl) -> None:
    # No operator runs in this namespace.
    owner = web.name("namespace-admin")
    made = admin.create(a_workspace_manifest("dev", owner=owner, initiator=owner))
    client = web.client("namespace-admin")
    with client.stream("GET", f"{OWN}/events", params={"organization": str(admin.namespace)}) as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line == "event: ready")
        if client.get(f"{CODER}/workspaces/{uid_of(made)}").status_code == httpx.codes.NOT_FOUND:
            next(line for line in lines if uid_of(made) in line)
    answer = client.post(f"{CODER}/workspaces/{uid_of(made)}/builds", json={"transition": "start"})
    assert answer.status_code == httpx.codes.CONFLICT
    assert "has not created a build" in answer.json()["message"]
    assert "The controller has not observed this workspace yet" in answer.json()["detail"]


@pytest.mark.parametrize(("user", "status"), [("", 401), ("nobody", 404)])
def test_a_socket_is_refused_like_a_request(web: WebUsers, job: Manifest, user: str, status: int) -> None:
    address = f"{web.url.replace('http', 'ws', 1)}{CODER}/workspacebuilds/{uid_of(job)}/logs?follow"
    headers = {"Coder-Session-Token": web.token(user)} if user else {}
    with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers):
        pass
    response = refused.value.response
    assert response.status_code == status
    assert problems_of("Response", json.loads(response.body or b"")) == []


@pytest.fixture
def changes(web: WebUsers, namespace: str) -> Iterator[Iterator[str]]:
    """Lines of the stream of the namespace's jobs, from now on."""
    query = {"organization": namespace, "kind": "provisionerjobs"}
    with web.client("viewer").stream("GET", f"{OWN}/events", params=query) as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line == "event: ready")
        yield lines


def test_changes_are_streamed_and_resumed(
    web: WebUsers, admin: Kubectl, namespace: str, changes: Iterator[str]
) -> None:
    position = next(line for line in changes if line.startswith("id: ")).removeprefix("id: ")
    made = admin.create(a_job(unique("job"), tags={"zone": "mars"}))
    live = json.loads(next(line for line in changes if line.startswith('data: {"kind"')).removeprefix("data: "))
    assert (live["kind"], live["organization_name"], live["id"]) == ("provisionerjobs", namespace, uid_of(made))
    assert problems_of("ProvisionerJob", live["object"]) == []

    query, headers = {"organization": namespace}, {"Last-Event-ID": position}
    with web.client("viewer").stream("GET", f"{OWN}/events", params=query, headers=headers, timeout=TIMEOUT) as again:
        resumed = next(line for line in again.iter_lines() if line.startswith("data: "))
    assert json.loads(resumed.removeprefix("data: "))["id"] == uid_of(made)


def test_a_stream_of_another_process_begins_anew(web: WebUsers, namespace: str) -> None:
    query, headers = {"organization": namespace}, {"Last-Event-ID": "another-12"}
    with web.client("viewer").stream("GET", f"{OWN}/events", params=query, headers=headers, timeout=TIMEOUT) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("event: ")) == "event: reset"


def test_who_may_see_nothing_gets_no_stream(web: WebUsers, namespace: str) -> None:
    client = web.client("nobody")
    assert client.get(f"{OWN}/events").status_code == httpx.codes.NOT_FOUND
    assert client.get(f"{OWN}/events", params={"organization": namespace}).status_code == httpx.codes.NOT_FOUND


def test_a_prediction(web: WebUsers, namespace: str) -> None:
    query = {"organization": namespace, "provisioner": "echo", "tags": '{"zone":"mars"}'}
    found = web.client("viewer").get(f"{OWN}/match", params=query).json()
    assert (found["starts_now"], found["reason"], found["waiting"]) == (False, "NoMatchingDaemon", 0)
    assert web.client("nobody").get(f"{OWN}/match", params=query).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("type_", "path"),
    [
        ("TemplateImport", "/templateversions/{id}/cancel"),
        ("TemplateDryRun", "/templateversions/{id}/dry-run/{id}/cancel"),
    ],
)
def test_jobs_of_templates_are_canceled_by_their_own_routes(
    web: WebUsers, admin: Kubectl, type_: str, path: str
) -> None:
    made = admin.create(a_job_manifest(unique("job"), type=type_, transition=None, workspaceRef=None))
    await_known(web, made)
    found = web.client("viewer").get(f"{CODER}/organizations/{admin.namespace}/provisionerjobs/{uid_of(made)}")
    assert found.json()["input"] == {"template_version_id": uid_of(made)}
    client, address = web.client("namespace-admin"), CODER + path.format(id=uid_of(made))
    assert client.patch(address).json()["message"] == "Job has been marked as canceled..."
    assert admin.get("pj", made["metadata"]["name"])["spec"]["cancel"]
    again = client.patch(address)
    assert again.status_code == httpx.codes.BAD_REQUEST
    end = "." if "dry-run" in path else "!"
    assert again.json()["message"] == f"Job has already been marked as canceled{end}"
