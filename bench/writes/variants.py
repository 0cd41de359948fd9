"""Variants of the product's kinds and policies in one control plane, each in an API group of its own.

So they can be measured in turn, without changing anything in between. A variant leaves out rules of the definition of jobs, or
policies, or comes from another checkout.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from bench.client import BenchError, Request
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.api.v1alpha1.rules import RULES
from support.builders.manifests import a_job_manifest, role_binding
from support.manifests import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.cluster.kubectl import Kubectl
    from support.manifests import Manifest

NAMESPACE = "bench"
SUBMITTER, CONTROLLER, DAEMON = "submitter", "controller", "daemon"
"""Users with the rights of the product's roles."""
ROLES = {
    SUBMITTER: ("provisioner-submitter",),
    CONTROLLER: ("provisioner-operator",),
    DAEMON: ("provisioner-daemon", "provisioner-external-daemon"),
}
JOBS = "provisionerjobs"
_MEASURED_KINDS = (JOBS, "provisionerdaemons")
_IN_FORCE_WITHIN = 60.0
_POLICY = re.compile(r"(Validating|Mutating)AdmissionPolicy(Binding)?")


def _all(_name: str) -> bool:
    return True


def without(*policies: str) -> Callable[[str], bool]:
    """Return the test for policies other than these."""
    return lambda name: name not in policies


@dataclass(frozen=True, slots=True)
class Variant:
    """The kinds and policies of one checkout, or a part of them."""

    name: str
    """Label of its API group."""
    repository: Path = REPOSITORY
    has_policy: Callable[[str], bool] = _all
    """Whether it has a policy, by the first label of its name."""
    ruleless: tuple[str, ...] = ()
    """Parts of a job that have no rules: `spec`, `status`, `root` for those of the whole job, or `all`."""
    reporter: str = DAEMON
    """The user who starts and ends jobs."""

    @property
    def group(self) -> str:
        """Its API group."""
        return f"{self.name}.{GROUP}"

    def path(self, path: str) -> str:
        """Return a path or text of the product in this group."""
        return path.replace(GROUP, self.group)

    def request(self, request: Request) -> Request:
        """Return a request of the product, to this group."""
        body = self.path(request.body.decode()).encode()
        return Request(request.method, self.path(request.path), body, request.content_type)

    def restored(self, text: str) -> str:
        """Return a text of this group as the product knows it."""
        return text.replace(self.group, GROUP)

    def manifests(self) -> Iterator[Manifest]:
        """Yield its kinds, roles and policies."""
        for kind in _MEASURED_KINDS:
            for each in self._read(self.repository / "crds" / f"{GROUP}_{kind}.yaml"):
                yield self._with_rules(each) if kind == JOBS else each
        for file in sorted((self.repository / "manifests" / "rbac").glob("*.yaml")):
            for each in self._read(file):
                if each.get("kind") == "ClusterRole":
                    yield each | {"metadata": {"name": f"{each['metadata']['name']}-{self.name}"}}
        for file in sorted((self.repository / "manifests" / "policies").rglob("*.yaml")):
            yield from (each for each in self._read(file) if self._is_measured(each))

    def bindings(self) -> Iterator[Manifest]:
        """Yield the bindings of its roles."""
        for user, roles in ROLES.items():
            yield from (role_binding(user, f"{role}-{self.name}", namespace=NAMESPACE) for role in roles)

    def await_policies(self, admin: Kubectl, submitter: Kubectl) -> None:
        """Wait until the API server serves its jobs and enforces its policies."""
        manifest = yaml.safe_load(self.path(yaml.safe_dump(a_job_manifest())))
        policies = {
            each["metadata"]["name"].partition(".")[0] for each in self.manifests() if _POLICY.match(each["kind"])
        }
        _await(f"the jobs of {self.name}", lambda: bool(admin.api.create(manifest, dry_run=True).ok))
        if "stamp-initiator" in policies:
            _await(f"initiators of {self.name}", lambda: '"initiator"' in str(admin.api.create(manifest, dry_run=True)))
        if "identity" in policies:
            other = manifest | {"spec": manifest["spec"] | {"initiator": "somebody-else"}}
            _await(f"policies of {self.name}", lambda: "not your own" in str(submitter.api.create(other, dry_run=True)))

    def _read(self, file: Path) -> Iterator[Manifest]:
        yield from filter(None, yaml.safe_load_all(self.path(file.read_text(encoding="utf-8"))))

    def _is_measured(self, manifest: Manifest) -> bool:
        """Return whether it is a policy that this variant has; those of kinds that are not measured match nothing."""
        found = _POLICY.fullmatch(manifest["kind"])
        return found is not None and self.has_policy(manifest["metadata"]["name"].partition(".")[0])

    def _with_rules(self, definition: Manifest) -> Manifest:
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for part in self.ruleless:
            if part == "root":
                schema.pop(RULES)
            else:
                _remove_rules(schema if part == "all" else schema["properties"][part])
        return definition


def install(variants: tuple[Variant, ...], admin: Kubectl, submitter: Kubectl) -> None:
    """Install variants, and wait until all are in effect."""
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for variant in variants:
        admin.create_all(variant.manifests())
        admin.create_all(variant.bindings())
    for variant in variants:
        variant.await_policies(admin.within(NAMESPACE), submitter.within(NAMESPACE))


def _remove_rules(schema: Any) -> None:
    if isinstance(schema, dict):
        schema.pop(RULES, None)
        for value in schema.values():
            _remove_rules(value)


def _await(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _IN_FORCE_WITHIN
    while not holds():
        if time.monotonic() > deadline:
            raise BenchError(f"{what} are not in effect after {_IN_FORCE_WITHIN:.0f} s.")
        time.sleep(0.2)
