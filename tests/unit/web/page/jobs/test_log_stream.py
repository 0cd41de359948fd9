"""The end of a followed log: that of the run, or that of the job itself."""

import pytest

from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from support.builders.manifests import a_job_manifest
from support.coder.api_world import ACME, ApiWorld, a_stored, uid
from support.scripted_client import Answer, ScriptedClient

NAME = "never-ran"
LOG = f"/organizations/{ACME}/provisioner-jobs/{NAME}/logs"
GONE = NotFoundError(404, "not found")
CANCELED = a_stored("provisionerjobs", a_job_manifest(NAME), {"phase": "Canceled"})


def a_world(*answers: Answer) -> ApiWorld:
    """A server whose API server gives these answers to reads of the job."""
    world, client = ApiWorld(), ScriptedClient()
    client.answers("GET", paths.job(ACME, NAME), *answers)
    world.users.client = client
    return world


@pytest.mark.parametrize(
    ("last", "end"), [(CANCELED, "Ended"), (UnreachableError("no answer"), "Ended"), (GONE, "gone")]
)
def test_a_log_ends_with_its_run_or_with_its_job(last: Answer, end: str) -> None:
    page = a_world(CANCELED, CANCELED, last).get(LOG, Accept="text/event-stream")
    assert page.text.endswith(f"event: end\ndata: {end}\n\n")


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream"])
def test_the_log_of_a_job_that_does_not_exist_is_not_found(accept: str) -> None:
    page = a_world(GONE).get(LOG, Accept=accept)
    assert page.status_code == 404
    assert f"There is no job {NAME} in organization {ACME}." in page.text


def test_the_log_of_a_page_is_that_of_its_own_job() -> None:
    assert a_world(CANCELED).get(f"{LOG}?uid=other", Accept="text/event-stream").status_code == 404
    own = f"{LOG}?uid={uid('provisionerjobs', NAME)}"
    assert a_world(CANCELED).get(own, Accept="text/event-stream").status_code == 200
    waiting = CANCELED | {"status": {"phase": "Pending"}}
    assert f'data-follow="{own.replace("?", "?after=0&amp;")}"' in a_world(waiting).get(LOG).text


def test_the_page_of_a_job_that_does_not_exist_names_it() -> None:
    page = a_world(GONE).get(LOG.removesuffix("/logs"))
    assert page.status_code == 404
    assert f"There is no job {NAME} in organization {ACME}." in page.text
