"""The node of the end-to-end tests offers everything that a Pod can expect of a node."""

import json

import pytest

from e2e.pods import a_pod, a_service
from provisioner_devcluster import NodeCluster
from support.cluster.kubectl import Kubectl

SILENT_WITHIN = 120
"""Timeout in seconds; a node without heartbeats is detected after twenty, later on a busy machine."""


@pytest.fixture
def serving(admin: Kubectl, probe_image: str) -> str:
    """Create a serving Pod, and return its name once it runs."""
    admin.create(a_pod("server", probe_image, "serve", "hello"))
    admin.wait("pod", "server", "condition=Ready")
    return "server"


def finished(admin: Kubectl, name: str) -> str:
    """Wait for a Pod's success and return its log."""
    admin.wait("pod", name, "jsonpath={.status.phase}=Succeeded")
    return admin.run("logs", name).stdout


def test_the_node_is_ready(own_cluster: NodeCluster) -> None:
    admin = Kubectl(own_cluster.kubeconfig)
    assert admin.run("get", "nodes", "--output=name").stdout.split() == [f"node/{own_cluster.node.name}"]
    admin.wait("node", own_cluster.node.name, "condition=Ready")


def test_the_logs_of_a_pod_can_be_read(admin: Kubectl, serving: str) -> None:
    assert admin.run("logs", serving).stdout == "serving hello\n"


def test_a_command_can_be_run_in_a_pod(admin: Kubectl, serving: str) -> None:
    assert admin.run("exec", serving, "--", "/probe", "get", "http://localhost:8080").stdout == "hello\n"


def test_a_pod_can_be_reached_from_outside_through_the_api_server(admin: Kubectl, serving: str) -> None:
    path = f"/api/v1/namespaces/{admin.namespace}/pods/{serving}:8080/proxy/"
    assert admin.run("get", "--raw", path).stdout == "hello\n"


def test_a_service_is_reachable_from_a_pod(admin: Kubectl, serving: str, probe_image: str) -> None:
    address = admin.create(a_service(serving))["spec"]["clusterIP"]
    # kube-proxy observes the new Service some time later; the Pod must not connect before.
    admin.wait("endpointslice", _slice(admin, serving), "jsonpath={.endpoints[0].conditions.ready}=true")
    client = a_pod("client", probe_image, "get", f"http://{address}")
    client["spec"]["restartPolicy"] = "OnFailure"
    admin.create(client)
    assert finished(admin, "client") == "hello\n"


def test_a_pod_reaches_the_api_server_by_its_service_address_and_is_identified_by_its_token(
    admin: Kubectl, probe_image: str
) -> None:
    admin.create(a_pod("asking", probe_image, "whoami"))
    user = json.loads(finished(admin, "asking"))["status"]["userInfo"]
    assert user["username"] == f"system:serviceaccount:{admin.namespace}:default"
    assert user["extra"]["authentication.kubernetes.io/pod-name"] == ["asking"]
    assert user["extra"]["authentication.kubernetes.io/node-name"] == ["node"]


def test_a_container_that_exceeds_its_memory_limit_is_killed_with_a_reason(admin: Kubectl, probe_image: str) -> None:
    admin.create(a_pod("greedy", probe_image, "eat", memory="32Mi"))
    admin.wait("pod", "greedy", "jsonpath={.status.phase}=Failed")
    [status] = admin.get("pod", "greedy")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "OOMKilled"


def test_a_pod_with_a_missing_image_does_not_start(admin: Kubectl, probe_image: str) -> None:
    admin.create(a_pod("absent", f"{probe_image}-absent", "whoami"))
    waiting = "jsonpath={.status.containerStatuses[0].state.waiting.reason}"
    admin.wait("pod", "absent", f"{waiting}=ErrImageNeverPull")


def test_a_deleted_pod_is_gone(admin: Kubectl, serving: str) -> None:
    admin.run("delete", "pod", serving, "--timeout=60s")
    assert not admin.attempt("get", "pod", serving).ok


def test_a_node_whose_kubelet_stops_becomes_unready_and_recovers_with_its_pods(
    own_cluster: NodeCluster, admin: Kubectl, serving: str
) -> None:
    node = own_cluster.node
    before = admin.get("pod", serving)["status"]["containerStatuses"][0]
    node.stop_kubelet()
    try:
        admin.wait("node", node.name, "condition=Ready=Unknown", seconds=SILENT_WITHIN)
        admin.wait("pod", serving, "condition=Ready=False", seconds=SILENT_WITHIN)
    finally:
        node.start_kubelet()
    admin.wait("pod", serving, "condition=Ready", seconds=SILENT_WITHIN)
    assert admin.get("pod", serving)["status"]["containerStatuses"][0]["containerID"] == before["containerID"]
    assert admin.run("exec", serving, "--", "/probe", "get", "http://localhost:8080").stdout == "hello\n"


def _slice(admin: Kubectl, service: str) -> str:
    label = f"--selector=kubernetes.io/service-name={service}"
    admin.run("wait", "endpointslice", label, "--for=create", "--timeout=60s")
    return admin.run("get", "endpointslice", label, "--output=jsonpath={.items[0].metadata.name}").stdout
