"""The cluster and the credentials of a command, and what is installed there."""

import base64
import json
import stat
import sys
from pathlib import Path

import pytest
import yaml

from integration.cli.conftest import People
from provisioner_operator.api.v1alpha1.names import API_VERSION
from support.cluster.shared_cluster import Cluster
from support.programs.cli import Cli
from support.test_namespace import ProductNamespace

pytestmark = pytest.mark.usefixtures("filled")


def test_every_kind_is_installed(people: People) -> None:
    known = people.root.attempt("doctor", "-o", "json").document
    assert next(each for each in known if each["check"] == "kinds")["level"] == "ok"


def test_several_kubeconfig_files_are_one(cluster: Cluster, tmp_path: Path, filled: ProductNamespace) -> None:
    first, second = tmp_path / "first", cluster.kubeconfig_for("viewer")
    document = yaml.safe_load(second.read_text(encoding="utf-8"))
    context = document["contexts"][0]["context"] | {"namespace": filled.namespace}
    alias = {"contexts": [{"name": "alias", "context": context}], "current-context": "alias"}
    first.write_text(yaml.safe_dump(alias), encoding="utf-8")
    both = Cli(Path(f"{first}:{second}"))
    assert "dev-1" in both.run("jobs", "list").out
    original = document["contexts"][0]["name"]
    assert both.run("jobs", "list", "--context", original, "-n", filled.namespace, "-o", "name").out
    assert "There is no context 'other'" in both.attempt("jobs", "list", "--context", "other").err


def test_a_credential_plugin_is_asked(cluster: Cluster, tmp_path: Path, filled: ProductNamespace) -> None:
    document = yaml.safe_load(cluster.kubeconfig_for("viewer").read_text(encoding="utf-8"))
    user = document["users"][0]["user"]
    if "client-certificate-data" not in user:
        pytest.skip("this cluster's users have no certificates")
    status = {
        "clientCertificateData": base64.b64decode(user["client-certificate-data"]).decode(),
        "clientKeyData": base64.b64decode(user["client-key-data"]).decode(),
    }
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!{sys.executable}\nprint({json.dumps(answer)!r})\n", encoding="utf-8")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    document["users"][0]["user"] = {
        "exec": {"apiVersion": answer["apiVersion"], "command": str(plugin), "interactiveMode": "Never"}
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert "dev-1" in Cli(file, filled.namespace).run("jobs", "list").out


def test_no_key_is_left_in_the_folder_of_temporary_files(
    cluster: Cluster, tmp_path: Path, filled: ProductNamespace
) -> None:
    environment = {"TMPDIR": str(tmp_path)}
    Cli(cluster.kubeconfig_for("viewer"), filled.namespace, environment).run("jobs", "list")
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_finds_the_installation_and_the_rights(people: People) -> None:
    found = {each["check"]: each for each in people.root.attempt("doctor", "-o", "json").document}
    assert found["policies"]["level"] == "ok"
    assert found["definitions"]["level"] == "ok"
    # None of this cluster's operators stands for election there, so the jobs decide, also those of other tests.
    assert found["operator"]["level"] in {"warning", "error"}
    assert found["queue"]["level"] == "warning"
    assert "0.0.1: d1" in found["daemon versions"]["message"]
    seen = {each["check"]: each for each in people.viewer.run("doctor", "-o", "json").document}
    assert seen["policies"]["level"] == "unknown"
    assert "cancel jobs" in seen["rights"]["message"].split("You may not:")[1]
    assert "provisioner-admin" in seen["rights"]["remedy"]


@pytest.mark.usefixtures("filled")
def test_the_doctor_finds_what_an_uninstallation_would_leave(people: People) -> None:
    answer = people.root.attempt("doctor", "--before-uninstall", "-o", "json")
    found = {each["check"]: each for each in answer.document}
    assert list(found) == ["workspaces", "templates", "pools", "daemons"]
    assert {each["level"] for each in found.values()} == {"error"}
    assert answer.code == 1
    assert "kubectl delete pp --all --all-namespaces" in found["pools"]["remedy"]


def test_the_doctor_does_not_take_an_unknown_for_nothing(people: People) -> None:
    answer = people.viewer.attempt("doctor", "--before-uninstall", "-o", "json")
    assert {each["level"] for each in answer.document} == {"error"}
    assert answer.code == 1


def test_versions_are_listed(people: People) -> None:
    document = people.viewer.run("version", "-o", "json").document
    assert document["api"] == API_VERSION
    assert document["daemons"]["0.0.1"] == 1


def test_names_are_completed_from_the_cluster(filled: ProductNamespace, people: People) -> None:
    answer = people.viewer.completions("jobs", "why", "-n", filled.namespace, "dev-")
    assert answer == ["dev-1", "dev-10", "dev-2"]
    assert people.viewer.completions("jobs", "list", "-s", "pending,fa") == ["pending,failed"]
    assert "cancel" in people.viewer.completions("jobs", "c")
