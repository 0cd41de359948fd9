"""Installs the product's API into a cluster as an admin would, and waits until the policies are in force."""

import json
import time
from collections.abc import Callable

from support.builders import a_job_manifest, role_binding
from support.kubectl import Kubectl
from support.manifests import MANIFESTS, Manifest

PROBE_NAMESPACE = "provisioner-probe"
IN_FORCE_WITHIN = 120.0
"""Seconds. The API server takes a few to act on a new policy, more on a busy machine."""


def install(admin: Kubectl, prober: Kubectl) -> None:
    """Apply CRDs, roles and policies, and stamping where the API server has it.

    Args:
        admin: Who may install.
        prober: A user without rights, by whom the policies are tried.
    """
    admin.run("apply", "--server-side", "--force-conflicts", f"--kustomize={MANIFESTS}")
    admin.run("wait", "crd", "--for=condition=Established", "--timeout=60s", "provisionerjobs.provisioner.dev")
    admin.run("wait", "crd", "--for=condition=Established", "--timeout=60s", "provisionerdaemons.provisioner.dev")
    if has_stamping(admin):
        admin.run("apply", "--server-side", "--force-conflicts", f"--kustomize={MANIFESTS / 'policies' / 'stamping'}")
    _await_policies(admin, prober.within(PROBE_NAMESPACE))


def has_stamping(admin: Kubectl) -> bool:
    """Whether the API server knows MutatingAdmissionPolicy v1, as from Kubernetes 1.36 on."""
    known = json.loads(admin.run("get", "--raw", "/apis/admissionregistration.k8s.io/v1").stdout)
    return any(resource["name"] == "mutatingadmissionpolicies" for resource in known["resources"])


def _await_policies(admin: Kubectl, prober: Kubectl) -> None:
    """Violate each policy, without storing anything, until the API server minds."""
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROBE_NAMESPACE}})
    admin.apply(role_binding("prober", "provisioner-submitter", namespace=PROBE_NAMESPACE))
    foreign = a_job_manifest(initiator="somebody-else")
    _await("cancel policy", lambda: "cancel.provisioner.dev" in _tried(prober, a_job_manifest(cancel=True)))
    _await("identity policy", lambda: "identity.provisioner.dev" in _tried(prober, foreign))
    if has_stamping(admin):
        cancelled = a_job_manifest(cancel=True)
        administrator = admin.within(PROBE_NAMESPACE)
        _await("initiator stamp", lambda: '"initiator"' in _tried(administrator, cancelled))
        _await("canceller stamp", lambda: '"canceledBy"' in _tried(administrator, cancelled))


def _tried(kubectl: Kubectl, manifest: Manifest) -> str:
    answer = kubectl.attempt("create", "--dry-run=server", "--output=json", "-f", "-", given=manifest)
    return answer.stdout + answer.stderr


def _await(what: str, is_in_force: Callable[[], bool]) -> None:
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while not is_in_force():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in force after {IN_FORCE_WITHIN:.0f} s: {what}")
        time.sleep(0.2)
