"""The controller finds the image that it runs from, so that pools' daemons are of its version."""

import pytest

from provisioner_operator.controller.own_image import own_image
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, InternalError, NotFoundError
from support.scripted_client import Answer, ScriptedClient
from support.virtual_time import virtual_time

POD = paths.pod("system", "operator-0")


def a_pod(**containers: str) -> Answer:
    return {"spec": {"containers": [{"name": name, "image": image} for name, image in containers.items()]}}


def in_a_pod(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> ScriptedClient:
    monkeypatch.setenv("POD_NAME", "operator-0")
    monkeypatch.setenv("POD_NAMESPACE", "system")
    client = ScriptedClient()
    client.answers("GET", POD, answer)
    return client


@virtual_time
async def test_it_is_that_of_the_container_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    client = in_a_pod(monkeypatch, a_pod(sidecar="mesh:1", operator="registry/operator:2"))
    assert await own_image(client) == "registry/operator:2"


@virtual_time
async def test_it_is_that_of_the_first_container_where_none_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await own_image(in_a_pod(monkeypatch, a_pod(renamed="registry/operator:2", sidecar="mesh:1"))) == (
        "registry/operator:2"
    )


@pytest.mark.parametrize("missing", ["POD_NAME", "POD_NAMESPACE"])
@virtual_time
async def test_outside_a_pod_there_is_none_and_nothing_is_asked(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = in_a_pod(monkeypatch, a_pod(operator="image"))
    monkeypatch.delenv(missing)
    assert await own_image(client) is None
    assert client.requests == []


@pytest.mark.parametrize("error", [ForbiddenError(403, "no"), NotFoundError(404, "none")])
@virtual_time
async def test_a_pod_that_may_not_be_read_leaves_the_default(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await own_image(in_a_pod(monkeypatch, error)) is None


@virtual_time
async def test_an_error_that_passes_is_left_to_the_start_to_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InternalError):
        await own_image(in_a_pod(monkeypatch, InternalError(500, "etcd")))
