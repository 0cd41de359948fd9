"""Choose the cluster and the user by kubectl's conventions for kubeconfig files.

pykube-ng reads one file. Here the files of `KUBECONFIG` are merged, a context is chosen, and a Pod's ServiceAccount is the
last resort.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.kube.logins.kubeconfig import Document, KubeconfigError, merged, read

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Choice:
    """The options of the command line that choose the cluster."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One cluster, one user, one namespace."""

    document: Document
    """A kubeconfig reduced to this context."""
    server: str
    namespace: str
    source: str
    """The files that this was read from, for messages."""


def find_access(choice: Choice, environment: Mapping[str, str]) -> Access:
    """Read the kubeconfig files of the command line or the environment. Raises UsageError."""
    files = files_to_read(choice, environment)
    present = [path for path in files if path.is_file()]
    if not present:
        if "KUBERNETES_SERVICE_HOST" in environment and (SERVICE_ACCOUNT / "token").is_file() and not choice.kubeconfig:
            return _of_service_account(choice, environment)
        named = ", ".join(str(path) for path in files)
        raise UsageError(f"There is no kubeconfig at {named}: name one with --kubeconfig or the variable KUBECONFIG.")
    try:
        document = merged([(path, read(path)) for path in present])
    except KubeconfigError as error:
        raise UsageError(str(error)) from error
    return choose(document, choice, ", ".join(str(path) for path in present))


def files_to_read(choice: Choice, environment: Mapping[str, str]) -> list[Path]:
    """Return the kubeconfig files in order: --kubeconfig alone, else those of KUBECONFIG, else ~/.kube/config."""
    if choice.kubeconfig is not None:
        return [choice.kubeconfig]
    named = [part for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [Path(part).expanduser() for part in named] or [Path("~/.kube/config").expanduser()]


def choose(document: Document, choice: Choice, source: str) -> Access:
    """Reduce a kubeconfig to the chosen context. Raises UsageError if it, its cluster or its user does not exist."""
    name = choice.context or document.get("current-context")
    contexts = {each["name"]: each.get("context") or {} for each in document["contexts"]}
    if not name:
        hint = f" Known contexts: {', '.join(sorted(contexts))}." if contexts else ""
        raise UsageError(f"{source} has no current context: choose one with --context.{hint}")
    if name not in contexts:
        raise UsageError(f"There is no context {name!r} in {source}. Known: {', '.join(sorted(contexts)) or 'none'}.")
    context = contexts[name]
    cluster = _named(document["clusters"], context.get("cluster"), f"the cluster of context {name!r}", source)
    user = (
        _named(document["users"], context["user"], f"the user of context {name!r}", source)
        if context.get("user")
        else None
    )
    details = cluster.get("cluster") or {}
    server = details.get("server") or "http://localhost:8080"
    return Access(
        document={
            "clusters": [cluster],
            "users": [] if user is None else [_with_token(user)],
            "contexts": [{"name": name, "context": context}],
            "current-context": name,
        },
        server=server,
        namespace=choice.namespace or context.get("namespace") or "default",
        source=source,
    )


def _of_service_account(choice: Choice, environment: Mapping[str, str]) -> Access:
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    namespace = (SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    document = {
        "clusters": [
            {
                "name": "pod",
                "cluster": {"server": server, "certificate-authority": str(SERVICE_ACCOUNT / "ca.crt")},
            }
        ],
        "users": [{"name": "pod", "user": {"tokenFile": str(SERVICE_ACCOUNT / "token")}}],
        "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod", "namespace": namespace}}],
        "current-context": "pod",
    }
    return choose(document, choice, str(SERVICE_ACCOUNT))


def _with_token(user: Document) -> Document:
    """Return the user with the token from its file, read on each start: the tokens of Pods are rotated."""
    details = user.get("user") or {}
    if "tokenFile" not in details or details.get("token"):
        return user
    try:
        token = Path(details["tokenFile"]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"The token file {details['tokenFile']} cannot be read: {error.strerror}.") from error
    return user | {"user": details | {"token": token}}


def _named(entries: Sequence[Document], name: str | None, what: str, source: str) -> Document:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise UsageError(f"{what[0].upper()}{what[1:]} ({name!r}) is not defined in {source}.")
