"""The client of the API server: the only place of the command line that sends requests.

Synchronous: JSON patches, pages, watches that notice a dead server. Every answer that is not a success raises a `CliError`
with a sentence for the user.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

import orjson
import pykube
import requests

from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.cli.api.connection_errors import connection_error
from provisioner_operator.cli.api.error_messages import plural_of, refusal
from provisioner_operator.cli.api.http_session import open_session
from provisioner_operator.cli.api.kubeconfig import Access
from provisioner_operator.cli.errors import CliError, ForbiddenError, NotFoundError, UsageError
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body

Params = Mapping[str, str]
"""Query parameters: `fieldSelector`, `labelSelector` and the like."""
NONE: Params = MappingProxyType({})

PAGE = 500
"""Objects in a page, as many as kubectl requests."""
WATCH_SECONDS = 50
"""The server ends a watch after this long, and it is started again: a server that died without a word is noticed."""
WATCH_TIMEOUT_SECONDS = WATCH_SECONDS + 10.0
"""A watch that the server has not ended by then is dead."""


class Cluster:
    """One API server, one user, one namespace."""

    def __init__(self, access: Access, *, timeout: float) -> None:
        """Prepare the client; sends nothing yet. `timeout` is per request, in seconds. Raises UsageError."""
        self.namespace = access.namespace
        self.server = access.server
        self.timeout = timeout
        self.skew: float | None = None
        """Seconds by which the server's clock is ahead of the local one; None before the first answer."""
        self._session, self._url = open_session(access, timeout=timeout)

    # --- reading ---

    def get(self, path: str, *, role: str | None = None) -> Body:
        """Read one object; `role` is the ClusterRole to name if the permission is missing."""
        return self._json("GET", path, role=role)

    def pages(self, path: str, params: Params = NONE, *, page: int = PAGE) -> Iterator[tuple[list[Body], str]]:
        """Read a collection page by page; yields the objects, and the resourceVersion of the list.

        Raises ExpiredError if the next page was requested too late.
        """
        token = ""
        while True:
            query = {**params, "limit": str(page)} | ({"continue": token} if token else {})
            answer = self._json("GET", path, params=query)
            meta = answer["metadata"]
            # The items of a list carry neither: kubectl adds them too.
            kind, version = str(answer["kind"]).removesuffix("List"), answer["apiVersion"]
            yield (
                [{"apiVersion": version, "kind": kind} | item for item in answer.get("items") or ()],
                str(meta["resourceVersion"]),
            )
            token = meta.get("continue") or ""
            if not token:
                return

    def list(self, path: str, params: Params = NONE) -> list[Body]:
        """Read all objects of a collection."""
        return [item for items, _ in self.pages(path, params) for item in items]

    def watch(self, path: str, since: str, params: Params = NONE) -> Iterator[tuple[str, Body]]:
        """Yield the changes of a collection after a resourceVersion: ADDED, MODIFIED, DELETED or BOOKMARK, and the object.

        Ends after a while; continue from the last resourceVersion. Raises ExpiredError when that is too old.
        """
        query = {
            **params,
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._sent("GET", path, params=query, stream=True, read_timeout=WATCH_TIMEOUT_SECONDS) as response:
            for line in response.iter_lines(chunk_size=None):
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise refusal(int(event["object"].get("code") or 500), event["object"], path)
                yield event["type"], event["object"]

    def lines(self, path: str, params: Params, *, quiet_seconds: float | None = None) -> Iterator[str]:
        """Yield the lines of a stream of text as they arrive.

        Raises ServerAwayError after `quiet_seconds` without a line; without it, never.
        """
        with self._sent("GET", path, params=params, stream=True, read_timeout=quiet_seconds or 1e6) as response:
            for line in response.iter_lines(chunk_size=None):
                yield line.decode(errors="replace")

    # --- writing ---

    def json_patch(self, path: str, patch: JsonPatch, *, dry_run: bool = False, role: str | None = None) -> Body:
        """Change an object by RFC 6902. Raises ChangedError if a `test` fails.

        Args:
            path: The object.
            patch: The tests and the changes.
            dry_run: Let the API server check the request without storing the change.
            role: The ClusterRole to name if the permission is missing.
        """
        content = "application/json-patch+json"
        return self._write("PATCH", path, patch.operations(), content, dry_run=dry_run, role=role)

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Body:
        """Create an object. Raises AlreadyExistsError if there is one of that name."""
        return self._write("POST", path, body, "application/json", dry_run=dry_run)

    def may(self, verb: str, group: str, resource: str, *, namespace: str | None, name: str = "") -> bool:
        """Return whether this user has the permission."""
        resource, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes | {"namespace": namespace or ""}},
        }
        answer = self.create(paths.SELF_ACCESS_REVIEWS, review)
        return bool(answer["status"]["allowed"])

    def now(self) -> float:
        """Return the time by the server's clock, in seconds since the epoch."""
        return time.time() + (self.skew or 0.0)

    # --- requests ---

    def _write(
        self, method: str, path: str, body: object, content: str, *, dry_run: bool, role: str | None = None
    ) -> Body:
        params = {"dryRun": "All"} if dry_run else {}
        headers = {"Content-Type": content}
        return self._json(method, path, params=params, data=orjson.dumps(body), headers=headers, role=role)

    def _json(self, method: str, path: str, **options: Any) -> Body:
        with self._sent(method, path, **options) as response:
            body = _parsed(response)
        if body is None:
            raise CliError(
                f"{self.server} answers, but not like a Kubernetes API server: check the server's address in the kubeconfig."
            )
        return body

    @contextmanager
    def _sent(
        self, method: str, path: str, *, read_timeout: float | None = None, role: str | None = None, **options: Any
    ) -> Iterator[requests.Response]:
        options["timeout"] = (self.timeout, read_timeout or self.timeout)
        try:
            with self._session.request(method, self._url + path, **options) as response:
                self._note_time(response)
                if not response.ok:
                    error = refusal(response.status_code, _status(response), path, role=role)
                    raise self._missing_kind(path) or error if isinstance(error, ForbiddenError) else error
                yield response
        except requests.exceptions.RequestException as error:
            raise connection_error(error, self.server, self.timeout) from error
        except (pykube.exceptions.PyKubeError, OSError) as error:
            raise UsageError(f"The kubeconfig cannot be used: {error}") from error

    def _missing_kind(self, path: str) -> NotFoundError | None:
        """Return the error for a kind that is not installed: a user without permissions gets a 403 for it, not a 404."""
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
            # The header is truncated to whole seconds: on average the server is half a second further.
            skew = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
            self.skew = 0.0 if abs(skew) <= 1 else skew


def _parsed(response: requests.Response) -> Body | None:
    try:
        body = orjson.loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _status(response: requests.Response) -> Body:
    """Return the answer's metav1.Status; empty if it has none."""
    body = _parsed(response)
    return body if body is not None and body.get("kind") == "Status" else {}
