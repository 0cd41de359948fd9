"""Install the product as a cluster administrator would, with kubectl, and wait until its policies are active.

Called by the environment, once per control plane.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from demo.people import UnexpectedResultError

if TYPE_CHECKING:
    from demo.people import Person

# The API server takes a second or two to act on a new policy, more on a busy machine.
ACTIVE_WITHIN = 60.0
POLL = 0.1

# Client-side apply stores the object in an annotation, for which the definitions are too large.
APPLY = "kubectl apply --server-side"


def install(root: Person) -> None:
    """Apply definitions, roles and policies, the stamping policies where the API server supports them, and the organization."""
    root.types(f"{APPLY} -k manifests")
    if _has_stamping(root):
        root.types(f"{APPLY} -k manifests/policies/stamping")
    root.types("kubectl wait --for=condition=Established --timeout=60s crd --all")
    root.types(f"{APPLY} -f demo/cluster/organization.yaml")


def await_policies(root: Person, *, submitter: Person, admin: Person) -> None:
    """Send dry-run requests until the API server enforces the policies."""
    dry_run = "kubectl create --dry-run=server -o yaml -f demo/cluster"
    _await(submitter, f"{dry_run}/probe-policies.yaml", "may not cancel", "is not your own name", "spec.owner")
    if _has_stamping(root):
        _await(admin, f"{dry_run}/probe-stamping.yaml", "canceledBy: ada", "initiator: ada", "owner: ada")


def _has_stamping(root: Person) -> bool:
    """Return whether the API server serves MutatingAdmissionPolicy v1, as Kubernetes 1.36 and later do."""
    return '"mutatingadmissionpolicies"' in root.tries("kubectl get --raw /apis/admissionregistration.k8s.io/v1")


def _await(person: Person, line: str, *signs: str) -> None:
    deadline = time.monotonic() + ACTIVE_WITHIN
    while not all(sign in (answer := person.tries(line)) for sign in signs):
        if time.monotonic() > deadline:
            raise UnexpectedResultError(
                f"Expected the policies to be active within {ACTIVE_WITHIN:.0f} s; the last answer:\n{answer}"
            )
        time.sleep(POLL)
