"""Pages as a browser without script gets them, from a filled index."""

import re
from html import unescape
from typing import TYPE_CHECKING, cast

import pytest
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import DAEMONS, WORKSPACES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ApiError, UnreachableError
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.page import live
from provisioner_operator.web.page.name_pages import PAGE_SIZE
from provisioner_operator.web.page.paths import provisioner
from support.builders.core import NOON
from support.coder.api_world import ACME, OTHER, ApiWorld, a_build_job, a_daemon, a_workspace, all_objects, an_index
from support.manifests import Manifest
from support.scripted_client import ScriptedClient

if TYPE_CHECKING:
    from provisioner_operator.web.page.live_views import View

JOBS = f"/organizations/{ACME}/provisioner-jobs"


@pytest.fixture(scope="module")
def world() -> ApiWorld:
    return ApiWorld()


def namespaces_only() -> list[tuple[str, Manifest]]:
    return [each for each in all_objects() if each[0] == NAMESPACES]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def jobs_in(html: str) -> list[str]:
    return re.findall(r'<tr class="row[^>]*data-name="([^"]*)"', html)


def test_the_list_shows_all_jobs_of_the_organization_and_no_other(world: ApiWorld) -> None:
    page = world.get(JOBS)
    assert page.status_code == 200
    assert set(jobs_in(page.text)) >= {"dev-1", "dev-2", "waiting-1", "stuck-1"}
    assert "foreign" not in page.text
    assert OTHER not in page.text


def test_counts_are_links_that_select_a_status(world: ApiWorld) -> None:
    page = world.get(JOBS).text
    href = re.search(r'href="([^"]*status=pending)"', page)
    assert href is not None
    assert set(jobs_in(world.get(href[1]).text)) >= {"waiting-1", "stuck-1"}
    assert set(jobs_in(world.get(f"{JOBS}?status=stuck").text)) == {"plan", "stuck-1"}


def test_a_stuck_job_is_marked_and_says_why(world: ApiWorld) -> None:
    page = world.get(f"{JOBS}?q=stuck-1").text
    assert 'class="row stuck"' in page
    assert "NoMatchingDaemon" in text_of(page)


def test_filters_are_chips_that_can_be_removed(world: ApiWorld) -> None:
    page = world.get(f"{JOBS}?q=dev&type=workspace_build&since=7d").text
    assert "Remove filter Search dev" in page
    assert "Remove filter Type Workspace build" in page
    assert f'<a href="{JOBS}">Clear filters</a>' in page


def test_nothing_found_offers_to_clear_the_filters(world: ApiWorld) -> None:
    assert "No jobs match these filters" in world.get(f"{JOBS}?q=nothing-like-it").text


def test_a_parameter_that_means_nothing_is_named(world: ApiWorld) -> None:
    assert "Ignored unknown filters: color=&lt;b&gt;" in world.get(f"{JOBS}?color=%3Cb%3E").text


def test_pages_follow_each_other_to_the_last_job() -> None:
    many = [("provisionerjobs", a_build_job(number)) for number in range(1, 61)]
    world = ApiWorld(an_index([*namespaces_only(), *many]))
    seen: list[str] = []
    address: str | None = f"{JOBS}?limit=25"
    pages = 0
    while address is not None:
        page = world.get(address).text
        seen += jobs_in(page)
        pages += 1
        found = re.search(r'href="([^"]*)" rel="next"', page)
        address = found[1].replace("&amp;", "&") if found else None
    assert pages == 3
    assert sorted(seen) == sorted(f"dev-{number}" for number in range(1, 61))


def test_an_organization_that_is_closed_looks_like_one_that_does_not_exist(world: ApiWorld) -> None:
    closed, missing = (
        world.get(f"/organizations/{OTHER}/provisioner-jobs"),
        world.get("/organizations/none/provisioner-jobs"),
    )
    assert closed.status_code == missing.status_code == 403
    assert "You are signed in as" in closed.text
    assert f"kubectl auth can-i list provisionerjobs.provisioner.dev -n {OTHER}" in closed.text
    assert _same(closed.text, OTHER) == _same(missing.text, "none")


def _same(html: str, org: str) -> str:
    return re.sub(r"Request [-0-9a-f]+", "", text_of(html)).replace(org, "ORG")


def test_all_organizations_are_those_that_the_user_may_see(world: ApiWorld) -> None:
    assert "foreign" not in jobs_in(world.get("/organizations/-/provisioner-jobs").text)
    assert "foreign" in jobs_in(world.get("/organizations/-/provisioner-jobs", user="root").text)


def test_a_user_without_rights_learns_how_to_get_some(world: ApiWorld) -> None:
    page = text_of(world.get("/", user="nia").text)
    assert "No organization is visible to you" in page
    assert "You are nia" in page


def test_without_a_token_a_page_leads_to_the_login_and_back(world: ApiWorld) -> None:
    answer = world.get(f"{JOBS}?q=a%26b", user=None)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Forganizations%2Facme%2Fprovisioner-jobs%3Fq%3Da%2526b"


@pytest.mark.parametrize("following", ["//evil.example", "/\\evil", "https://evil.example", "javascript:alert(1)"])
def test_a_login_leads_nowhere_else(world: ApiWorld, following: str) -> None:
    assert 'name="next" value="/"' in world.get(f"/login?next={following}", user=None).text


def test_a_login_says_why_it_failed(world: ApiWorld) -> None:
    assert "does not accept this token" in world.get("/login?problem=refused", user=None).text
    assert 'role="alert"' not in world.get("/login?problem=%3Cscript%3E", user=None).text


def test_the_command_line_is_told_how_to_create_a_token_and_never_one(world: ApiWorld) -> None:
    page = world.get("/cli-auth", user=None).text
    assert "kubectl -n ORGANIZATION create token NAME" in page
    assert "coder login http://localhost" in page


def test_a_status_that_only_a_proxy_knows_is_a_page_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(_: object) -> None:
        raise ApiError(520, "unknown error of a proxy")

    world = ApiWorld()
    monkeypatch.setattr(world.users, "caller", refused)
    answer = world.get("/me")
    assert answer.status_code == 520
    assert "Something went wrong" in answer.text


def test_nobody_is_told_to_send_a_token_without_tls_though_it_ends_at_a_proxy(world: ApiWorld) -> None:
    host = {"host": "jobs.example.com"}
    assert "coder login https://jobs.example.com" in world.get("/cli-auth", user=None, **host).text
    build = world.get("/api/v2/buildinfo", user=None, **host).json()
    assert build["dashboard_url"] == "https://jobs.example.com"


def test_me_shows_the_rights_of_each_organization(world: ApiWorld) -> None:
    page = text_of(world.get("/me").text)
    assert "system:authenticated" in page
    assert f"{ACME} yes yes yes yes yes" in page


def test_the_cancel_form_says_what_happens(world: ApiWorld) -> None:
    pending = text_of(world.get(f"{JOBS}/waiting-1/cancel").text)
    running = text_of(world.get(f"{JOBS}/dev-2/cancel").text)
    canceling = text_of(world.get(f"{JOBS}/gone-5/cancel").text)
    assert "It leaves the queue" in pending
    assert "Only if it is still pending" in pending
    assert "Its run is interrupted, and killed if it has not ended after 180 s" in running
    assert "Kill the run" in canceling


def test_several_jobs_are_canceled_by_one_form(world: ApiWorld) -> None:
    page = world.get(
        f"/organizations/{ACME}/cancel-jobs?job={ACME}/waiting-1&job={ACME}/dev-2&job={OTHER}/foreign"
    ).text
    assert "Cancel 2 jobs" in page
    assert "foreign" not in page
    assert "No job is selected" in world.get(f"/organizations/{ACME}/cancel-jobs").text
    assert "<li>All</li>" in world.get("/organizations/-/cancel-jobs").text


@pytest.mark.parametrize(
    "name", ["waiting-1/explode", "nothing/cancel", "nothing/retry", "Not-A-Name/cancel", "..%2f..%2fapi"]
)
def test_what_does_not_exist_is_not_found(world: ApiWorld, name: str) -> None:
    page = world.get(f"{JOBS}/{name}")
    assert page.status_code == 404
    assert "<html" in page.text


def test_provisioners_show_state_jobs_and_skew(world: ApiWorld) -> None:
    page = text_of(world.get(f"/organizations/{ACME}/provisioners").text)
    assert "Idle 0 of 1" in page
    assert re.search(r"Busy \d of 1", page)
    assert "Offline" in page
    assert "other version" in page
    assert "Offline" not in text_of(world.get(f"/organizations/{ACME}/provisioners?offline=no").text)


def test_workspaces_show_their_last_build(world: ApiWorld) -> None:
    page = text_of(world.get(f"/organizations/{ACME}/workspaces").text)
    assert "old-4 Stop: Completed" in page
    assert "outdated" in page
    assert "theirs" not in page


@pytest.mark.parametrize(
    ("path", "filtered"), [("workspaces", "q=ada"), ("provisioners", "offline=no")], ids=["workspaces", "provisioners"]
)
def test_long_lists_have_pages_that_lead_to_each_row_once(path: str, filtered: str) -> None:
    index = an_index()
    for number in range(120):
        index.apply(WORKSPACES, "ADDED", a_workspace(f"many-{number}"))
        index.apply(DAEMONS, "ADDED", a_daemon(f"many-{number}"))
    world = ApiWorld(index)
    for query in ("", f"?{filtered}"):
        address: str | None = f"/organizations/{ACME}/{path}{query}"
        seen: list[str] = []
        while address:
            page = world.get(address).text
            assert len(jobs_in(page)) <= PAGE_SIZE
            seen += jobs_in(page)
            following = re.search(r'href="([^"]*)" rel="next"', page)
            address = following and unescape(following[1])
        many = [name for name in seen if name.startswith("many-")]
        assert many == [f"many-{number}" for number in range(120)]
        assert len(seen) == len(set(seen))


def test_a_page_that_begins_after_the_last_row_leads_to_the_first(world: ApiWorld) -> None:
    for path in ("workspaces", "provisioners"):
        page = world.get(f"/organizations/{ACME}/{path}?from=zzz").text
        assert jobs_in(page) == []
        assert f'href="/organizations/{ACME}/{path}">First page' in page


def test_a_job_leads_to_the_page_that_begins_with_its_provisioner(world: ApiWorld) -> None:
    address = provisioner(ACME, "idle").partition("#")[0]
    assert jobs_in(world.get(address).text)[0] == "idle"


def test_another_workspace_of_the_same_name_has_a_view_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world, keys = ApiWorld(), []

    def keep(*values: object) -> Response:
        keys.append(cast("View", values[-1]).key)
        return Response()

    monkeypatch.setattr(live, "stream", keep)
    for uid_of_dev in ("first", "second", "second"):
        body = a_workspace("dev")
        body["metadata"]["uid"] = uid_of_dev
        world.index.apply(WORKSPACES, "ADDED", body)
        world.get(f"/organizations/{ACME}/workspaces/dev", Accept="text/event-stream")
    assert keys[0] != keys[1] == keys[2]


def test_a_workspace_starts_with_the_parameters_of_its_template(world: ApiWorld) -> None:
    page = world.get(f"/organizations/{ACME}/workspaces/fresh/start").text
    assert 'name="parameter-cpus" value="2" type="number"' in page
    assert '<option value="eu" selected>Europe</option>' in page
    assert 'name="parameter-gpu" value="true"' in page


def test_a_name_in_another_organization_is_not_shown(world: ApiWorld) -> None:
    assert world.get(f"/organizations/{OTHER}/workspaces/theirs").status_code == 403


def test_an_empty_organization_says_how_to_submit() -> None:
    world = ApiWorld(an_index(namespaces_only()))
    assert "No provisioner jobs found" in world.get(JOBS).text
    assert "No provisioners found" in world.get(f"/organizations/{ACME}/provisioners").text
    assert "No workspaces found" in world.get(f"/organizations/{ACME}/workspaces").text


def test_while_the_index_is_filled_no_list_is_shown() -> None:
    page = ApiWorld(ClusterIndex(lambda: Instant(NOON, 0))).get(f"{JOBS}?q=dev")
    assert page.status_code == 503
    assert page.headers["refresh"] == page.headers["retry-after"] == "3"
    assert "Loading the cluster" in page.text
    assert f'href="{JOBS}?q=dev"' in page.text


def test_while_the_api_server_is_away_nothing_can_be_changed() -> None:
    index = an_index()
    index.measure_contact(lambda: 65.0)
    page = ApiWorld(index).get(JOBS).text
    assert "The API server cannot be reached." in page
    assert "data-dialog data-cancel" not in page
    assert 'aria-disabled="true"' in page


def test_a_job_is_shown_as_far_as_it_is_known_while_the_api_server_is_away() -> None:
    index = an_index()
    index.measure_contact(lambda: 65.0)
    world = ApiWorld(index)
    client = ScriptedClient()
    client.answers("GET", paths.job(ACME, "stuck-1"), UnreachableError("no answer"))
    client.answers("GET", paths.job(ACME, "unknown"), UnreachableError("no answer"))
    client.answers("GET", paths.job(OTHER, "foreign"), UnreachableError("no answer"))
    world.users.client = client

    page = world.get(f"{JOBS}/stuck-1")

    assert page.status_code == 200
    assert "The API server cannot be reached." in page.text
    assert "NoMatchingDaemon" in page.text
    assert world.get(f"{JOBS}/unknown").status_code == 503
    assert world.get(f"/organizations/{OTHER}/provisioner-jobs/foreign").status_code == 403


def test_static_files_are_kept_under_their_digest(world: ApiWorld) -> None:
    page = world.get("/login", user=None).text
    for address in re.findall(r'"(/assets/[^"#]*)"', page):
        found = world.get(address, user=None)
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
    assert world.get("/assets/0/page.css", user=None).headers["cache-control"] == "no-cache"
    assert world.get("/assets/0/router.py", user=None).status_code == 404


def test_no_page_has_a_script_or_style_of_its_own(world: ApiWorld) -> None:
    for path in (
        JOBS,
        "/",
        "/me",
        "/login",
        f"/organizations/{ACME}/provisioners",
        f"/organizations/{ACME}/workspaces",
    ):
        page = world.get(path).text
        assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page) == []


def test_names_of_other_kinds_are_offered_only_to_those_who_may_list_them() -> None:
    world = ApiWorld()
    world.users.rights = {"sam": lambda question: question.namespace == ACME and question.resource == "provisionerjobs"}
    page = world.get(JOBS).text
    assert jobs_in(page)
    assert '<option value="silent">' not in page
    assert '<option value="docker">' not in page
    assert '<option value="ada@example.com">' in page


@pytest.mark.parametrize("path", ["/", "/organizations/-/provisioner-jobs"])
def test_about_an_organization_that_is_not_shown_one_question_is_asked(path: str) -> None:
    world = ApiWorld()
    assert world.get(path).status_code == 200
    assert {(each.verb, each.resource) for each in world.users.asked if each.namespace == OTHER} == {
        ("list", "provisionerjobs")
    }


@pytest.mark.parametrize("page", ["provisioner-jobs", "provisioners", "workspaces"])
def test_a_page_of_one_organization_asks_about_others_only_for_its_menu(page: str) -> None:
    world = ApiWorld()
    address = f"/organizations/{ACME}/{page}"
    assert world.get(address).status_code == 200
    elsewhere = [each for each in world.users.asked if each.namespace == OTHER]
    assert [(each.verb, each.resource) for each in elsewhere] == [("list", "provisionerjobs")]
    world.users.asked.clear()
    assert world.get(address).status_code == 200
    assert {each.namespace for each in world.users.asked} == {ACME}, (
        "the menu is kept for a while, and one answer is enough"
    )


@pytest.mark.parametrize(
    "address",
    [
        "/",
        *(f"/organizations/{ACME}/{page}" for page in ("provisioner-jobs", "provisioners", "workspaces")),
        f"/api/v2/organizations/{ACME}/provisionerjobs",
        "/api/v2/users/me",
    ],
)
def test_no_request_waits_for_a_thread(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI calls plain functions in one; on a busy server, each change of the thread takes tens of milliseconds."""
    world = ApiWorld()
    assert world.get(address).status_code == 200
    monkeypatch.setattr("anyio.to_thread.run_sync", lambda *_, **__: pytest.fail("a request is in a thread"))
    assert world.get(address).status_code == 200
