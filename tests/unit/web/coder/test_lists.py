"""Filters, pages and validators of the lists of Coder's API."""

from typing import Any
from uuid import UUID

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.access.caller import Question
from provisioner_operator.web.coder import parameters
from provisioner_operator.web.coder.convert.ids import initiator_id
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from support.builders.core import NOON
from support.builders.manifests import a_job_manifest, a_template_manifest, a_workspace_manifest
from support.coder.api_world import (
    ACME,
    OTHER,
    ApiWorld,
    a_build_job,
    a_namespace,
    a_stored,
    a_workspace,
    all_objects,
    uid,
)

JOBS_PATH = f"/api/v2/organizations/{ACME}/provisionerjobs"
DAEMONS_PATH = f"/api/v2/organizations/{ACME}/provisionerdaemons"


@pytest.fixture(scope="module")
def world() -> ApiWorld:
    """The installation, which these tests only read."""
    return ApiWorld()


def names_of(found: list[dict[str, Any]]) -> set[str]:
    """Workspace of each build among the jobs, with the build's place in the world."""
    known = {uid(JOBS, name): name for name in ("dev-1", "dev-2", "gone-3", "gone-4", "gone-5", "waiting-1", "stuck-1")}
    return {known.get(each["id"], each["type"]) for each in found}


OTHERS = {"template_version_import", "template_version_dry_run"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"dev-1", "dev-2", "gone-3", "gone-4", "gone-5", "waiting-1", "stuck-1"} | OTHERS),
        ("status=pending", {"waiting-1", "stuck-1", "template_version_dry_run"}),
        ("status=running,canceling", {"dev-2", "gone-5"}),
        ("status=running&status=canceling", {"dev-2", "gone-5"}),
        ("status=succeeded", {"dev-1", "template_version_import"}),
        ("status=completed", {"dev-1", "template_version_import"}),
        ("status=failed,canceled", {"gone-3", "gone-4"}),
        ("status=unknown", set()),
        ("status=unknown,failed", {"gone-3"}),
        (f"ids={uid(JOBS, 'dev-1')},{uid(JOBS, 'foreign')}", {"dev-1"}),
        ('tags={"zone":"mars"}', {"stuck-1"}),
        ('tags={"scope":"organization","zone":"mars"}', {"stuck-1"}),
        ('tags={"scope":"organization","owner":""}', OTHERS),
        ("tags={}&status=failed", {"gone-3"}),
        (f"initiator={initiator_id('ada@example.com')}&status=pending", {"waiting-1", "stuck-1"}),
        ("initiator=ada@example.com&status=pending", {"waiting-1", "stuck-1"}),
        (f"initiator={initiator_id('nobody')}", set()),
        ("workspace=gone&status=failed", {"gone-3"}),
        ("type=template_version_dry_run", {"template_version_dry_run"}),
        ("q=mars", {"stuck-1"}),
        ("template=docker&status=running", {"dev-2"}),
        ("daemon=busy&status=failed", {"gone-3"}),
        ("since=1h&status=failed", {"gone-3"}),
        ("since=2099-01-01T00:00:00Z", set()),
        ("priority=7", set()),
        ("priority=0&status=failed", {"gone-3"}),
        ("stuck=true", {"stuck-1", "template_version_dry_run"}),
    ],
)
def test_jobs_are_selected(world: ApiWorld, query: str, expected: set[str]) -> None:
    answer = world.get(f"{JOBS_PATH}?{query}")
    assert answer.status_code == 200, answer.text
    assert names_of(answer.json()) == expected
    assert int(answer.headers["X-Total-Count"]) == len(expected)


def test_the_plan_of_a_workspace_is_a_dry_run_for_coders_clients_and_no_build() -> None:
    world = ApiWorld()
    before = world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'dev')}/builds").json()
    plan = a_build_job(3, spec={"type": "WorkspacePlan"})
    plan["metadata"] |= {"name": "dev-plan-abcd", "uid": uid(JOBS, "dev-plan-abcd")}
    world.index.apply(JOBS, "ADDED", plan)

    [found] = world.get(f"{JOBS_PATH}?type=template_version_dry_run&workspace=dev").json()

    assert (found["id"], found["type"]) == (uid(JOBS, "dev-plan-abcd"), "template_version_dry_run")
    assert found["metadata"]["workspace_name"] == "dev"
    assert world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'dev')}/builds").json() == before
    assert world.get(f"/api/v2/workspacebuilds/{found['id']}").status_code == 404


def test_a_job_of_a_user_is_found_by_its_tags_alone() -> None:
    world = ApiWorld()
    tags = {"scope": "user", "owner": "ada", "environment": "cloud"}
    world.index.apply(JOBS, "ADDED", a_build_job(9, spec={"tags": tags}))
    [found] = world.get(f'{JOBS_PATH}?tags={{"environment":"cloud"}}').json()
    assert found["id"] == uid(JOBS, "dev-9")


def test_jobs_are_found_by_their_priority() -> None:
    world = ApiWorld()
    world.index.apply(JOBS, "ADDED", a_build_job(9, spec={"priority": -5}))
    [found] = world.get(f"{JOBS_PATH}?priority=-5").json()
    assert found["id"] == uid(JOBS, "dev-9")


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=many",
        "limit=4294967296",
        "status=Succeeded",
        "ids=dev-1",
        "tags=zone",
        'tags=["zone"]',
        'tags={"zone":1}',
        "tags=" + "[" * 4000,
        "tags=" + "[" * 5000,
        "before=yesterday",
        f"before=1.2.3_{uid(JOBS, 'dev-1')}",
        "since=yesterday",
        "since=2026-01-01",
        "type=WorkspaceBuild",
        "stuck=perhaps",
        f"before=1.2.3_{UUID(int=1)}",
        f"before={'9' * 400}_{UUID(int=1)}",
        f"tags={'[' * 3000}",
        'tags={"zone":"\\ud800"}',
        f"tags={'[' * 5000}",
        "priority=high",
        "priority=4294967296",
    ],
)
def test_values_that_mean_nothing_are_refused(world: ApiWorld, query: str) -> None:
    answer = world.get(f"{JOBS_PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid query parameters."
    assert answer.json()["validations"][0]["field"].startswith(query.partition("=")[0])


def test_pages_lead_to_each_job_once(world: ApiWorld) -> None:
    seen: list[str] = []
    path = f"{JOBS_PATH}?limit=4"
    while path:
        answer = world.get(path)
        seen += [each["id"] for each in answer.json()]
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert len(seen) == len(set(seen)) == 9


def test_all_jobs_are_as_many_as_one_answer_holds(world: ApiWorld) -> None:
    assert len(world.get(f"{JOBS_PATH}?limit=0").json()) == 9


def test_an_unchanged_list_is_not_sent_again() -> None:
    world = ApiWorld()
    first = world.get(JOBS_PATH)
    assert world.get(JOBS_PATH, If_None_Match=first.headers["ETag"]).status_code == 304
    assert world.get(f"{JOBS_PATH}?limit=2", If_None_Match=first.headers["ETag"]).status_code == 200
    assert world.get(JOBS_PATH, user="root", If_None_Match=first.headers["ETag"]).status_code == 304
    world.index.apply(JOBS, "ADDED", a_build_job(9))
    assert world.get(JOBS_PATH, If_None_Match=first.headers["ETag"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "is_relative"),
    [
        (f"{JOBS_PATH}?since=1h", True),
        (f"{JOBS_PATH}?since=2027-01-15T07:00:00Z", False),
        (JOBS_PATH, False),
        (f"{DAEMONS_PATH}?max_age=1h", True),
        (DAEMONS_PATH, False),
    ],
)
def test_a_list_that_is_selected_by_age_is_sent_again_after_a_while(path: str, *, is_relative: bool) -> None:
    now = NOON
    index = ClusterIndex(lambda: Instant(now, 0))
    for plural, body in all_objects():
        index.apply(plural, "ADDED", body)
    index.complete()
    world = ApiWorld(index)
    world.get(path)  # The first answer finds a daemon offline, which is a change.
    tag = world.get(path).headers["ETag"]
    assert world.get(path, If_None_Match=tag).status_code == 304
    now += 10
    assert world.get(path, If_None_Match=tag).status_code == (200 if is_relative else 304)


def test_a_tag_of_another_process_is_unknown() -> None:
    first, second = ApiWorld(), ApiWorld()
    assert first.index.version == second.index.version
    tag = first.get(JOBS_PATH).headers["ETag"]
    assert first.get(JOBS_PATH, If_None_Match=tag).status_code == 304
    assert second.get(JOBS_PATH, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize("path", [JOBS_PATH, DAEMONS_PATH, "/api/v2/workspaces"])
def test_threat_21_a_validator_tells_nothing_of_foreign_namespaces(path: str) -> None:
    world = ApiWorld()
    world.get(path)  # at which daemons without heartbeats go offline
    tag = world.get(path).headers["ETag"]
    for plural, body in ((JOBS, a_job_manifest("new")), (WORKSPACES, a_workspace_manifest("new"))):
        world.index.apply(plural, "ADDED", a_stored(plural, body, namespace=OTHER))
    world.index.apply(NAMESPACES, "ADDED", a_namespace("third"))
    assert world.get(path, If_None_Match=tag).status_code == 304
    world.index.apply(JOBS, "ADDED", a_build_job(9))
    assert world.get(path, If_None_Match=tag).status_code == 200


def test_who_sees_more_gets_another_answer_than_a_cached_one(world: ApiWorld) -> None:
    path = "/api/v2/provisioner/jobs"
    answer = world.get(path)
    assert answer.headers["X-Total-Count"] == "9"
    more = world.get(path, user="root", If_None_Match=answer.headers["ETag"])
    assert (more.status_code, more.headers["X-Total-Count"]) == (200, "10")


def a_loading_world(jobs: int = 3) -> ApiWorld:
    """An installation of which some jobs are known, and not yet whether there are more."""
    index = ClusterIndex(lambda: Instant(NOON, 0))
    for number in range(jobs):
        index.apply(JOBS, "ADDED", a_build_job(number + 1))
    return ApiWorld(index)


def test_nothing_is_answered_before_everything_is_listed() -> None:
    answer = a_loading_world().get("/api/v2/provisioner/jobs")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("path", ["/api/v2/provisioner/jobs", f"/organizations/{ACME}/provisioner-jobs"])
def test_threat_21_no_count_of_objects_is_told_while_they_are_read(path: str) -> None:
    assert a_loading_world().get(path, user=None).status_code in {401, 303}
    few, many = (a_loading_world(number).get(path, user="nia") for number in (3, 7))
    assert few.status_code == 503
    assert few.text == many.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"idle", "busy"}),
        ("offline=true", {"idle", "busy", "silent", "never"}),
        ("status=offline", {"silent", "never"}),
        ("status=busy", {"busy"}),
        (f"ids={uid(DAEMONS, 'idle')}", {"idle"}),
        ('tags={"zone":"eu"}', {"idle", "busy"}),
        ("tags={}", set()),
        ("offline=true&max_age=10s", {"idle", "busy"}),
        ("offline=true&max_age=2h", {"idle", "busy", "silent"}),
    ],
)
def test_daemons_are_selected(world: ApiWorld, query: str, expected: set[str]) -> None:
    assert {each["name"] for each in world.get(f"{DAEMONS_PATH}?{query}").json()} == expected


def test_a_duration_has_a_unit(world: ApiWorld) -> None:
    answer = world.get(f"{DAEMONS_PATH}?max_age=90")
    assert answer.status_code == 400
    assert answer.json()["validations"][0]["detail"].startswith("is not a duration: write")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"dev", "fresh", "old"}),
        ("owner:ada@example.com", {"dev", "fresh", "old"}),
        ("owner:me", set()),
        ('owner:"ada@example.com" name:"d"', {"dev", "old"}),
        ("dev", {"dev"}),
        ("status:pending", {"fresh"}),
        ("status:stopped", {"old"}),
        ("outdated:true", {"dev"}),
        ("template:docker organization:acme outdated:false", {"fresh", "old"}),
        ("organization:other", set()),
    ],
)
def test_workspaces_are_selected(world: ApiWorld, query: str, expected: set[str]) -> None:
    found = world.get(f"/api/v2/workspaces?q={query}").json()
    assert {each["name"] for each in found["workspaces"]} == expected
    assert found["count"] == len(expected)


def test_pages_lead_to_each_workspace_once(world: ApiWorld) -> None:
    seen: list[str] = []
    path = "/api/v2/workspaces?limit=2&q=owner:ada@example.com"
    while path:
        answer = world.get(path)
        seen += [each["name"] for each in answer.json()["workspaces"]]
        assert answer.headers["X-Total-Count"] == "3"
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert seen == ["dev", "fresh", "old"]


def test_a_list_of_workspaces_is_not_cut_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "MOST_OBJECTS", 1)
    answer = ApiWorld().get("/api/v2/workspaces")
    assert [each["name"] for each in answer.json()["workspaces"]] == ["dev"]
    assert answer.headers["Link"] == '</api/v2/workspaces?offset=1>; rel="next"'


def test_there_is_nothing_after_the_last_workspace(world: ApiWorld) -> None:
    for query in ("offset=2", "offset=3", "offset=99"):
        assert "Link" not in world.get(f"/api/v2/workspaces?{query}").headers


def test_a_page_of_workspaces(world: ApiWorld) -> None:
    found = world.get("/api/v2/workspaces?limit=1&offset=1").json()
    assert ([each["name"] for each in found["workspaces"]], found["count"]) == (["fresh"], 3)


def test_a_condition_that_does_not_exist_is_refused(world: ApiWorld) -> None:
    answer = world.get("/api/v2/workspaces?q=color:red")
    assert answer.status_code == 400
    assert answer.json()["validations"][0]["field"] == "q"


def test_a_build_is_found_by_its_number(world: ApiWorld) -> None:
    path = "/api/v2/users/ada@example.com/workspace/dev/builds"
    assert world.get(f"{path}/2").json()["id"] == uid(JOBS, "dev-2")
    assert world.get(f"{path}/7").status_code == 404
    assert world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'dev')}/builds?limit=1").json()[0]["build_number"] == 2


def test_objects_of_another_version_are_left_out() -> None:
    world = ApiWorld()
    later = a_workspace("later", spec={"updatePolicy": "FromTheFuture", "templateRef": {"name": "odd"}})
    odd = a_stored(TEMPLATES, a_template_manifest("odd", provisioner="pulumi"))
    world.index.apply(WORKSPACES, "ADDED", later)
    world.index.apply(WORKSPACES, "ADDED", a_workspace("odd-one", spec={"templateRef": {"name": "odd"}}))
    world.index.apply(TEMPLATES, "ADDED", odd)
    world.index.apply(JOBS, "ADDED", a_build_job(1, workspace="later"))

    names = [each["name"] for each in world.get("/api/v2/workspaces").json()["workspaces"]]
    assert names == ["dev", "fresh", "odd-one", "old"]
    assert [each["name"] for each in world.get("/api/v2/templates").json()] == ["docker"]
    assert world.get(f"/api/v2/workspaces/{uid(WORKSPACES, 'later')}").status_code == 404
    assert world.get(f"/api/v2/templates/{uid(TEMPLATES, 'odd')}").status_code == 404
    assert world.get(f"/api/v2/workspacebuilds/{uid(JOBS, 'later-1')}").status_code == 200


@pytest.mark.parametrize("organization", [OTHER, "missing"])
def test_threat_21_an_organization_is_asked_about_whether_it_exists_or_not(organization: str) -> None:
    world = ApiWorld()
    for user in ("sam", "root"):
        answer = world.get(f"/api/v2/organizations/{organization}/provisionerjobs", user=user)
        assert answer.status_code == (200 if (user, organization) == ("root", OTHER) else 404)
    assert world.users.asked == [Question("list", JOBS, organization)] * 2
