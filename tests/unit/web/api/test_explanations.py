"""Explanations and predictions of our own API, and how it refuses."""

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.web.access.caller import Question
from provisioner_operator.web.index.cluster_index import NAMESPACES
from support.coder.api_world import ACME, OTHER, ApiWorld, uid

OWN = "/api/provisioner/v1"


@pytest.fixture(scope="module")
def world() -> ApiWorld:
    """The installation, which these tests only read."""
    return ApiWorld()


def why_path(job: str) -> str:
    return f"{OWN}/jobs/{uid(JOBS, job)}/why"


def test_a_stuck_job_is_explained_with_each_daemon(world: ApiWorld) -> None:
    found = world.get(why_path("stuck-1")).json()
    assert (found["reason"], found["stuck"], found["status"]) == ("NoMatchingDaemon", True, "pending")
    assert "zone=mars" in found["message"]
    assert {each["name"]: each["lacks"] for each in found["daemons"]} == {
        name: ["zone=mars"] for name in ("idle", "busy", "silent", "never")
    }
    assert (found["position"], found["queue_size"]) == (1, 1)


def test_a_job_that_is_about_to_start_has_no_reason_to_wait(world: ApiWorld) -> None:
    found = world.get(why_path("waiting-1")).json()
    assert (found["reason"], found["stuck"], found["message"]) == (None, False, "A daemon is about to start it.")


def test_an_ended_job_shows_how_it_ended(world: ApiWorld) -> None:
    found = world.get(why_path("gone-3")).json()
    assert (found["status"], found["message"], found["position"]) == ("failed", "Terraform failed.", 0)


def test_who_may_not_list_daemons_does_not_see_them() -> None:
    world = ApiWorld()
    world.users.rights = {"sam": _no_daemons}
    found = world.get(why_path("stuck-1")).json()
    assert found["daemons"] is None
    assert found["nearest"] == []


def _no_daemons(question: Question) -> bool:
    return question.namespace == ACME and question.resource != DAEMONS


def test_a_foreign_job_does_not_exist(world: ApiWorld) -> None:
    assert world.get(why_path("foreign")).status_code == 404


def test_failures_have_the_form_that_the_client_asks_for(world: ApiWorld) -> None:
    plain = world.get(why_path("foreign"))
    assert plain.json() == {"message": "Resource not found or you do not have access to this resource"}
    problem = world.get(why_path("foreign"), Accept="application/problem+json")
    assert problem.headers["content-type"] == "application/problem+json"
    assert (problem.json()["status"], problem.json()["type"]) == (404, "about:blank")


@pytest.mark.parametrize("organization", [ACME, uid(NAMESPACES, ACME)])
def test_a_prediction(world: ApiWorld, organization: str) -> None:
    path = f"{OWN}/match?organization={organization}&provisioner=echo"
    found = world.get(path + '&tags={"zone":"eu"}').json()
    assert (found["starts_now"], found["reason"]) == (True, None)
    assert {each["name"] for each in found["daemons"] if each["matches"]} == {"idle", "busy", "silent", "never"}
    stuck = world.get(path + '&tags={"zone":"mars"}').json()
    assert (stuck["starts_now"], stuck["reason"], stuck["waiting"]) == (False, "NoMatchingDaemon", 1)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        (f"organization={ACME}&provisioner=ansible", 400),
        (f"organization={ACME}&tags=zone", 400),
        (f"organization={ACME}&tag=zone", 400),
        (f"organization={OTHER}", 404),
    ],
)
def test_a_prediction_is_refused(world: ApiWorld, query: str, status: int) -> None:
    assert world.get(f"{OWN}/match?{query}").status_code == status


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_job_is_named_by_its_uid(world: ApiWorld, method: str) -> None:
    path = f"{OWN}/jobs/dev-1/{'suspend' if method == 'POST' else 'why'}"
    assert world.send(method, path).status_code == 400
