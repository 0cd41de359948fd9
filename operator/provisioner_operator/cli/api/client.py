"""The API server, as one user reaches it: the only place of the command line that talks to it.

Synchronous, on pykube-ng's client: its session and certificates; JSON patches, pages, watches that notice a dead server,
impersonation and proxies are added here. Every answer that is no success becomes a `CliError` with a sentence.
"""

import atexit
import base64
import shutil
import ssl
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pykube
import requests
from pykube.http import KubernetesHTTPAdapter
from typing_extensions import override
from urllib3._collections import HTTPHeaderDict

from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.cli.api.credentials import with_credentials
from provisioner_operator.cli.api.error_messages import plural_of, refusal
from provisioner_operator.cli.api.kubeconfig import Access, Document
from provisioner_operator.cli.errors import CliError, ForbiddenError, NotFoundError, ServerAwayError, UsageError
from provisioner_operator.core.model.json_patch import JsonPatch

Body = dict[str, Any]
"""An object of the API as JSON."""
Operation = Mapping[str, Any]
"""One step of a JSON patch (RFC 6902)."""
Params = Mapping[str, str]
"""Of a URL: `fieldSelector`, `labelSelector` and the like."""
NONE: Params = MappingProxyType({})

PAGE = 500
"""Objects a page, as kubectl asks for."""
WATCH_SECONDS = 50
"""A watch is ended by the server after this long and begun anew: so a server that is gone without a word is noticed."""
WATCH_SILENCE_SECONDS = WATCH_SECONDS + 10.0
"""A watch that has not ended by then never will."""

_EMBEDDED = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key"),
}


class Cluster:
    """One API server, one user, one namespace."""

    def __init__(self, access: Access, *, timeout: float) -> None:
        """Prepare; nothing is sent yet. `timeout` is for each request, in seconds. Raises UsageError."""
        self.namespace = access.namespace
        self.server = access.server
        self.timeout = timeout
        self.skew: float | None = None
        """How many seconds the server's clock is ahead of ours; None until it answered."""
        document = _with_private_files(with_credentials(access).document)
        try:
            config = pykube.KubeConfig(document)
            self._api = pykube.HTTPClient(config, timeout=timeout, http_adapter=_Adapter(config, _groups(document)))
        except (pykube.exceptions.PyKubeError, KeyError, ValueError) as error:
            raise UsageError(f"The kubeconfig {access.source} cannot be used: {error}") from error
        session = self._api.session
        session.trust_env = True
        session.headers["User-Agent"] = "provisioner-cli"
        _impersonate(session, document)
        proxy = document["clusters"][0]["cluster"].get("proxy-url")
        if proxy:
            session.proxies = {"http": proxy, "https": proxy}

    # --- reading ---

    def get(self, path: str) -> Body:
        """One object."""
        return self._json("GET", path)

    def pages(self, path: str, params: Params = NONE, *, page: int = PAGE) -> Iterator[tuple[list[Body], str]]:
        """All objects of a collection, page by page, each with the list's resourceVersion.

        Raises ExpiredError if the caller was so slow that the server forgot where it was.
        """
        token = ""
        while True:
            asked = {**params, "limit": str(page)} | ({"continue": token} if token else {})
            answer = self._json("GET", path, params=asked)
            meta = answer["metadata"]
            kind, version = str(answer["kind"]).removesuffix("List"), answer["apiVersion"]
            yield (
                [{"apiVersion": version, "kind": kind} | item for item in answer.get("items") or ()],
                str(meta["resourceVersion"]),
            )
            token = meta.get("continue") or ""
            if not token:
                return

    def list(self, path: str, params: Params = NONE) -> list[Body]:
        """All objects of a collection."""
        return [item for items, _ in self.pages(path, params) for item in items]

    def watch(self, path: str, since: str, params: Params = NONE) -> Iterator[tuple[str, Body]]:
        """What changes in a collection from a resourceVersion on: ADDED, MODIFIED, DELETED or BOOKMARK, and the object.

        Ends by itself after a while; go on from the last resourceVersion. Raises ExpiredError when that is too old.
        """
        asked = {
            **params,
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._sent("GET", path, params=asked, stream=True, read_timeout=WATCH_SILENCE_SECONDS) as response:
            for line in response.iter_lines(chunk_size=None):
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise refusal(int(event["object"].get("code") or 500), event["object"], path)
                yield event["type"], event["object"]

    def lines(self, path: str, params: Params, *, quiet_seconds: float | None = None) -> Iterator[str]:
        """The lines of a stream of text, as they come; `quiet_seconds` is how long it may be silent (default: for ever)."""
        with self._sent("GET", path, params=params, stream=True, read_timeout=quiet_seconds or 1e6) as response:
            for line in response.iter_lines(chunk_size=None):
                yield line.decode(errors="replace")

    # --- writing ---

    def json_patch(self, path: str, patch: JsonPatch, *, dry_run: bool = False, role: str | None = None) -> Body:
        """Change an object by RFC 6902; a `test` that does not hold raises PreconditionError.

        Args:
            path: The object.
            patch: The tests and changes.
            dry_run: Have the API server do all but store it.
            role: The ClusterRole that allows what this is part of, if it takes more than the right to patch.
        """
        content = "application/json-patch+json"
        return self._write("PATCH", path, patch.operations(), content, dry_run=dry_run, role=role)

    def create(self, path: str, body: Operation, *, dry_run: bool = False) -> Body:
        """Create an object. Raises PreconditionError if there is one of that name."""
        return self._write("POST", path, body, "application/json", dry_run=dry_run)

    def may(self, verb: str, group: str, resource: str, *, namespace: str | None, name: str = "") -> bool:
        """Whether this user has the right."""
        resource, _, subresource = resource.partition("/")
        asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked | {"namespace": namespace or ""}},
        }
        answer = self.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool(answer["status"]["allowed"])

    def now(self) -> float:
        """The time, in seconds since the epoch, by the server's clock as far as it is known."""
        return time.time() + (self.skew or 0.0)

    # --- inside ---

    def _write(
        self, method: str, path: str, body: object, content: str, *, dry_run: bool, role: str | None = None
    ) -> Body:
        params = {"dryRun": "All"} if dry_run else {}
        headers = {"Content-Type": content}
        return self._json(method, path, params=params, data=orjson.dumps(body), headers=headers, role=role)

    def _json(self, method: str, path: str, **options: Any) -> Body:
        with self._sent(method, path, **options) as response:
            try:
                body = orjson.loads(response.content)
            except ValueError:
                body = None
        if not isinstance(body, dict):
            raise CliError(f"{self.server} answers, but not as an API server does: is it the right address?")
        return body

    @contextmanager
    def _sent(
        self, method: str, path: str, *, read_timeout: float | None = None, role: str | None = None, **options: Any
    ) -> Iterator[requests.Response]:
        options["timeout"] = (self.timeout, read_timeout or self.timeout)
        try:
            with self._api.session.request(method, self._api.url.rstrip("/") + path, **options) as response:
                self._note_time(response)
                if not response.ok:
                    error = refusal(response.status_code, _status(response), path, role=role)
                    raise self._missing_kind(path) or error if isinstance(error, ForbiddenError) else error
                yield response
        except requests.exceptions.SSLError as error:
            if isinstance(_cause(error), ssl.SSLEOFError | ssl.SSLZeroReturnError):
                raise self._away(error) from error
            raise UsageError(f"{self.server} cannot be trusted: {_root(error)}.") from error
        except requests.exceptions.Timeout as error:
            raise ServerAwayError(
                f"The API server at {self.server} does not answer within {self.timeout:.0f} s (--request-timeout)."
            ) from error
        except requests.exceptions.RequestException as error:
            raise self._away(error) from error
        except (pykube.exceptions.PyKubeError, OSError) as error:
            raise UsageError(f"The kubeconfig cannot be used: {error}") from error

    def _away(self, error: requests.exceptions.RequestException) -> ServerAwayError:
        return ServerAwayError(f"The API server at {self.server} cannot be reached: {_root(error)}.")

    def _missing_kind(self, path: str) -> NotFoundError | None:
        """Without any right to a kind one is refused whether it exists or not; what exists, everybody may know."""
        prefix = f"/apis/{API_VERSION}"
        if not path.startswith(f"{prefix}/"):
            return None
        try:
            known = {resource["name"] for resource in self.get(prefix)["resources"]}
        except NotFoundError:
            known = set()
        error = refusal(404, {}, path)
        return None if plural_of(path) in known or not isinstance(error, NotFoundError) else error

    def _note_time(self, response: requests.Response) -> None:
        date = response.headers.get("Date")
        if date and self.skew is None:
            # The header has whole seconds, cut off: on average the server is half a second further.
            skew = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
            self.skew = 0.0 if abs(skew) <= 1 else skew


def _status(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = orjson.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) and body.get("kind") == "Status" else {}


def _cause(error: BaseException) -> BaseException:
    """What happened first, below the layers through which it was told."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _root(error: BaseException) -> str:
    """What happened, in words."""
    cause = _cause(error)
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or isinstance(cause, ssl.SSLEOFError):
        return "the connection broke off"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause).rstrip(".") or type(cause).__name__


class _Adapter(KubernetesHTTPAdapter):  # type: ignore[misc]  # pykube-ng has no types
    """pykube-ng's authentication, with the groups that an impersonated user is in.

    Each group is a header of its own, and requests keeps only one of a name.
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


def _groups(document: Document) -> Sequence[str]:
    users = document["users"]
    return (users[0].get("user") or {}).get("as-groups") or () if users else ()


def _impersonate(session: requests.Session, document: Document) -> None:
    users = document["users"]
    details = (users[0].get("user") or {}) if users else {}
    if details.get("as"):
        session.headers["Impersonate-User"] = details["as"]


def _with_private_files(document: Document) -> Document:
    """The kubeconfig with its embedded certificates and keys in files that only this user can read.

    pykube-ng would put them into the system's folder for temporary files, for everybody to read and for good.
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
        raise UsageError(f"The kubeconfig's {field}-data is no base64.") from error
