"""Explain a refusal by the API server to the person who typed the command. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.cli.errors import (
    AlreadyExistsError,
    ChangedError,
    CliError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    PreconditionError,
    ServerAwayError,
    UsageError,
)

_CANNOT = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?'
)
_POLICY = re.compile(
    r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: (?P<reason>.*)", re.DOTALL
)
_READING = frozenset({"get", "list", "watch"})
_SUBMITTING = frozenset({"create", "update", "patch"})
_OVERLOADED = frozenset({429, 500, 502, 503, 504})


def refusal(code: int, status: Mapping[str, Any], path: str, *, role: str | None = None) -> CliError:
    """Return the error to raise for an answer that is not a success.

    Args:
        code: The HTTP status.
        status: The answer's metav1.Status; empty if it had none.
        path: The path of the request, without parameters.
        role: The ClusterRole that has the permission; derived from the missing permission if not given.
    """
    message = str(status.get("message") or f"HTTP status {code}")
    match code:
        case 401:
            error: CliError = UsageError(
                "The API server does not accept your credentials: those of the kubeconfig are missing, wrong or expired."
                " Log in again, or choose another context with --context."
            )
        case 403:
            error = ForbiddenError(_forbidden(message, role))
        case 404:
            error = NotFoundError(_not_found(status, path))
        case 409 | 422:
            error = _unmet(code, status, message)
        case 410:
            error = ExpiredError(message)
        case _ if code in _OVERLOADED:
            error = ServerAwayError(f"The API server cannot serve the request now: {message}. Try again later.")
        case _:
            error = CliError(f"The API server refused the request: {_in_own_words(message)}")
    return error


def _unmet(code: int, status: Mapping[str, Any], message: str) -> PreconditionError:
    """Distinguish an object that changed from one that exists already and from a request that can never succeed."""
    if status.get("reason") == "AlreadyExists":
        return AlreadyExistsError(_in_own_words(message))
    causes = (status.get("details") or {}).get("causes") or ()
    # Validation names the invalid field; a JSON Patch whose `test` failed has none (as in `kube.errors`).
    is_invalid = any(cause.get("field") for cause in causes) or _POLICY.search(message) is not None
    if code == 409 or not is_invalid:  # noqa: PLR2004 - HTTP's Conflict
        return ChangedError(_in_own_words(message))
    return PreconditionError(_in_own_words(message))


def _forbidden(message: str, role: str | None) -> str:
    found = _CANNOT.search(message)
    if found is None:
        return _in_own_words(message)
    verb, resource, namespace = found["verb"], found["resource"], found["namespace"]
    where = f" in namespace {namespace}" if namespace else " in all namespaces"
    named = f"{resource}.{found['group']}" if found["group"] not in {"", GROUP} else resource
    admin = "an admin of the namespace" if namespace else "an admin of the cluster"
    sentence = f"User {found['user']!r} may not {verb} {named}{where}"
    if role is None:
        role = role_with(verb, resource) if found["group"] == GROUP else _builtin_role(verb, resource, found["group"])
    if role is None:
        return f"{sentence}: ask {admin} for a role with that permission."
    hint = "" if namespace else " Or choose one namespace with -n."
    return f"{sentence}: ask {admin} to bind you to the ClusterRole {role}.{hint}"


def role_with(verb: str, resource: str) -> str:
    """Return the smallest of the product's roles for people that has this permission."""
    if verb in _READING:
        return "provisioner-viewer"
    if verb in _SUBMITTING and resource == "provisionerjobs":
        return "provisioner-submitter"
    return "provisioner-admin"


def _builtin_role(verb: str, resource: str, group: str) -> str | None:
    """Return Kubernetes' own role with this permission in a namespace, if it is one that a command needs."""
    if resource in {"secrets", "leases"}:
        return "edit"
    return "view" if group == "" and verb in _READING else None


def _in_own_words(message: str) -> str:
    """Return the message of an admission policy without the API server's introduction."""
    found = _POLICY.search(message)
    text = found["reason"] if found is not None else message
    return text[:1].upper() + text[1:]


def _not_found(status: Mapping[str, Any], path: str) -> str:
    details = status.get("details") or {}
    if details.get("name") and details.get("kind"):
        namespace = _namespace(path)
        where = f" in namespace {namespace}" if namespace else ""
        kind = _SINGULARS.get(details["kind"], details["kind"])
        return f"There is no {kind} {details['name']!r}{where}."
    kind = plural_of(path)
    if f"/{GROUP}/" in path:
        return (
            f"The kind {kind}.{GROUP} is not installed in this cluster. An admin of the cluster can install it with"
            " `kubectl apply --server-side -k manifests/default`."
        )
    return f"The API server does not know {kind} ({path})."


_SINGULARS = {
    "provisionerjobs": "job",
    "provisionerdaemons": "daemon",
    "provisionerpools": "pool",
    "provisionerqueues": "queue",
    "workspaces": "workspace",
    "workspacetemplates": "template",
    "configmaps": "ConfigMap",
    "pods": "Pod",
    "leases": "Lease",
    "secrets": "Secret",
    "customresourcedefinitions": "CustomResourceDefinition",
}


def _namespace(path: str) -> str | None:
    parts = path.strip("/").split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None


def plural_of(path: str) -> str:
    """Return the collection of a path: /apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME…]."""
    parts = path.strip("/").split("/")
    rest = parts[3:] if parts[0] == "apis" else parts[2:]
    if len(rest) > 2 and rest[0] == "namespaces":  # noqa: PLR2004
        rest = rest[2:]
    return rest[0] if rest else path
