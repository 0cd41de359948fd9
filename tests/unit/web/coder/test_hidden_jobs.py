"""Answers to people who may see daemons, workspaces and templates, but no jobs: nothing of a job is in them."""

import json
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.web.access.caller import Question
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.convert.ids import version_id
from support.builders.manifests import a_job_manifest
from support.coder.api_world import ACME, VERSION, ApiWorld, a_build_job, a_stored, a_workspace, ran, uid
from support.coder.go_decoder import problems_of

SECRET = "the password is hunter2"
WORKSPACE = f"/api/v2/workspaces/{uid(WORKSPACES, 'dev')}"
BY_NAME = "/api/v2/users/ada@example.com/workspace/dev"
DAEMONS_PATH = f"/api/v2/organizations/{ACME}/provisionerdaemons"
VERSION_PATH = f"/api/v2/templateversions/{version_id(ACME, VERSION)}"


def without_jobs(question: Question) -> bool:
    return question.namespace == ACME and question.resource != JOBS


@pytest.fixture
def world() -> ApiWorld:
    """An installation in which sam may do everything in acme, and nia everything but with jobs."""
    found = ApiWorld()
    found.users.rights = {**found.users.rights, "nia": without_jobs}
    failed = a_build_job(3, **ran("Failed"), message=SECRET, metadata={"resourceVersion": "90"})
    found.index.apply(JOBS, "ADDED", failed)
    import_job = a_job_manifest(
        f"{VERSION}-import",
        type="TemplateImport",
        transition=None,
        workspaceRef=None,
        templateRef={"name": "docker", "uid": uid(TEMPLATES, "docker"), "version": VERSION},
        initiator="ada@example.com",
    )
    status = ran("Failed") | {"message": SECRET}
    found.index.apply(JOBS, "MODIFIED", a_stored(JOBS, import_job, status, resourceVersion="91"))
    return found


def jobs_in(answer: Any) -> set[str]:
    """The ids of jobs that occur anywhere in an answer, and the secret of one."""
    text = json.dumps(answer)
    names = ("dev-1", "dev-2", "dev-3", f"{VERSION}-import")
    return {name for name in names if uid(JOBS, name) in text} | ({SECRET} if SECRET in text else set())


@pytest.mark.parametrize(
    "path",
    [
        DAEMONS_PATH,
        "/api/v2/workspaces",
        WORKSPACE,
        BY_NAME,
        f"/api/v2/workspacebuilds/{uid(WORKSPACES, 'dev')}",
        f"/api/v2/templates/{uid(TEMPLATES, 'docker')}/versions",
        f"/api/v2/templates/{uid(TEMPLATES, 'docker')}/versions/{VERSION}",
        f"/api/v2/organizations/{ACME}/templates/docker/versions/{VERSION}",
        VERSION_PATH,
    ],
)
def test_threat_21_nothing_of_a_job_shows_beside_other_kinds(world: ApiWorld, path: str) -> None:
    shown, hidden = world.get(path), world.get(path, user="nia")
    assert (shown.status_code, hidden.status_code) == (200, 200)
    assert jobs_in(shown.json())
    assert jobs_in(hidden.json()) == set()


@pytest.mark.parametrize("path", [f"{WORKSPACE}/builds", f"{BY_NAME}/builds/3", f"{BY_NAME}/builds/2"])
def test_threat_21_builds_are_not_found_by_those_who_may_not_see_jobs(world: ApiWorld, path: str) -> None:
    assert world.get(path, user="nia").status_code == 404


def test_a_status_is_selected_by_what_the_workspace_records(world: ApiWorld) -> None:
    path = "/api/v2/workspaces?q=name:dev status:failed"
    assert world.get(path).json()["count"] == 1
    assert world.get(path, user="nia").json()["count"] == 0


@pytest.mark.parametrize("path", [DAEMONS_PATH, "/api/v2/workspaces"])
def test_who_may_no_longer_see_jobs_gets_another_answer_than_the_cached_one(world: ApiWorld, path: str) -> None:
    world.get(path)  # at which daemons without heartbeats go offline
    tag = world.get(path).headers["ETag"]
    assert world.get(path, If_None_Match=tag).status_code == 304
    world.users.rights = {"sam": without_jobs}
    assert world.get(path, If_None_Match=tag).status_code == 200


def test_who_may_not_see_the_build_of_a_request_gets_its_record(world: ApiWorld) -> None:
    row, job = world.index.workspaces.get(uid(WORKSPACES, "dev")), world.index.jobs.get(uid(JOBS, "dev-3"))
    assert row is not None
    assert job is not None
    found = convert.requested_build(row, job, world.index).model_dump(mode="json")
    assert problems_of("WorkspaceBuild", found) == []
    assert (found["build_number"], found["status"], found["transition"]) == (3, "pending", "start")
    assert jobs_in(found) == set()


def test_a_workspace_without_any_record_waits(world: ApiWorld) -> None:
    world.index.apply(WORKSPACES, "ADDED", a_workspace("new"))
    world.index.apply(JOBS, "ADDED", a_build_job(1, workspace="new", **ran("Failed")))
    found = world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'new')}", user="nia").json()
    assert found["latest_build"]["status"] == "pending"


def test_daemons_show_no_jobs(world: ApiWorld) -> None:
    [busy] = world.get(f"{DAEMONS_PATH}?ids={uid(DAEMONS, 'busy')}", user="nia").json()
    assert (busy["current_job"], busy["previous_job"], busy["status"]) == (None, None, "busy")
