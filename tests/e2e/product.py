"""The product as users install and use it: with kubectl, from the manifests, in Pods of its image."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from support.cluster.kubectl import Kubectl
from support.cluster.watching import Watch, watching
from support.manifests import MANIFESTS, Manifest
from support.test_namespace import a_job

SYSTEM = "provisioner-system"
TEAM_OVERLAY = MANIFESTS / "overlays" / "team-example"
WITHIN = 120.0
"""Timeout in seconds of operations with Pods, which take a few on a quiet machine."""
ALL_WITHIN = "--timeout=300s"
"""Timeout of kubectl for deletions of all that the tests of a run have left."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation of the product in a cluster."""

    kustomization: Path
    admin: Kubectl
    """kubectl of the cluster's administrator, in the product's namespace."""

    def apply(self) -> None:
        """Install or upgrade the product."""
        self.admin.run("apply", "--server-side", "--force-conflicts", f"--kustomize={self.kustomization}")

    def await_rollout(self, deployment: str = "provisioner-operator") -> None:
        """Wait until the Deployment's rollout has finished."""
        self.admin.run("rollout", "status", f"deployment/{deployment}", f"--timeout={WITHIN:.0f}s")

    def leader(self) -> str:
        """Return the name of the leader's Pod."""
        holder = self.admin.get("lease", "provisioner-operator")["spec"]["holderIdentity"]
        return str(holder).partition("_")[0]


def write_kustomization(folder: Path, image: str, *, components: Sequence[str] = ()) -> Path:
    """Write a kustomization as a user would, to install the product with these components from another image."""
    name, _, tag = image.rpartition(":")
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(MANIFESTS / "default", folder)],
        "components": [os.path.relpath(MANIFESTS / "components" / each, folder) for each in components],
        "images": [{"name": "provisioner-operator", "newName": name, "newTag": tag}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@dataclass(frozen=True, slots=True)
class Team:
    """A team's namespace, as in the example overlay."""

    admin: Kubectl
    jobs: Watch
    daemons: Watch
    pools: Watch

    def submit(self, name: str, **spec: object) -> None:
        """Create an echo job in a workspace of its own."""
        self.admin.create(a_job(name, **spec))

    def submit_terraform(self, name: str, template: str, **spec: object) -> None:
        """Create a Terraform job of this template."""
        source = {"inline": {"files": {"main.tf": template}}}
        self.admin.create(a_job(name, provisioner="terraform", source=source, **spec))

    def create_pool(self, name: str = "pool", *, template: Manifest | None = None, **spec: object) -> None:
        """Create a pool of small daemons for all provisioners, so that many fit on a node."""
        small = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
        pod = {"resources": small, "terminationGracePeriodSeconds": 60} | (template or {})
        defaults: dict[str, object] = {"provisioners": ["echo", "terraform"], "template": pod}
        body = {
            "apiVersion": "provisioner.dev/v1alpha1",
            "kind": "ProvisionerPool",
            "metadata": {"name": name},
            "spec": defaults | spec,
        }
        self.admin.create(body)

    def await_ready(self, name: str = "pool") -> None:
        """Wait until the pool is ready."""
        self.admin.wait("pp", name, "condition=Ready", seconds=int(WITHIN))

    def daemon_of(self, job: str) -> str:
        """Return the name of the Pod to which the job is assigned."""
        assigned = self.jobs.until(job, lambda body: "assignment" in body.get("status", {}), seconds=WITHIN)
        return str(assigned["status"]["assignment"]["daemon"])

    def logs(self, pod: str) -> str:
        """Return the log of the Pod's container."""
        return self.admin.run("logs", pod).stdout


@contextmanager
def a_team(admin: Kubectl) -> Iterator[Team]:
    """Prepare the namespace of `admin` for a team, and watch its objects."""
    namespace = admin.namespace
    assert namespace is not None
    levels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "audit", "warn")]
    admin.run("label", "namespace", namespace, "--overwrite", *levels)
    overlay = admin.run("kustomize", str(TEAM_OVERLAY)).stdout.replace("team-example", namespace)
    documents: list[Manifest] = [each for each in yaml.safe_load_all(overlay) if each["kind"] != "Namespace"]
    admin.run("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": documents})
    with watching(admin, "pj") as jobs, watching(admin, "pd") as daemons, watching(admin, "pp") as pools:
        yield Team(admin, jobs, daemons, pools)


def await_that(condition: Callable[[], bool], what: str) -> float:
    """Wait until a condition holds, and return the seconds."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + WITHIN, f"waited {WITHIN:.0f} s for {what}"
        time.sleep(0.1)
    return time.monotonic() - begin
