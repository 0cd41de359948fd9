"""The chart from its installation to the end, on a real API server.

There is no node, so nothing waits for Pods, and hooks, which need Pods too, are left to tests/e2e.
"""

import shutil
from pathlib import Path

import pytest
import yaml

from chart.build import CHART
from chart.plan import default_objects
from support.builders.manifests import a_template_manifest
from support.cluster.kubectl import Kubectl
from support.manifests import MANIFESTS
from support.programs.helm import RELEASE, Helm

NOT_FOUND = 404
JOBS = "provisionerjobs.provisioner.dev"
NEXT = "Of the next version."
OWNER = "meta.helm.sh/release-name"


def install(helm: Helm, *arguments: str) -> None:
    helm.run("install", RELEASE, str(CHART), "--no-hooks", *arguments)


def description(admin: Kubectl) -> str:
    version = admin.get("crd", JOBS)["spec"]["versions"][0]
    return str(version["schema"]["openAPIV3Schema"]["description"])


@pytest.fixture
def changed_chart(tmp_path: Path) -> Path:
    """The chart with a definition of another version."""
    copy = tmp_path / "chart"
    shutil.copytree(CHART, copy)
    file = copy / "templates" / "crds" / f"{JOBS}.yaml"
    begin = "        description: |-\n"
    file.write_text(file.read_text("utf-8").replace(begin, f"{begin}          {NEXT}\n", 1), "utf-8")
    return copy


def test_every_object_is_stored_and_a_change_of_values_changes_it(helm: Helm, admin: Kubectl) -> None:
    install(helm)
    for each in default_objects():
        stored = admin.get(each["kind"].lower(), each["metadata"]["name"])
        assert stored["metadata"]["annotations"][OWNER] == RELEASE

    helm.run("upgrade", RELEASE, str(CHART), "--no-hooks", "--set=replicaCount=3,commonLabels.team=platform")

    deployment = admin.get("deployment", "provisioner-operator")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["metadata"]["labels"]["team"] == "platform"


def test_an_upgrade_changes_the_definitions_and_keeps_the_objects(
    helm: Helm, admin: Kubectl, changed_chart: Path
) -> None:
    install(helm)
    admin.run("wait", "crd", "--all", "--for=condition=Established", "--timeout=120s")
    assert not description(admin).startswith(NEXT)
    uid = admin.create(a_template_manifest("docker"))["metadata"]["uid"]

    helm.run("upgrade", RELEASE, str(changed_chart), "--no-hooks")

    assert description(admin).startswith(NEXT)
    assert admin.get("wst", "docker")["metadata"]["uid"] == uid


def test_definitions_and_objects_outlive_the_release_and_a_new_one_takes_them_over(helm: Helm, admin: Kubectl) -> None:
    install(helm)
    admin.run("wait", "crd", "--all", "--for=condition=Established", "--timeout=120s")
    uid = admin.create(a_template_manifest("docker"))["metadata"]["uid"]

    helm.run("uninstall", RELEASE, "--no-hooks")
    assert admin.api.get("deployment", "provisioner-operator").status == NOT_FOUND
    assert admin.get("wst", "docker")["metadata"]["uid"] == uid
    install(helm)

    assert admin.get("wst", "docker")["metadata"]["uid"] == uid
    assert admin.get("deployment", "provisioner-operator")["spec"]["replicas"] == 2


def test_nothing_stays_that_is_not_to_be_kept(helm: Helm, admin: Kubectl) -> None:
    install(helm, "--set=crds.keep=false")

    helm.run("uninstall", RELEASE, "--no-hooks", "--wait")

    for each in default_objects():
        assert admin.api.get(each["kind"].lower(), each["metadata"]["name"]).status == NOT_FOUND


def test_an_installation_by_kubectl_is_adopted(helm: Helm, admin: Kubectl) -> None:
    admin.run("apply", "--server-side", f"--kustomize={MANIFESTS / 'default'}")
    refused = helm.attempt("install", RELEASE, str(CHART), "--no-hooks")
    assert "cannot be imported into the current release" in refused.stderr

    install(helm, "--take-ownership", *(["--force-conflicts"] if helm.major > 3 else []), "--set=replicaCount=3")

    assert admin.get("deployment", "provisioner-operator")["spec"]["replicas"] == 3
    release = yaml.safe_load(helm.run("list", "--output=yaml"))
    assert [(each["name"], each["status"]) for each in release] == [(RELEASE, "deployed")]
    for each in default_objects():
        stored = admin.get(each["kind"].lower(), each["metadata"]["name"])
        assert stored["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
