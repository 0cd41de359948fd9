"""HTTP sessions for the API server of a kubeconfig, on pykube-ng's client.

Adds to pykube-ng: impersonation, proxies, and private files for embedded keys.
"""

import atexit
import base64
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pykube
import requests
from pykube.http import KubernetesHTTPAdapter
from typing_extensions import override
from urllib3._collections import HTTPHeaderDict

from provisioner_operator.cli.api.credentials import with_credentials
from provisioner_operator.cli.api.kubeconfig import Access
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.kube.logins.kubeconfig import Document

_EMBEDDED = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key"),
}
"""Fields of a kubeconfig whose content may be embedded, by the kind of entry."""


def open_session(access: Access, *, timeout: float) -> tuple[requests.Session, str]:
    """Return a session with the user's credentials, and the URL of the API server. Sends nothing yet.

    Raises UsageError if the kubeconfig cannot be used.
    """
    document = _with_private_files(with_credentials(access).document)
    user = _details_of_user(document)
    try:
        config = pykube.KubeConfig(document)
        adapter = _Adapter(config, user.get("as-groups") or ())
        client = pykube.HTTPClient(config, timeout=timeout, http_adapter=adapter)
    except (pykube.exceptions.PyKubeError, KeyError, ValueError) as error:
        raise UsageError(f"The kubeconfig {access.source} cannot be used: {error}") from error
    session: requests.Session = client.session
    session.trust_env = True
    session.headers["User-Agent"] = "provisioner-cli"
    if user.get("as"):
        session.headers["Impersonate-User"] = user["as"]
    proxy = document["clusters"][0]["cluster"].get("proxy-url")
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    return session, client.url.rstrip("/")


class _Adapter(KubernetesHTTPAdapter):  # type: ignore[misc]  # pykube-ng has no types
    """pykube-ng's authentication, with the groups of an impersonated user.

    Each group is a header of its own, and requests keeps only one header of a name.
    """

    def __init__(self, config: pykube.KubeConfig, groups: Sequence[str]) -> None:
        super().__init__(config)
        self._groups = groups

    @override
    def send(self, request: Any, **options: Any) -> Any:
        if self._groups:
            headers = HTTPHeaderDict(request.headers)
            for group in self._groups:
                headers.add("Impersonate-Group", group)
            request.headers = headers
        return super().send(request, **options)


def _details_of_user(document: Document) -> Document:
    users = document["users"]
    return (users[0].get("user") or {}) if users else {}


def _with_private_files(document: Document) -> Document:
    """Return the kubeconfig with its embedded certificates and keys in files that only this user can read.

    pykube-ng would leave them in the system's folder for temporary files, readable by everybody.
    """
    folder: Path | None = None
    result = dict(document)
    for plural, kind in (("clusters", "cluster"), ("users", "user")):
        entries = []
        for entry in document[plural]:
            details = dict(entry.get(kind) or {})
            for field in _EMBEDDED[kind]:
                if details.get(f"{field}-data"):
                    if folder is None:
                        folder = Path(tempfile.mkdtemp(prefix="provisioner-"))
                        atexit.register(shutil.rmtree, folder, ignore_errors=True)
                    file = folder / f"{kind}-{field}"
                    file.write_bytes(_decoded(details.pop(f"{field}-data"), field))
                    details[field] = str(file)
            entries.append(entry | {kind: details})
        result[plural] = entries
    return result


def _decoded(data: str, field: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise UsageError(f"The field {field}-data of the kubeconfig is not valid base64.") from error
