"""Changes of an object that somebody else changes at the same time, on a real API server."""

import os
from typing import Any

import pytest

from integration.cli.conftest import People
from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.api.kubeconfig import Choice, find_access
from provisioner_operator.cli.errors import AlreadyExistsError, ChangedError, PreconditionError
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, job_state
from support.test_namespace import ProductNamespace, a_job


@pytest.fixture(scope="module")
def api(quiet: ProductNamespace, people: People) -> Cluster:
    choice = Choice(kubeconfig=people.root.kubeconfig, namespace=quiet.namespace)
    return Cluster(find_access(choice, os.environ), timeout=30)


def resumed_at(priority: int) -> JsonPatch:
    return JsonPatch(tests=(("/spec/priority", priority),), sets=(("/spec/suspend", False),))


def test_an_object_that_changed_after_it_was_read_is_read_again(quiet: ProductNamespace, api: Cluster) -> None:
    quiet.admin.create(a_job("raced", suspend=True, priority=1))
    seen: list[int] = []

    def decide(body: Body) -> JsonPatch:
        seen.append(body["spec"]["priority"])
        if len(seen) == 1:
            quiet.admin.patch("pj", "raced", {"spec": {"priority": 2}})
        return resumed_at(seen[-1])

    before = change(api, paths.job(quiet.namespace, "raced"), decide)
    assert seen == [1, 2]
    assert job_state(before).suspend
    assert quiet.admin.get("pj", "raced")["spec"]["suspend"] is False


def test_an_object_that_never_stops_changing_is_left_alone_after_some_attempts(
    quiet: ProductNamespace, api: Cluster
) -> None:
    quiet.admin.create(a_job("restless", suspend=True))
    attempts: list[Body] = []

    def decide(body: Body) -> JsonPatch:
        attempts.append(body)
        return resumed_at(99)

    with pytest.raises(ChangedError, match="changed by others 5 times"):
        change(api, paths.job(quiet.namespace, "restless"), decide)
    assert len(attempts) == 5
    assert quiet.admin.get("pj", "restless")["spec"]["suspend"] is True


@pytest.mark.parametrize(
    "sets", [(("/spec/priority", "high"),), (("/spec/tags", {"owner": "somebody"}),)], ids=["schema", "rule"]
)
def test_a_change_that_is_invalid_is_not_repeated(quiet: ProductNamespace, api: Cluster, sets: Any) -> None:
    name = f"invalid-{len(sets[0][0])}"
    quiet.admin.create(a_job(name))
    attempts: list[Body] = []

    def decide(body: Body) -> JsonPatch:
        attempts.append(body)
        return JsonPatch(tests=(), sets=sets)

    with pytest.raises(PreconditionError) as raised:
        change(api, paths.job(quiet.namespace, name), decide)
    assert not isinstance(raised.value, ChangedError)
    assert len(attempts) == 1


def test_a_name_that_is_taken_is_recognized(quiet: ProductNamespace, api: Cluster) -> None:
    quiet.admin.create(a_job("taken"))
    with pytest.raises(AlreadyExistsError):
        api.create(paths.jobs(quiet.namespace), a_job("taken"))
