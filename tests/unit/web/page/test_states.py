"""States of pages that are rare on a real cluster: loading, out of touch, empty, for one user alone."""

import asyncio
import re
from dataclasses import replace
from html import unescape

import httpx
import pytest
import yaml
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.job import JobSpec
from provisioner_operator.api.v1alpha1.names import TEMPLATES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube import paths
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.page import live
from provisioner_operator.web.page.live_views import View
from support.builders.core import NOON
from support.coder.api_world import ACME, ApiWorld, Rights, a_build_job, a_workspace, all_objects, an_index, ran, uid
from support.scripted_client import ScriptedClient

JOBS = f"/organizations/{ACME}/provisioner-jobs"


@pytest.fixture
def away() -> ApiWorld:
    """A server that lost the API server, after it has read one job."""
    index = an_index()
    index.measure_contact(lambda: 65.0)
    return ApiWorld(index)


def answering(world: ApiWorld, name: str, **status: object) -> ScriptedClient:
    client = ScriptedClient()
    client.answers(
        "GET", paths.job(ACME, name), next(b for _, b in all_objects() if b["metadata"]["name"] == name) | status
    )
    world.users.client = client
    return client


def a_viewers_world() -> ApiWorld:
    """A server whose user sam may read, and change nothing."""
    world = ApiWorld()
    world.users.rights = {"sam": lambda question: question.namespace == ACME and question.verb in ("list", "get")}
    return world


def test_a_server_for_one_user_offers_no_sign_out() -> None:
    world = ApiWorld()
    assert "Sign out" in world.get(JOBS).text
    world.app.state.context = replace(world.app.state.context, session=LocalSession())
    for path in (JOBS, "/me", "/nowhere"):
        assert "Sign out" not in world.get(path).text


def test_the_page_of_a_filling_index_shows_which_kinds_were_read() -> None:
    index = ClusterIndex(lambda: Instant(NOON, 0))
    index.complete(NAMESPACES, TEMPLATES)
    page = ApiWorld(index).get(JOBS).text
    assert '<progress value="2" max="7">' in page
    assert "2 of 7 kinds have been read" in page
    assert 'Templates<span class="sr">: read' in page
    assert 'Jobs<span class="sr">: being read' in page


def test_provisioners_say_why_they_cannot_be_changed(away: ApiWorld) -> None:
    address = f"/organizations/{ACME}/provisioners"
    page = away.get(address).text
    assert "The API server cannot be reached: nothing can be changed now." in page
    assert "You lack the verb" not in page
    assert "You lack the verb patch on provisionerdaemons." in a_viewers_world().get(address).text


def test_a_job_offers_no_change_while_the_api_server_is_away(away: ApiWorld) -> None:
    for name, action in (("dev-1", "retry"), ("stuck-1", "suspend")):
        answering(away, name)
        assert f"{JOBS}/{name}/{action}" not in away.get(f"{JOBS}/{name}").text
        present = ApiWorld()
        answering(present, name)
        assert f"{JOBS}/{name}/{action}" in present.get(f"{JOBS}/{name}").text


@pytest.mark.parametrize(
    ("name", "action", "missing"),
    [
        ("stuck-1", "suspend", "patch on provisionerjobs"),
        ("stuck-1", "cancel", "patch on provisionerjobs"),
        ("dev-1", "retry", "patch on workspaces"),
    ],
)
def test_a_viewer_finds_each_change_of_a_job_grey_with_the_missing_verb(name: str, action: str, missing: str) -> None:
    world = a_viewers_world()
    answering(world, name)
    page = world.get(f"{JOBS}/{name}").text
    assert f"{JOBS}/{name}/{action}" not in page
    button = re.search(f'<button[^>]* aria-disabled="true" aria-describedby="(.*?)" data-{action}>', page)
    assert button is not None
    ((reason_id, reason),) = re.findall(r'<p class="muted small" id="(.*?)">(.*?)</p>', page)
    assert reason_id == button[1]
    assert f"you lack the verb {missing}" in reason


@pytest.mark.parametrize(("name", "action"), [("stuck-1", "suspend"), ("stuck-1", "resume"), ("dev-1", "retry")])
def test_a_form_that_would_be_refused_cannot_be_sent(name: str, action: str) -> None:
    world = a_viewers_world()
    answering(world, name)
    page = world.get(f"{JOBS}/{name}/{action}").text
    form = page[page.index('<form class="form"') :]
    assert "You may not " in form
    assert "<button" not in form[: form.index("</form>")]
    present = ApiWorld()
    answering(present, name)
    page = present.get(f"{JOBS}/{name}/{action}").text
    assert "You may not" not in page
    assert f'<button class="primary">{action.capitalize()}</button>' in page


def test_without_a_right_the_buttons_of_lists_name_the_missing_verb() -> None:
    world = a_viewers_world()
    for path, word, missing in (
        ("workspaces", "Stop dev", "patch on workspaces"),
        ("workspaces", "Delete dev", "delete on workspaces"),
        ("provisioners", "Drain idle", "patch on provisionerdaemons"),
    ):
        page = world.get(f"/organizations/{ACME}/{path}").text
        button = next(each for each in re.findall(r"<(?:a|button)[^>]*>", page) if f'aria-label="{word}"' in each)
        assert 'aria-disabled="true"' in button
        assert f"ou lack the verb {missing}" in button


@pytest.mark.parametrize("lacking", ["list", "patch", "cancel"])
def test_a_drain_kills_no_runs_that_its_user_may_not_cancel(lacking: str) -> None:
    path = f"/organizations/{ACME}/provisioners/idle/drain"
    assert '<input type="checkbox" name="force" value="yes">' in ApiWorld().get(path).text
    world = ApiWorld()
    world.users.rights = {
        "sam": lambda asked: asked.namespace == ACME and (asked.verb, asked.resource) != (lacking, "provisionerjobs")
    }
    page = world.get(path).text
    assert '<input type="checkbox" name="force" value="yes" disabled aria-describedby="denied-force">' in page
    assert f"You may not kill its runs: you lack the verb {lacking} on provisionerjobs." in page


def test_an_owner_may_drain_by_force_where_the_template_allows_a_cancel() -> None:
    world, path = ApiWorld(), f"/organizations/{ACME}/provisioners/busy/drain"
    world.users.rights = {"ada": _verbs({"list", "patch"})}
    assert "you lack the verb cancel" in world.get(path, user="ada").text
    job = a_build_job(2, **ran("Running"), spec={"ownerMayCancel": True}, metadata={"resourceVersion": "9"})
    job["spec"]["workspaceRef"]["owner"] = "ada"
    world.index.apply("provisionerjobs", "MODIFIED", job)
    assert "you lack the verb cancel" not in world.get(path, user="ada").text


def test_whoever_may_not_change_a_workspace_may_not_orphan_it() -> None:
    path = f"/organizations/{ACME}/workspaces/dev/delete"
    assert 'name="orphan"' in ApiWorld().get(path).text
    assert 'name="orphan"' not in a_viewers_world().get(path).text


@pytest.mark.parametrize("path", ["provisioner-jobs", "workspaces"])
def test_users_for_whom_it_makes_no_difference_share_a_rendering(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: dict[str, object] = {}

    def keep(_request: object, _context: object, caller: Caller, view: View) -> Response:
        keys[caller.user.name] = view.key
        return Response()

    monkeypatch.setattr(live, "stream", keep)
    world = ApiWorld()
    held = {
        "viewer": {"list"},
        "submitter": {"list", "patch", "delete"},
        "admin": {"list", "patch", "delete", "cancel", "impersonate"},
    }
    world.users.rights = {f"{role}-{n}": _verbs(verbs) for role, verbs in held.items() for n in (1, 2)}
    for user in world.users.rights:
        world.get(f"/organizations/{ACME}/{path}", user=user, Accept="text/event-stream")
    for role in held:
        assert keys[f"{role}-1"] == keys[f"{role}-2"]


def test_an_owner_is_offered_what_others_are_not() -> None:
    world = ApiWorld()
    world.index.apply("workspaces", "ADDED", a_workspace("mine", spec={"owner": "ada"}))
    world.users.rights = dict.fromkeys(("ada", "bob"), _verbs({"list", "patch", "delete"}))
    for user, is_offered in (("ada", True), ("bob", False)):
        for path in ("workspaces", "workspaces/mine"):
            page = world.get(f"/organizations/{ACME}/{path}", user=user).text
            assert (f'href="/organizations/{ACME}/workspaces/mine/stop"' in page) is is_offered


def _verbs(verbs: set[str]) -> Rights:
    return lambda question: question.namespace == ACME and question.verb in verbs


def test_a_running_job_is_not_canceled_once_it_is_pending_again() -> None:
    world = ApiWorld()
    assert 'name="phase" value="Running"' in world.get(f"{JOBS}/dev-2/cancel").text
    client = answering(world, "dev-2", status={"phase": "Pending"})
    page = asyncio.run(submit(world, f"{JOBS}/dev-2/cancel", uid=uid("provisionerjobs", "dev-2"), phase="Running"))
    assert page.status_code == 409
    assert "It is not Running: it is Pending. It was left unchanged." in page.text
    assert [each.method for each in client.requests] == ["GET"]


async def submit(world: ApiWorld, path: str, **fields: str) -> httpx.Response:
    transport = httpx.ASGITransport(world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, data=fields, headers={"Coder-Session-Token": "sam-token"})


def test_the_example_of_an_empty_organization_is_a_job() -> None:
    world = ApiWorld(an_index([each for each in all_objects() if each[0] == NAMESPACES]))
    command = re.search(r"<code>(kubectl -n acme create .*?)</code>", unescape(world.get(JOBS).text), re.DOTALL)
    assert command is not None
    example = command[1].partition("\n")[2].removesuffix("END")
    assert JobSpec.model_validate(yaml.safe_load(example)["spec"]).provisioner == "echo"
    assert "kubectl -n ORGANIZATION create" in world.get("/organizations/-/provisioner-jobs").text


def test_a_choice_of_a_parameter_shows_its_description() -> None:
    page = ApiWorld().get(f"/organizations/{ACME}/workspaces/fresh/start").text
    assert '<option value="us">America: far</option>' in page


def test_a_job_shows_exact_times() -> None:
    world = ApiWorld()
    answering(world, "dev-1")
    assert '<span class="exact">2027-01-15T08:01:00Z</span>' in world.get(f"{JOBS}/dev-1").text
