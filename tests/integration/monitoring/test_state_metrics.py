"""Objects as the API server stores them, and as the product writes them, have the metrics that the configuration promises."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.state_metrics.metrics import MOST_SERIES, state_metrics
from monitoring.state_metrics.rendering import CONFIG
from provisioner_operator.api.v1alpha1.names import DAEMONS, GROUP, JOBS, POOLS, TEMPLATES, WORKSPACES
from support.builders.manifests import a_pool_manifest, a_template_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.kustomizations import a_kustomization
from support.cluster.role_bindings import await_right
from support.cluster.shared_cluster import Cluster
from support.manifests import REPOSITORY, Manifest
from support.programs.kube_state_metrics import a_kube_state_metrics, need_kube_state_metrics
from support.programs.programs import OperatorProgram
from support.state_metrics.evaluation import Sample, samples
from support.state_metrics.fixtures import NAMES, NAMESPACE, fixture, golden
from support.test_namespace import ProductNamespace

ACCOUNT = "system:serviceaccount:kube-system:kube-state-metrics"
MEASURED = (WORKSPACES, TEMPLATES, POOLS, DAEMONS)


@pytest.fixture(scope="module")
def reader(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The ServiceAccount of kube-state-metrics, with no rights but the component's."""
    root = Kubectl(cluster.kubeconfig)
    folder = a_kustomization(tmp_path_factory.mktemp("component"), components=["kube-state-metrics"])
    root.run("apply", "--server-side", f"--kustomize={folder}")
    await_right(root, ACCOUNT, "watch", DAEMONS, None)
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system")
    return Kubectl(Path(cluster.kubeconfig_for(ACCOUNT, groups)))


def create(admin: Kubectl, name: str) -> Manifest:
    """Create a fixture's object as users do, and write its status as the product does."""
    body = fixture(name)
    stored = admin.create({key: value for key, value in body.items() if key != "status"})
    if "status" in body:
        stored = admin.patch(body["kind"], stored["metadata"]["name"], {"status": body["status"]}, subresource="status")
    return stored


def in_namespace(expected: Iterable[Sample], namespace: str) -> list[Sample]:
    """The same series of objects in another namespace."""
    return sorted(
        replace(
            each,
            labels=tuple((name, namespace if value == NAMESPACE else value) for name, value in each.labels),
        )
        for each in expected
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_object_in_the_cluster_has_the_metrics_of_its_file(
    name: str, cluster: Cluster, module_namespace: str
) -> None:
    stored = create(Kubectl(cluster.kubeconfig, module_namespace), name)

    assert samples(state_metrics(), stored) == in_namespace(golden(name), module_namespace)


def test_the_role_lets_it_read_what_it_measures_and_nothing_else(reader: Kubectl, namespace: str) -> None:
    rights = reader.within(namespace)
    for resource in (*(f"{each}.{GROUP}" for each in MEASURED), "customresourcedefinitions.apiextensions.k8s.io"):
        for verb in ("list", "watch"):
            assert rights.attempt("auth", "can-i", verb, resource, "--all-namespaces").ok, (verb, resource)
        assert not rights.attempt("auth", "can-i", "get", resource, "--all-namespaces").ok
    for resource in (f"{JOBS}.{GROUP}", "secrets", "configmaps"):
        assert not rights.attempt("auth", "can-i", "list", resource, "--all-namespaces").ok, resource


def test_kube_state_metrics_itself_serves_the_metrics_of_the_files(
    cluster: Cluster, reader: Kubectl, namespace: str, tmp_path: Path
) -> None:
    program = need_kube_state_metrics()
    admin = Kubectl(cluster.kubeconfig, namespace)
    bodies = [create(admin, name) for name in NAMES]
    expected = in_namespace((each for name in NAMES for each in golden(name)), namespace)
    assert len(bodies) == len(NAMES)

    with a_kube_state_metrics(program, reader.kubeconfig, REPOSITORY / CONFIG, tmp_path / "log") as scrape:
        served = [each for each in scrape(len(expected)) if ("namespace", namespace) in each.labels]

    assert served == expected


def test_objects_of_a_running_product_have_metrics_of_every_kind(
    product: ProductNamespace, operator: OperatorProgram
) -> None:
    assert operator.endpoint
    with product.daemon("measured"):
        admin = product.admin
        admin.create(a_pool_manifest("empty", replicas=0, tags={"environment": "elsewhere"}))
        admin.create(a_template_manifest("machine"))
        admin.create(a_workspace_manifest("dev", templateRef={"name": "machine"}, autostopSeconds=3600))
        for kind, name in (("wst", "machine"), ("ws", "dev"), ("pp", "empty")):
            admin.wait(kind, name, "condition=Ready")
        bodies = [admin.get("wst", "machine"), admin.get("ws", "dev"), admin.get("pp", "empty")]
        # The import and the build, as a heartbeat after them reports.
        bodies.append(product.daemons.until("measured", lambda body: body["status"].get("completedJobs") == 2))
    found = {body["kind"]: samples(state_metrics(), body) for body in bodies}

    assert all(0 < len(each) <= MOST_SERIES for each in found.values())
    values = {
        (
            each.metric.removeprefix("kube_provisioner_"),
            dict(each.labels).get("phase") or dict(each.labels).get("type"),
        ): (each.value)
        for of_kind in found.values()
        for each in of_kind
    }
    assert values["workspace_phase", "Running"] == 1
    assert values["workspace_build_number", None] == 1
    finished = values["workspace_latest_build_finished_timestamp_seconds", None]
    assert values["workspace_stops_at_timestamp_seconds", None] > finished > 1_700_000_000
    assert values["workspace_condition", "Ready"] == values["template_condition", "Available"] == 1
    assert values["pool_desired_replicas", None] == 0
    assert values["daemon_completed_jobs", None] == 2
    assert values["daemon_info", None] == 1
