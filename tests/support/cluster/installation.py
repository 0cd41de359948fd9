"""Install the product's API into a cluster as an administrator would, and wait until its policies are active."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from provisioner_devcluster import ControlPlane
from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.v1alpha1.names import GROUP
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_template_manifest,
    a_workspace_manifest,
    role_binding,
)
from support.cluster.api import Reply
from support.cluster.kubectl import Kubectl
from support.manifests import MANIFESTS, Manifest

PROBE_NAMESPACE = "provisioner-probe"
IN_FORCE_WITHIN = 60.0
"""Timeout in seconds; the API server takes a few to enforce a new policy, more on a busy machine."""


@contextmanager
def an_installed_control_plane() -> Iterator[ControlPlane]:
    """Provide a control plane that nobody else uses, with the product's API installed."""
    with ControlPlane.start() as plane:
        install(Kubectl(plane.kubeconfig), Kubectl(plane.kubeconfig_for("prober")))
        yield plane


def install(admin: Kubectl, prober: Kubectl) -> None:
    """Apply CRDs, roles and policies, and the stamping policies where the API server supports them.

    Args:
        admin: kubectl of an administrator.
        prober: A user without permissions, who tries the policies.
    """
    admin.run("apply", "--server-side", "--force-conflicts", f"--kustomize={MANIFESTS}")
    definitions = [f"{kind.plural}.{GROUP}" for kind in KINDS]
    admin.run("wait", "crd", "--for=condition=Established", "--timeout=60s", *definitions)
    if has_stamping(admin):
        admin.run("apply", "--server-side", "--force-conflicts", f"--kustomize={MANIFESTS / 'policies' / 'stamping'}")
    _await_policies(admin, prober.within(PROBE_NAMESPACE))
    _await_aggregation(admin)


def has_stamping(admin: Kubectl) -> bool:
    """Return whether the API server serves MutatingAdmissionPolicy v1, as Kubernetes 1.36 and later do."""
    known = json.loads(admin.run("get", "--raw", "/apis/admissionregistration.k8s.io/v1").stdout)
    return any(resource["name"] == "mutatingadmissionpolicies" for resource in known["resources"])


def _await_policies(admin: Kubectl, prober: Kubectl) -> None:
    """Send dry-run requests until the API server enforces each policy."""
    _ensure(admin, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROBE_NAMESPACE}})
    for role in ("provisioner-submitter", "provisioner-daemon"):
        _ensure(admin, role_binding("prober", role, namespace=PROBE_NAMESPACE))
    _await("cancel.provisioner.dev", prober, a_job_manifest(cancel=True))
    _await("identity.provisioner.dev", prober, a_job_manifest(initiator="somebody-else"))
    _await("workspace-owner.provisioner.dev", prober, a_workspace_manifest(owner="somebody-else"))
    _await_parameters_policy(admin.within(PROBE_NAMESPACE), prober)
    _await_ownership_policy(admin.within(PROBE_NAMESPACE), prober)
    for kind in ("ConfigMap", "Secret"):
        _await("daemon-", prober, {"apiVersion": "v1", "kind": kind, "metadata": {"name": "probe"}})
    _await_heartbeat_policy(admin.within(PROBE_NAMESPACE), prober)
    if has_stamping(admin):
        administrator = admin.within(PROBE_NAMESPACE)
        _await('"initiator"', administrator, a_job_manifest())
        _await('"canceledBy"', administrator, a_job_manifest(cancel=True))
        _await('"owner"', administrator, a_workspace_manifest(templateRef={"name": "another"}))


def _await_parameters_policy(admin: Kubectl, prober: Kubectl) -> None:
    """Wait until the API server's policy has loaded the templates as parameters."""
    _ensure(admin, a_template_manifest("template", parameters=[{"name": "size"}]))
    _await("has no default for size", prober, a_workspace_manifest())
    admin.patch("wst", "template", {"status": {"workspaces": 1}}, subresource="status")
    _await_answer("template-in-use.provisioner.dev", lambda: admin.api.delete("wst", "template", dry_run=True))


def _await_ownership_policy(admin: Kubectl, prober: Kubectl) -> None:
    """Wait until nobody can change the job of another user."""
    _ensure(admin, a_job_manifest("others", suspend=True, initiator="somebody-else"))
    change = {"spec": {"priority": 1}}
    _await_answer("job-ownership.provisioner.dev", lambda: prober.api.patch("pj", "others", change, dry_run=True))


def _await_heartbeat_policy(admin: Kubectl, prober: Kubectl) -> None:
    _ensure(admin, a_daemon_manifest("probe"))
    beat = {"status": {"state": "Idle"}}
    _await_answer(
        "daemon-heartbeats.provisioner.dev",
        lambda: prober.api.patch("pd", "probe", beat, subresource="status", dry_run=True),
    )


def _ensure(admin: Kubectl, manifest: Manifest) -> None:
    """Create the object, unless an earlier installation in this cluster has left it."""
    reply = admin.api.create(manifest)
    assert reply.ok or reply.status == HTTPStatus.CONFLICT, reply


def _await_aggregation(admin: Kubectl) -> None:
    """Wait until the controller-manager has aggregated the roles into the built-in ones."""
    deadline = time.monotonic() + IN_FORCE_WITHIN
    for role, sign in (("view", "provisionerjobs"), ("edit", "provisionerjobs"), ("admin", '"impersonate"')):
        while sign not in json.dumps(admin.get("clusterrole", role)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{sign} not in the ClusterRole {role} within {IN_FORCE_WITHIN:.0f} s")
            time.sleep(0.2)


def _await(sign: str, kubectl: Kubectl, manifest: Manifest) -> None:
    """Create the object as a dry run until the answer shows that the policy is active."""
    _await_answer(sign, lambda: kubectl.api.create(manifest, dry_run=True))


def _await_answer(sign: str, attempt: Callable[[], Reply]) -> None:
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while True:
        answer = attempt()
        if sign in str(answer):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sign} not seen within {IN_FORCE_WITHIN:.0f} s; the last {answer}")
        time.sleep(0.2)
