"""A started control plane is ready, private and restartable, and leaves nothing when it is stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil
import pytest
import yaml

from provisioner_devcluster import ControlPlane
from provisioner_devcluster.process.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from integration.devcluster.conftest import Kubectl


def processes(plane: ControlPlane) -> list[psutil.Process]:
    record = Record.read(plane.directory)
    assert record is not None
    return [psutil.Process(identity.pid) for identity in record.components.values()]


def test_the_first_namespace_has_its_service_account_from_the_start(cluster: ControlPlane, kubectl: Kubectl) -> None:
    assert "default" in kubectl(cluster.kubeconfig, "get", "serviceaccounts", "--output=name")


def test_a_new_namespace_gets_its_service_account(cluster: ControlPlane, kubectl: Kubectl) -> None:
    kubectl(cluster.kubeconfig, "create", "namespace", "fresh")
    account = "serviceaccount/default"
    kubectl(cluster.kubeconfig, "wait", "--for=create", account, "--namespace=fresh", "--timeout=30s")


def test_both_kinds_of_admission_policy_are_served(cluster: ControlPlane, kubectl: Kubectl) -> None:
    served = kubectl(cluster.kubeconfig, "api-resources", "--api-group=admissionregistration.k8s.io", "--output=name")
    assert "mutatingadmissionpolicies.admissionregistration.k8s.io" in served
    assert "validatingadmissionpolicies.admissionregistration.k8s.io" in served


def test_the_server_reports_its_version(cluster: ControlPlane, kubectl: Kubectl) -> None:
    assert json.loads(kubectl(cluster.kubeconfig, "get", "--raw=/version"))["gitVersion"] == "v1.36.3"


def test_users_are_identified_by_their_certificates(cluster: ControlPlane, kubectl: Kubectl) -> None:
    def who(kubeconfig: Path) -> dict[str, object]:
        review = json.loads(kubectl(kubeconfig, "auth", "whoami", "--output=json"))
        return {key: review["status"]["userInfo"][key] for key in ("username", "groups")}

    alice = who(cluster.kubeconfig_for("alice", ["devs", "ops"]))
    assert alice == {"username": "alice", "groups": ["devs", "ops", "system:authenticated"]}
    assert who(cluster.kubeconfig_for("bob")) == {"username": "bob", "groups": ["system:authenticated"]}
    assert who(cluster.kubeconfig)["groups"] == ["system:masters", "system:authenticated"]


def test_a_user_may_do_what_rbac_grants_and_no_more(cluster: ControlPlane, kubectl: Kubectl) -> None:
    carol = cluster.kubeconfig_for("carol")
    with pytest.raises(AssertionError, match='User "carol" cannot list'):
        kubectl(carol, "get", "configmaps")
    kubectl(cluster.kubeconfig, "create", "rolebinding", "carol", "--clusterrole=view", "--user=carol")
    assert "kube-root-ca.crt" in kubectl(carol, "get", "configmaps")
    with pytest.raises(AssertionError, match='User "carol" cannot list'):
        kubectl(carol, "get", "secrets")


def test_a_user_named_at_the_start_has_a_token(cluster: ControlPlane, kubectl: Kubectl, tmp_path: Path) -> None:
    def with_token(token: str) -> Path:
        document = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
        document["users"][0]["user"] = {"token": token}
        path = tmp_path / "with-token.kubeconfig"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    assert '"username": "tessa"' in kubectl(with_token(cluster.token_of("tessa")), "auth", "whoami", "--output=json")
    with pytest.raises(AssertionError, match=r"Unauthorized|must be logged in"):
        kubectl(with_token("another"), "get", "namespaces")


def test_all_components_listen_only_on_loopback(cluster: ControlPlane) -> None:
    listening = [
        connection.laddr.ip
        for process in processes(cluster)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_its_directory_is_private(cluster: ControlPlane) -> None:
    assert cluster.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kill", [True, False])
def test_the_api_server_restarts_on_its_port_with_all_its_objects(
    cluster: ControlPlane, kubectl: Kubectl, *, kill: bool
) -> None:
    name = f"kept-{kill}".lower()
    kubectl(cluster.kubeconfig, "create", "configmap", name)
    cluster.stop_api_server(kill=kill)
    with pytest.raises(AssertionError, match="refused"):
        kubectl(cluster.kubeconfig, "get", "configmap", name)
    cluster.start_api_server()
    assert name in kubectl(cluster.kubeconfig, "get", "configmap", name)


def test_two_control_planes_share_nothing_and_one_that_stops_leaves_no_process_and_no_file(
    cluster: ControlPlane, kubectl: Kubectl, tmp_path: Path
) -> None:
    with ControlPlane.start(tmp_path / "other") as other:
        components = processes(other)
        assert len(components) == 4
        assert other.server != cluster.server
        kubectl(other.kubeconfig, "create", "namespace", "only-here")
        assert "only-here" not in kubectl(cluster.kubeconfig, "get", "namespaces")
        with pytest.raises(AssertionError, match=r"certificate|Unauthorized"):
            kubectl(cluster.kubeconfig, f"--server={other.server}", "get", "namespaces")
    assert "default" in kubectl(cluster.kubeconfig, "get", "namespaces")
    assert not [process for process in components if process.is_running()]
    assert not (tmp_path / "other").exists()
