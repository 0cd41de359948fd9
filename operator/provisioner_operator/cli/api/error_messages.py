"""What an API server's refusal means, said to whoever typed the command. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.cli.errors import (
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
_POLICY = re.compile(r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: (?P<said>.*)", re.DOTALL)
_READING = frozenset({"get", "list", "watch"})
_SUBMITTING = frozenset({"create", "update", "patch"})
_OVERLOADED = frozenset({429, 500, 502, 503, 504})


def refusal(code: int, status: Mapping[str, Any], path: str, *, role: str | None = None) -> CliError:
    """The error to raise for an answer that is not a success.

    Args:
        code: The HTTP status.
        status: The answer's metav1.Status, or an empty mapping if it was none.
        path: What was asked for, without parameters.
        role: The ClusterRole that allows it; found by the right that is missing if this is not given.
    """
    message = str(status.get("message") or f"HTTP status {code}")
    match code:
        case 401:
            return UsageError(
                "The API server does not know you: the credentials of your kubeconfig are missing or expired."
            )
        case 403:
            error: CliError = ForbiddenError(_forbidden(message, role))
        case 404:
            error = NotFoundError(_not_found(status, path))
        case 410:
            error = ExpiredError(message)
        case 409 | 422:
            error = PreconditionError(_denied(message))
        case _ if code in _OVERLOADED:
            error = ServerAwayError(f"The API server cannot serve this now: {message}. Try again in a while.")
        case _:
            error = CliError(f"The API server refused: {_denied(message)}")
    return error


def _forbidden(message: str, role: str | None) -> str:
    found = _CANNOT.search(message)
    if found is None:
        return _denied(message)
    verb, resource, namespace = found["verb"], found["resource"], found["namespace"]
    where = f" in namespace {namespace}" if namespace else " in all namespaces"
    named = f"{resource}.{found['group']}" if found["group"] not in {"", GROUP} else resource
    asking = "an admin of the namespace" if namespace else "an admin of the cluster"
    sentence = f"User {found['user']!r} may not {verb} {named}{where}"
    if role is None:
        role = role_with(verb, resource) if found["group"] == GROUP else _builtin(verb, found["group"])
    if role is None:
        return f"{sentence}: ask {asking} for a role with that right."
    hint = "" if namespace else " Or choose one namespace with -n."
    return f"{sentence}: ask {asking} to bind you to the ClusterRole {role}.{hint}"


def role_with(verb: str, resource: str) -> str:
    """The smallest of the product's roles for people that has this right."""
    if verb in _READING:
        return "provisioner-viewer"
    if verb in _SUBMITTING and resource == "provisionerjobs":
        return "provisioner-submitter"
    return "provisioner-admin"


def _builtin(verb: str, group: str) -> str | None:
    """Kubernetes' own role for reading what namespaces hold; Secrets, which it keeps back, are not read here."""
    return "view" if group == "" and verb in _READING else None


def _denied(message: str) -> str:
    found = _POLICY.search(message)
    said = found["said"] if found is not None else message
    return said[:1].upper() + said[1:]


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
            f"The kind {kind}.{GROUP} is not installed in this cluster: an admin of the cluster can install it with"
            " `kubectl apply --server-side -k manifests/default`."
        )
    return f"The API server knows no {kind} ({path})."


_SINGULARS = {
    "provisionerjobs": "job",
    "provisionerdaemons": "daemon",
    "provisionerpools": "pool",
    "workspaces": "workspace",
    "workspacetemplates": "template",
    "configmaps": "ConfigMap",
    "pods": "Pod",
    "leases": "Lease",
    "customresourcedefinitions": "CustomResourceDefinition",
}


def _namespace(path: str) -> str | None:
    parts = path.strip("/").split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None


def plural_of(path: str) -> str:
    """The collection in /apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME…]."""
    parts = path.strip("/").split("/")
    rest = parts[3:] if parts[0] == "apis" else parts[2:]
    if len(rest) > 2 and rest[0] == "namespaces":  # noqa: PLR2004
        rest = rest[2:]
    return rest[0] if rest else path
