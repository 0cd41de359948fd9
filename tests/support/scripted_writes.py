"""Client without an API server: stores objects by path, and refuses the requests that a test chooses.

Refusals have the wording of a real API server.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from provisioner_operator.controller import clock
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError, NotFoundError, error_of
from support.manifests import Manifest

_DEFAULTS: dict[str, Manifest] = {
    "ProvisionerJob": {"cancel": False, "suspend": False, "cancelMode": "Graceful"},
    "ProvisionerDaemon": {"cordoned": False},
}
"""Defaults of the definitions' schemas."""

Matcher = Callable[[str, str], bool]
"""Predicate on the verb and path of a request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Refusal that replaces the answer."""

    status: int
    body: Manifest

    def error(self, *, has_tests: bool = False) -> KubeError:
        """Return the error that the real client raises for it."""
        return error_of(self.status, self.body, has_tests=has_tests)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and its time."""

    at: float
    verb: str
    path: str


class ScriptedClient(KubeClient):
    """Objects and refusals."""

    def __init__(self) -> None:
        self.objects: dict[str, Manifest] = {}
        """By path."""
        self.requests: list[Request] = []
        self.refusals: dict[str, tuple[Matcher, Answer]] = {}
        """By a name of the test's choice."""
        self.delay = 0.01
        """Seconds to each answer."""
        self.slow: tuple[Matcher, float] | None = None
        self.unknown: str | None = None
        """JSON Pointer of a field that the definitions do not have: it is left out of what is stored."""
        self._version = 0

    # --- for tests ---

    def store(self, collection: str, manifest: Mapping[str, Any], **status: Any) -> Manifest:
        """Store the object as the API server does when a user creates it."""
        self._version += 1
        parts = collection.split("/")
        meta = {
            "namespace": parts[-2],
            "uid": f"uid-{self._version}",
            "generation": 1,
            "creationTimestamp": datetime.fromtimestamp(clock.read().wall, UTC).isoformat(),
            **manifest["metadata"],
            "resourceVersion": str(self._version),
        }
        spec = {**_DEFAULTS.get(manifest["kind"], {}), **manifest.get("spec", {})}
        body = {**manifest, "metadata": meta, "spec": spec, "status": status or manifest.get("status", {})}
        self.objects[f"{collection}/{meta['name']}"] = body
        return body

    def edit(self, path: str, **changes: Any) -> Manifest:
        """Change the object as another user; a new spec is a new generation."""
        return self._put(path, {**self.objects[path], **changes})

    def count(self, verb: str, part: str = "") -> int:
        """Return the number of such requests."""
        return len(self.times(verb, part))

    def times(self, verb: str, part: str = "") -> list[float]:
        """Return the times of such requests."""
        return [each.at for each in self.requests if each.verb == verb and part in each.path]

    # --- requests ---

    @override
    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        await self._asked("GET", path)
        return self._found(path)

    @override
    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        await self._asked("POST", path)
        if f"{path}/{body['metadata']['name']}" in self.objects:
            raise Answer(
                409, {"reason": "AlreadyExists", "message": f"{body['metadata']['name']} already exists"}
            ).error()
        return self.store(path, body)

    @override
    async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
        await self._asked("PATCH", path, has_tests=bool(patch.tests))
        whole = path.removesuffix("/status")
        body = self._found(whole)
        if not patch.holds_for(body):
            raise FAILED_TEST.error(has_tests=True)
        for pointer in patch.removes:
            body = _with(body, pointer.split("/")[1:], None)
        for pointer, value in patch.sets:
            body = _with(body, pointer.split("/")[1:], value)
        if "deletionTimestamp" in body["metadata"] and not body["metadata"].get("finalizers"):
            return self.objects.pop(whole) and body
        return self._put(whole, body)

    @override
    async def merge_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        await self._asked("PATCH", path)
        return self._put(path, {**self._found(path), **body})

    @override
    async def delete(
        self, path: str, *, uid: str, resource_version: int | None = None, grace_seconds: int | None = None
    ) -> dict[str, Any] | None:
        await self._asked("DELETE", path)
        body = self._found(path)
        if body["metadata"].get("finalizers"):
            deleted = datetime.fromtimestamp(clock.read().wall, UTC).isoformat()
            return self._put(path, {**body, "metadata": {**body["metadata"], "deletionTimestamp": deleted}})
        if body["metadata"]["uid"] == uid:
            del self.objects[path]
        return None

    @override
    async def list_pages(
        self, path: str, *, field_selector: str | None = None, label_selector: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        await self._asked("LIST", path)
        bodies = [body for each, body in self.objects.items() if each.startswith(f"{path}/")]
        if field_selector is not None:
            workspace = field_selector.removeprefix("spec.workspaceRef.name=")
            bodies = [body for body in bodies if (body["spec"].get("workspaceRef") or {}).get("name") == workspace]
        yield {"metadata": {}, "items": bodies}

    async def _asked(self, verb: str, path: str, *, has_tests: bool = False) -> None:
        self.requests.append(Request(self._now(), verb, path))
        is_slow = self.slow is not None and self.slow[0](verb, path)
        await asyncio.sleep(self.slow[1] if self.slow is not None and is_slow else self.delay)
        for matches, answer in self.refusals.values():
            if matches(verb, path):
                raise answer.error(has_tests=has_tests)

    def _found(self, path: str) -> Manifest:
        if path not in self.objects:
            raise NotFoundError(404, f"{path} not found")
        return self.objects[path]

    def _put(self, path: str, body: Manifest) -> Manifest:
        former = self.objects[path]
        if self.unknown is not None:
            body = _with(body, self.unknown.split("/")[1:], None)
        if body == former:
            return former  # as the API server does
        self._version += 1
        generation = former["metadata"]["generation"] + (body.get("spec") != former.get("spec"))
        meta = {**body["metadata"], "resourceVersion": str(self._version), "generation": generation}
        self.objects[path] = {**body, "metadata": meta}
        return self.objects[path]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


FAILED_TEST = Answer(
    422,
    {"reason": "Invalid", "message": "the server rejected our request due to an error in our request", "details": {}},
)


def _with(body: Any, path: list[str], value: Any) -> Any:
    first, *rest = path
    if rest:
        return {**body, first: _with(body.get(first) or {}, rest, value)}
    if value is None:
        return {key: content for key, content in body.items() if key != first}
    return {**body, first: value}
