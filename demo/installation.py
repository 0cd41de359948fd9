"""Installs the product as an admin of the cluster would, by kubectl, and waits until its policies are in force.

Called by the stage, once per control plane.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from demo.people import NotAsToldError

if TYPE_CHECKING:
    from demo.people import Person

# The API server takes a second or two to act on a new policy, more on a busy machine.
IN_FORCE_WITHIN = 60.0
POLL = 0.1

# Unlike a plain apply it works for objects of any size, as the definitions are.
APPLY = "kubectl apply --server-side"


def install(root: Person) -> None:
    """Apply definitions, roles and policies, and stamping where the API server has it; then the organization."""
    root.types(f"{APPLY} -k manifests")
    if _has_stamping(root):
        root.types(f"{APPLY} -k manifests/policies/stamping")
    root.types("kubectl wait --for=condition=Established --timeout=60s crd --all")
    root.types(f"{APPLY} -f demo/cluster/organization.yaml")


def await_policies(root: Person, *, submitter: Person, admin: Person) -> None:
    """Try the policies, without storing anything, until the API server minds them."""
    dry_run = "kubectl create --dry-run=server -o yaml -f demo/cluster"
    _await(submitter, f"{dry_run}/probe-policies.yaml", "may not cancel", "is not your own name", "spec.owner")
    if _has_stamping(root):
        _await(admin, f"{dry_run}/probe-stamping.yaml", "canceledBy: ada", "initiator: ada", "owner: ada")


def _has_stamping(root: Person) -> bool:
    """Tell whether the API server knows MutatingAdmissionPolicy v1, as from Kubernetes 1.36 on."""
    return '"mutatingadmissionpolicies"' in root.tries("kubectl get --raw /apis/admissionregistration.k8s.io/v1")


def _await(person: Person, line: str, *signs: str) -> None:
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while not all(sign in (answer := person.tries(line)) for sign in signs):
        if time.monotonic() > deadline:
            raise NotAsToldError(
                f"Expected the policies to be in force within {IN_FORCE_WITHIN:.0f} s; the last answer:\n{answer}"
            )
        time.sleep(POLL)
