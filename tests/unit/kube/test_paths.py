"""Paths of collections, objects and statuses, as the API server serves them."""

from collections.abc import Callable

import pytest

from provisioner_operator.kube import paths

OURS = "/apis/provisioner.dev/v1alpha1"


@pytest.mark.parametrize(
    ("collection", "one", "prefix", "plural"),
    [
        (paths.jobs, paths.job, OURS, "provisionerjobs"),
        (paths.daemons, paths.daemon, OURS, "provisionerdaemons"),
        (paths.pools, paths.pool, OURS, "provisionerpools"),
        (paths.queues, paths.queue, OURS, "provisionerqueues"),
        (paths.templates, paths.template, OURS, "workspacetemplates"),
        (paths.workspaces, paths.workspace, OURS, "workspaces"),
        (paths.pods, paths.pod, "/api/v1", "pods"),
        (paths.config_maps, paths.config_map, "/api/v1", "configmaps"),
        (paths.secrets, paths.secret, "/api/v1", "secrets"),
        (paths.events, paths.event, "/apis/events.k8s.io/v1", "events"),
        (paths.leases, paths.lease, "/apis/coordination.k8s.io/v1", "leases"),
    ],
)
def test_an_object_is_served_in_the_collection_of_its_namespace(
    collection: Callable[[str], str], one: Callable[[str, str], str], prefix: str, plural: str
) -> None:
    assert collection("acme") == f"{prefix}/namespaces/acme/{plural}"
    assert one("acme", "x") == f"{prefix}/namespaces/acme/{plural}/x"


@pytest.mark.parametrize(
    "collection",
    [
        paths.jobs,
        paths.daemons,
        paths.pools,
        paths.queues,
        paths.supplies,
        paths.templates,
        paths.workspaces,
        paths.pods,
    ],
)
def test_a_collection_of_all_namespaces_has_none_in_its_path(collection: Callable[[str | None], str]) -> None:
    assert collection(None) == collection("acme").replace("/namespaces/acme", "")


@pytest.mark.parametrize(
    ("status", "one"),
    [
        (paths.job_status, paths.job),
        (paths.daemon_status, paths.daemon),
        (paths.pool_status, paths.pool),
        (paths.queue_status, paths.queue),
        (paths.template_status, paths.template),
        (paths.workspace_status, paths.workspace),
    ],
)
def test_a_status_is_a_subresource_of_its_object(
    status: Callable[[str, str], str], one: Callable[[str, str], str]
) -> None:
    assert status("acme", "x") == f"{one('acme', 'x')}/status"


def test_a_namespace_has_one_supply() -> None:
    assert paths.supplies("acme") == f"{OURS}/namespaces/acme/provisionersupplies"
    assert paths.supply("acme") == f"{OURS}/namespaces/acme/provisionersupplies/default"
