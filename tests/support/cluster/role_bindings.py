"""RoleBindings of test users, which the API server enforces only some time after it has stored them."""

import time
from collections.abc import Iterable

from provisioner_operator.api.v1alpha1.names import GROUP
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

IN_FORCE_WITHIN = 60.0
"""Timeout in seconds; mostly a few milliseconds, more on a busy machine."""
_POLL = 0.02


def grant_roles(admin: Kubectl, bindings: Iterable[Manifest]) -> None:
    """Create the bindings, each of a role that may read jobs, and wait until the API server enforces the last one.

    It learns of bindings in the order of their creation. Raises TimeoutError.
    """
    last = None
    for last in bindings:
        admin.create(last)
    if last is not None:
        await_reader(admin, last["subjects"][0]["name"], last["metadata"]["namespace"])


def await_reader(admin: Kubectl, user: str, namespace: str | None) -> None:
    """Wait until the user may read jobs in the namespace. Raises TimeoutError."""
    await_right(admin, user, "get", "provisionerjobs", namespace)


def await_right(admin: Kubectl, user: str, verb: str, resource: str, namespace: str | None) -> None:
    """Wait until the user has the verb on one of our resources in the namespace. Raises TimeoutError."""
    attributes = {"verb": verb, "group": GROUP, "resource": resource, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while not admin.create(review)["status"]["allowed"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{user} may not {verb} {resource} in {namespace} within {IN_FORCE_WITHIN:.0f} s")
        time.sleep(_POLL)
