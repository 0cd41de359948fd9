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
"""Parameters of the echo provisioner, and a size that only makes one change differ from another."""


@dataclass(frozen=True, slots=True)
class Team:
    """The product in a namespace, with watches on its templates and workspaces."""

    product: ProductNamespace
    templates: Watch
    workspaces: Watch

    @property
    def admin(self) -> Kubectl:
        """kubectl of an administrator in the namespace."""
        return self.product.admin

    def make_template(self, name: str = "template", *, parameters: list[Manifest] | None = None, **spec: Any) -> str:
        """Create a template, wait until it is ready, and return its version."""
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
        """Wait until the workspace is in the phase, with a status of the current generation, and return it."""

        def is_so(body: Manifest) -> bool:
            status = body["status"]
            is_current = status.get("observedGeneration") == body["metadata"]["generation"]
            return bool(is_current and status["phase"] == phase and build in (None, status["buildNumber"]))

        return self.workspaces.until_latest(name, is_so, seconds=seconds)

    def await_seen(self, name: str) -> None:
        """Wait until the controller has observed the current spec of the workspace."""
        wanted = self.admin.get("ws", name)["metadata"]["generation"]
        self.workspaces.until_latest(name, lambda body: body["status"].get("observedGeneration") == wanted)

    def jobs_of(self, name: str) -> list[Manifest]:
        """Read the workspace's jobs in order; a watch of jobs might lag behind the watch of workspaces."""
        listed = self.admin.list_all("pj", fields=f"spec.workspaceRef.name={name}")
        of_it = [body for body in listed if "uid" in body["spec"]["workspaceRef"]]
        return sorted(of_it, key=lambda body: int(body["spec"]["workspaceRef"]["buildNumber"]))

    def transitions(self, name: str) -> list[str]:
        """Return the transitions of those jobs."""
        return [body["spec"]["transition"] for body in self.jobs_of(name)]


def is_ready(body: Manifest) -> bool:
    """Return whether the object is ready, with a status of the current generation."""
    is_current = body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"]
    return bool(is_current and condition(body, "Ready").get("status") == "True")


def reason_is(reason: str) -> Callable[[Manifest], bool]:
    """Return a test whether the object's Ready condition has this reason."""
    return lambda body: condition(body, "Ready").get("reason") == reason


def a_workspace(name: str, **spec: Any) -> Manifest:
    """Return a workspace with these parameters and fields."""
    known = {each["name"] for each in PARAMETERS}
    chosen = [{"name": key, "value": str(spec.pop(key))} for key in sorted(known & spec.keys())]
    return a_workspace_manifest(name, **({"parameters": chosen} if chosen else {}), **spec)


@contextmanager
def a_team(cluster: Cluster, namespace: str) -> Iterator[Team]:
    """Watch a namespace in which nothing runs yet."""
    with (
        a_product_namespace(cluster, namespace) as product,
        watching(product.admin, "wst") as templates,
        watching(product.admin, "ws") as workspaces,
    ):
        yield Team(product, templates, workspaces)


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, a daemon with capacity for all tests of the file, and the template `template`."""
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
