"""The API server as one user, called from the test's own process: what kubectl sends, without a process for each call.

For the many steps of tests whose subject is not kubectl itself: a process costs a tenth of a second of CPU, and more if it
reads the OpenAPI documents to validate an object.
"""

import functools
import json
import re
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from pykube import KubeConfig
from typing_extensions import override

from support.cluster.discovery import Resource, find, parse_groups
from support.manifests import Manifest

Change = Mapping[str, Any] | Sequence[Manifest]
"""A merge patch, or a JSON patch if it is a list."""
_JSON = "application/json"
_GROUPS = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_TIMEOUT = urllib3.Timeout(connect=60, read=300)
_RETRIES = urllib3.Retry(total=10, connect=0, read=False, other=0, status_forcelist=[429], allowed_methods=None)
"""As kubectl: a request beyond the server's limit is sent again after the pause that the answer asks for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer of the API server to one request."""

    request: str
    status: int
    """HTTP status; 0 if the server could not be reached."""
    body: Manifest
    warnings: tuple[str, ...] = ()
    """Texts that kubectl prints after `Warning: `."""
    managers: tuple[str, ...] = ()
    """Those who manage its fields, as the API server records them; the body is without, as kubectl prints it."""

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def refusal(self) -> str:
        """The server's message in kubectl's form, empty after success."""
        if self.ok:
            return ""
        return f"Error from server ({self.body.get('reason', self.status)}): {self.body.get('message', self.body)}"

    @override
    def __str__(self) -> str:
        return f"{self.request}: {self.status}\n{self.refusal or json.dumps(self.body)}"


@dataclass(frozen=True, slots=True)
class Api:
    """The API server as one user in one namespace. Kinds have any name that kubectl knows."""

    kubeconfig: Path
    namespace: str | None = None

    def get(self, kind: str, name: str) -> Reply:
        """Read the object."""
        return self._send("GET", self._path(kind, name))

    def list_all(self, kind: str, *, selector: str = "", fields: str = "") -> Reply:
        """Read all objects of the kind, or those whose labels and fields match."""
        chosen = {"labelSelector": selector, "fieldSelector": fields}
        return self._send("GET", self._path(kind), {name: value for name, value in chosen.items() if value})

    def create(self, manifest: Manifest, *, manager: str = "kubectl-create", dry_run: bool = False) -> Reply:
        """Create the object; unknown and duplicate fields are refused."""
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        path = self._path(kind, api_version=api_version, namespace=manifest["metadata"].get("namespace"))
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        return self._send("POST", path, query | _dry(dry_run), manifest)

    def apply(self, manifest: Manifest, *, dry_run: bool = False) -> Reply:
        """Apply the object on the server's side."""
        path = self._path(manifest["kind"], manifest["metadata"]["name"], api_version=manifest["apiVersion"])
        query = {"fieldManager": "kubectl", "fieldValidation": "Strict"}
        return self._send("PATCH", path, query | _dry(dry_run), manifest, "application/apply-patch+yaml")

    def patch(
        self, kind: str, name: str, change: Change, *, subresource: str | None = None, dry_run: bool = False
    ) -> Reply:
        """Change the object by a merge patch, or by a JSON patch if given a list."""
        media = f"application/{'merge' if isinstance(change, Mapping) else 'json'}-patch+json"
        path = self._path(kind, name, subresource)
        return self._send("PATCH", path, {"fieldManager": "kubectl-patch"} | _dry(dry_run), change, media)

    def delete(self, kind: str, name: str, *, dry_run: bool = False) -> Reply:
        """Delete the object, its dependents in the background."""
        return self._send("DELETE", self._path(kind, name), {"propagationPolicy": "Background"} | _dry(dry_run))

    def post(self, kind: str, name: str, subresource: str, body: Manifest) -> Reply:
        """Create the object's subresource, like the token of a ServiceAccount."""
        return self._send("POST", self._path(kind, name, subresource), body=body)

    def watch(self, kind: str) -> "EventStream":
        """Watch the kind, beginning with an ADDED event for each object that exists. Raises urllib3's HTTPError."""
        session = _session(self.kubeconfig)
        return EventStream(session.open(f"{self._path(kind)}?watch=true"))

    def _path(
        self,
        kind: str,
        name: str | None = None,
        subresource: str | None = None,
        *,
        api_version: str | None = None,
        namespace: str | None = None,
    ) -> str:
        resource = _session(self.kubeconfig).resource(kind, api_version)
        namespace = namespace or self.namespace or "default"
        parts = [
            "/api" if "/" not in resource.api_version else "/apis",
            resource.api_version,
            *(("namespaces", namespace) if resource.namespaced else ()),
            *(part for part in (resource.plural, name, subresource) if part),
        ]
        return "/".join(parts)

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None, media: str = _JSON
    ) -> Reply:
        try:
            return _session(self.kubeconfig).send(method, path, query or {}, body, media)
        except urllib3.exceptions.HTTPError as error:
            return Reply(f"{method} {path}", 0, {"reason": "ConnectionError", "message": str(error)})


class EventStream:
    """Events of one watch, until the server ends it or it is closed; may be closed by another thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[Manifest]:
        """Yield the events, the last of which may be an ERROR. Raises urllib3's HTTPError if the connection breaks."""
        rest = b""
        try:
            for chunk in self._response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines)
        finally:
            self._response.close()

    def close(self) -> None:
        """End the stream, and the read that waits for its next event."""
        self._response.shutdown()


class _Session:
    """Connections of one user to one API server."""

    def __init__(self, kubeconfig: Path) -> None:
        config = KubeConfig.from_file(str(kubeconfig))
        self._server: str = config.cluster["server"]
        self._headers = _headers(config.user)
        self._pool = urllib3.PoolManager(
            maxsize=8, timeout=_TIMEOUT, retries=_RETRIES, ssl_context=_tls(config.cluster, config.user)
        )
        self._resources: list[Resource] = []

    def resource(self, kind: str, api_version: str | None = None) -> Resource:
        """Find a kind by any of its names. Raises LookupError."""
        found = find(self._resources, kind, api_version)
        if found is None:
            pages = [self.send("GET", root, {}, None, _JSON, accept=_GROUPS) for root in ("/api", "/apis")]
            self._resources = [each for page in pages for each in parse_groups(page.body)]
            found = find(self._resources, kind, api_version)
        if found is None:
            raise LookupError(f"the server has no resource {kind!r} {api_version or ''}")
        return found

    def send(
        self, method: str, path: str, query: Mapping[str, str], body: Any, media: str, *, accept: str = _JSON
    ) -> Reply:
        headers = self._headers.copy()
        headers["Accept"] = accept
        if body is not None:
            headers["Content-Type"] = media
        response = self._pool.request(
            method,
            f"{self._server}{path}?{urlencode(query)}",
            body=None if body is None else json.dumps(body),
            headers=headers,
        )
        text = response.data.decode()
        try:
            document = json.loads(text)
        except ValueError:
            document = {"message": text}
        managers = tuple(each["manager"] for each in document.get("metadata", {}).pop("managedFields", ()))
        warnings = tuple(map(_warning, response.headers.getlist("Warning")))
        return Reply(f"{method} {path}", response.status, document, warnings, managers)

    def open(self, path: str) -> urllib3.BaseHTTPResponse:
        response = self._pool.request(
            "GET",
            self._server + path,
            headers=self._headers,
            preload_content=False,
            timeout=urllib3.Timeout(connect=60, read=None),
        )
        if response.status != 200:
            raise urllib3.exceptions.HTTPError(f"{path}: {response.status} {response.data.decode()}")
        return response


@functools.cache
def _session(kubeconfig: Path) -> _Session:
    return _Session(kubeconfig)


def _headers(user: Mapping[str, Any]) -> urllib3.HTTPHeaderDict:
    headers = urllib3.HTTPHeaderDict()
    if token := user.get("token"):
        headers["Authorization"] = f"Bearer {token}"
    if impersonated := user.get("as"):
        headers["Impersonate-User"] = impersonated
    for group in user.get("as-groups", ()):
        headers.add("Impersonate-Group", group)
    return headers


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = cluster.get("certificate-authority")
    context = ssl.create_default_context(cadata=authority and authority.bytes().decode())
    if "client-certificate" in user:
        # The standard library reads a certificate only from a file.
        with tempfile.NamedTemporaryFile() as file:
            file.write(user["client-certificate"].bytes() + b"\n" + user["client-key"].bytes())
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _warning(header: str) -> str:
    """Return the text of a header `299 - "text"`, with its escaped characters."""
    quoted = re.fullmatch(r'\d{3} \S+ "(.*)"', header, re.DOTALL)
    assert quoted is not None, header
    return re.sub(r"\\(.)", r"\1", quoted.group(1))


def _dry(dry_run: bool) -> dict[str, str]:  # noqa: FBT001
    return {"dryRun": "All"} if dry_run else {}
