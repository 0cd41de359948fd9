"""Templates and workspaces in a namespace with a controller and daemons."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.cluster.watching import WITHIN, Watch, watching
from support.manifests import Manifest
from support.test_namespace import ProductNamespace, a_product_namespace, condition

PARAMETERS: list[Manifest] = [
    {"name": "size", "type": "number", "default": "1", "mutable": True},
    {"name": "seconds", "type": "number", "default": "0", "mutable": True},
    {"name": "hold", "type": "bool", "default": "false", "mutable": True},
    {"name": "fail", "default": "", "mutable": True},
    {"name": "outputs", "default": "{}", "mutable": True},
]
"""What the echo provisioner heeds, and a size that only tells one wish from another."""


@dataclass(frozen=True, slots=True)
class Team:
    """A product, and watches on its templates and workspaces."""

    product: ProductNamespace
    templates: Watch
    workspaces: Watch

    @property
    def admin(self) -> Kubectl:
        """An administrator, working in the namespace."""
        return self.product.admin

    def make_template(self, name: str = "template", *, parameters: list[Manifest] | None = None, **spec: Any) -> str:
        """Create a template and wait until it can be built; returns its version."""
        self.admin.create(
            a_template_manifest(name, parameters=PARAMETERS if parameters is None else parameters, **spec)
        )
        body = self.templates.until(name, is_ready)
        version: str = body["status"]["activeVersion"]
        return version

    def make(self, name: str, **spec: Any) -> None:
        """Create a workspace; `size`, `seconds` and the like become its parameters."""
        self.admin.create(a_workspace(name, **spec))

    def change(self, name: str, **spec: Any) -> None:
        """Change a workspace."""
        self.admin.patch("ws", name, {"spec": spec})

    def until(self, name: str, phase: str, *, build: int | None = None, seconds: float = WITHIN) -> Manifest:
        """The workspace once it is in the phase now, and ready if that is one to stay in, as it is wanted now."""

        def is_so(body: Manifest) -> bool:
            status = body["status"]
            is_told = status.get("observedGeneration") == body["metadata"]["generation"]
            return bool(is_told and status["phase"] == phase and build in (None, status["buildNumber"]))

        return self.workspaces.until_latest(name, is_so, seconds=seconds)

    def await_seen(self, name: str) -> None:
        """Wait until the controller has taken note of what is wanted of the workspace now."""
        wanted = self.admin.get("ws", name)["metadata"]["generation"]
        self.workspaces.until_latest(name, lambda body: body["status"].get("observedGeneration") == wanted)

    def jobs_of(self, name: str) -> list[Manifest]:
        """The workspace's jobs as they are now, in order: read, for one watch may tell its news later than another."""
        listed = self.admin.json("get", "pj", f"--field-selector=spec.workspaceRef.name={name}")["items"]
        of_it = [body for body in listed if "uid" in body["spec"]["workspaceRef"]]
        return sorted(of_it, key=lambda body: int(body["spec"]["workspaceRef"]["buildNumber"]))

    def transitions(self, name: str) -> list[str]:
        """What those jobs did."""
        return [body["spec"]["transition"] for body in self.jobs_of(name)]


def is_ready(body: Manifest) -> bool:
    """Whether the object is as its spec wants it."""
    is_told = body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"]
    return bool(is_told and condition(body, "Ready").get("status") == "True")


def reason_is(reason: str) -> Callable[[Manifest], bool]:
    """Whether the object says why it is not ready by this word."""
    return lambda body: condition(body, "Ready").get("reason") == reason


def a_workspace(name: str, **spec: Any) -> Manifest:
    """A workspace with these parameters and fields."""
    known = {each["name"] for each in PARAMETERS}
    chosen = [{"name": key, "value": str(spec.pop(key))} for key in sorted(known & spec.keys())]
    return a_workspace_manifest(name, **({"parameters": chosen} if chosen else {}), **spec)


@contextmanager
def a_team(cluster: Cluster, namespace: str) -> Iterator[Team]:
    """Watches on a namespace in which nothing runs yet."""
    with (
        a_product_namespace(cluster, namespace) as product,
        watching(product.admin, "wst") as templates,
        watching(product.admin, "ws") as workspaces,
    ):
        yield Team(product, templates, workspaces)


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, a daemon with room for all tests of the file, and the template `template`."""
    with (
        a_team(cluster, module_namespace) as team,
        team.product.operator(),
        team.product.daemon("worker", capacity=8),
    ):
        team.make_template()
        yield team


@pytest.fixture
def own_team(cluster: Cluster, make_namespace: Callable[[], str]) -> Iterator[Team]:
    """A namespace of the test's own, without any program yet."""
    with a_team(cluster, make_namespace()) as team:
        yield team
