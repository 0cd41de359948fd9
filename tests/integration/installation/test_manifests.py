"""Manifests that users apply: the API server accepts them, stores them unchanged, and enforces the strictest Pod security."""

import copy
import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.installation.conftest import NO_PODS
from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl
from support.cluster.kustomizations import a_kustomization
from support.manifests import CRDS, MANIFESTS, Manifest

SYSTEM, TEAM = "provisioner-system", "team-example"
EXAMPLES = MANIFESTS / "examples"
"""Overlays of users, tested in tests/integration/workspaces/test_gitops.py."""
KUSTOMIZATIONS = [
    CRDS,
    *sorted(file.parent for file in MANIFESTS.rglob("kustomization.yaml") if not file.is_relative_to(EXAMPLES)),
]
COMPONENTS = sorted(folder.name for folder in (MANIFESTS / "components").iterdir())


def _is_component(folder: Path) -> bool:
    return "kind: Component" in (folder / "kustomization.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "folder",
    [folder for folder in KUSTOMIZATIONS if not _is_component(folder)],
    ids=lambda folder: str(folder.relative_to(MANIFESTS.parent)),
)
def test_the_api_server_accepts_every_kustomization(folder: Path, root: Kubectl) -> None:
    if folder.name == "stamping" and not has_stamping(root):
        pytest.skip("this API server has no MutatingAdmissionPolicy v1 (Kubernetes 1.36)")

    answer = root.run("apply", "--server-side", "--dry-run=server", "--force-conflicts", f"--kustomize={folder}")

    assert "violate PodSecurity" not in answer.stderr
    assert "Warning" not in answer.stderr


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_can_be_combined_with_its_base(component: str, root: Kubectl, tmp_path: Path) -> None:
    if component == "stamping" and not has_stamping(root):
        pytest.skip("this API server has no MutatingAdmissionPolicy v1 (Kubernetes 1.36)")
    base = "overlays/team-example" if component.startswith("daemon-") else "default"
    folder = a_kustomization(tmp_path, base, components=[component])

    plain = _plain(root, base)
    extended = _rendered(root, folder)
    # The base as it stands is tested above, and the API server compiles each of its definitions anew.
    changed = [each for each in extended if each not in plain]
    items = {"apiVersion": "v1", "kind": "List", "items": changed}
    answer = root.run("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", given=items)

    assert len(extended) >= len(plain)
    assert changed != []
    assert "violate PodSecurity" not in answer.stderr


@pytest.mark.parametrize("example", ["ingress", "oauth2-proxy"])
def test_the_api_server_accepts_each_way_to_the_web_server(example: str, root: Kubectl) -> None:
    folder = EXAMPLES / "web" / example

    answer = root.run("apply", "--server-side", "--dry-run=server", "--force-conflicts", f"--kustomize={folder}")

    assert "Warning" not in answer.stderr


@pytest.mark.parametrize("example", ["gateway", "ingress", "oauth2-proxy"])
def test_each_way_to_the_web_server_names_it_as_people_call_it(example: str, root: Kubectl) -> None:
    rendered = list(yaml.safe_load_all(root.run("kustomize", str(EXAMPLES / "web" / example)).stdout))

    deployment = next(
        each for each in rendered if each["metadata"]["name"] == "provisioner-web" and each["kind"] == "Deployment"
    )
    environment = {
        each["name"]: each["value"] for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert environment["PROVISIONER_WEB_ALLOWED_HOSTS"] == "provisioner.example.com"


def test_nothing_differs_after_an_apply(root: Kubectl, installed: Path) -> None:
    """A difference would make a GitOps engine apply the manifests again and again."""
    for way in (["--server-side"], []):
        # The API server and its controllers may write to these objects at the same time.
        deadline = time.monotonic() + 60
        while (answer := root.attempt("diff", f"--kustomize={installed}", *way)).stdout and time.monotonic() < deadline:
            time.sleep(0.5)
        assert (answer.exit_code, answer.stdout) == (0, ""), answer


def test_the_api_server_keeps_each_value_as_it_is_written(root: Kubectl, installed: Path) -> None:
    for written in _rendered(root, installed):
        namespaced = root.within(written["metadata"].get("namespace", "default"))
        stored = namespaced.get(written["kind"], written["metadata"]["name"])
        assert list(_differences(written, stored)) == []


def test_a_pod_of_the_controller_passes_the_strictest_level(root: Kubectl, pod_of_the_controller: Manifest) -> None:
    answer = root.within(SYSTEM).run("create", "--dry-run=server", "-f", "-", given=pod_of_the_controller)

    assert answer.stderr == ""


@pytest.mark.parametrize("namespace", [SYSTEM, TEAM])
@pytest.mark.parametrize(
    "change",
    [
        {"runAsNonRoot": False},
        {"seccompProfile": {"type": "Unconfined"}},
    ],
    ids=str,
)
def test_a_pod_that_asks_for_more_is_refused(
    namespace: str, change: Manifest, root: Kubectl, pod_of_the_controller: Manifest
) -> None:
    pod = copy.deepcopy(pod_of_the_controller)
    pod["spec"]["securityContext"] |= change
    pod["spec"]["serviceAccountName"] = "default"

    refusal = root.within(namespace).api.create(pod, dry_run=True).refusal

    assert 'violates PodSecurity "restricted:latest"' in refusal


def test_the_controller_alone_has_a_token(root: Kubectl, pod_of_the_controller: Manifest) -> None:
    bare = {key: value for key, value in pod_of_the_controller["spec"].items() if key != "automountServiceAccountToken"}
    stored = [
        root.within(SYSTEM).create(pod_of_the_controller | {"spec": spec}, dry_run=True)["spec"]
        for spec in (pod_of_the_controller["spec"], bare)
    ]

    assert ["serviceaccount" in json.dumps(spec["containers"]) for spec in stored] == [True, False]


def test_another_namespace_and_another_image_take_two_lines(root: Kubectl, tmp_path: Path) -> None:
    image = {"name": "provisioner-operator", "newName": "registry.example.com/provisioner", "newTag": "9.9"}
    folder = a_kustomization(tmp_path, "default", namespace="elsewhere", images=[image])

    rendered = _rendered(root, folder)
    deployment = next(each for each in rendered if each["kind"] == "Deployment")
    binding = next(each for each in rendered if each["kind"] == "ClusterRoleBinding")

    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example.com/provisioner:9.9"
    assert binding["subjects"][0]["namespace"] == "elsewhere"
    assert {each["metadata"].get("namespace", "elsewhere") for each in rendered} == {"elsewhere"}
    assert [each["metadata"]["name"] for each in rendered if each["kind"] == "Namespace"] == ["elsewhere"]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The kustomization that `root` has applied."""
    return a_kustomization(tmp_path, "default", components=["web"], replicas=NO_PODS)


@functools.cache
def _plain(root: Kubectl, base: str) -> list[Manifest]:
    """Return a base without any component, which kubectl takes a second to render."""
    return _rendered(root, MANIFESTS / base)


def _rendered(root: Kubectl, folder: Path) -> list[Manifest]:
    """Return a kustomization as kubectl renders it."""
    text = root.run("create", "--dry-run=client", "--output=json", "--validate=false", f"--kustomize={folder}").stdout
    decoder, at = json.JSONDecoder(), 0
    found: list[Manifest] = []
    while at < len(text.rstrip()):
        body, at = decoder.raw_decode(text, at)
        at += 1
        found += body["items"] if body["kind"] == "List" else [body]
    return found


def _differences(written: Any, stored: Any, path: str = "") -> Iterator[str]:
    """Yield the fields whose stored value differs from the manifest; fields added by the API server do not count."""
    if isinstance(written, dict) and isinstance(stored, dict):
        for key, value in written.items():
            yield from _differences(value, stored.get(key), f"{path}.{key}")
    elif isinstance(written, list) and isinstance(stored, list) and len(written) == len(stored):
        for at, (mine, theirs) in enumerate(zip(written, stored, strict=True)):
            yield from _differences(mine, theirs, f"{path}[{at}]")
    elif written != stored:
        yield f"{path}: {written!r} became {stored!r}"
