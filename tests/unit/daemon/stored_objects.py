"""Objects behind the interface of the API client: conditional patches, lists and watches in memory, and outages.

For what the daemon does with the answers. What the API server answers is the business of the integration tests.
"""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from typing_extensions import override

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    ConflictError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)

Body = dict[str, Any]


class StoredObjects(KubeClient):
    """A client of objects by path. Everything that is asked of it is kept, with the loop's time."""

    def __init__(self, objects: Mapping[str, Body] | None = None) -> None:
        self.objects: dict[str, Body] = {path: copy.deepcopy(body) for path, body in (objects or {}).items()}
        self.requests: list[tuple[float, str, str]] = []
        """Time, verb and path of each."""
        self.outage: KubeError | None = None
        """Raised at every request, while it is set."""
        self.refusals: list[Exception | None] = []
        """Raised at the next writes, one each; None lets one through."""
        self.denied: set[tuple[str, str]] = set()
        """Verbs, and resources with their subresources, that an access review denies."""
        self.lost_answers = 0
        """So many of the next writes are carried out, and answered by a broken connection."""
        self.delay = 0.0
        """Seconds until a request is answered."""
        self._version = 100
        self._changes: asyncio.Queue[tuple[str, Body] | KubeError] = asyncio.Queue()

    def times(self, verb: str) -> list[float]:
        """The times of the requests of a kind."""
        return [time for time, each, _ in self.requests if each == verb]

    def store(self, path: str, body: Body) -> Body:
        """Put an object in place of what was there, as somebody else's write."""
        self._version += 1
        kept = copy.deepcopy(body)
        kept["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = kept
        self._changes.put_nowait(("MODIFIED", copy.deepcopy(kept)))
        return copy.deepcopy(kept)

    def remove(self, path: str) -> None:
        """Delete an object, as somebody else's request."""
        self._changes.put_nowait(("DELETED", self.objects.pop(path)))

    def restore(self, objects: Mapping[str, Body], version: int) -> None:
        """Go back to these objects, all of this version, while the watch breaks."""
        self._version = version
        for path, body in objects.items():
            self.objects[path] = copy.deepcopy(body)
            self.objects[path]["metadata"]["resourceVersion"] = str(version)
        self._changes.put_nowait(UnreachableError("the API server is restarted"))

    @override
    async def get(self, path: str, **parameters: str) -> Body:
        await self._ask("get", path)
        if "limit" in parameters:
            return {"metadata": {"resourceVersion": str(self._version)}, "items": []}
        return copy.deepcopy(self._existing(path))

    @override
    async def create(self, path: str, body: Mapping[str, Any]) -> Body:
        if path == paths.SELF_ACCESS_REVIEWS:
            return self._review(body["spec"]["resourceAttributes"])
        await self._ask("create", path, writes=True)
        path = f"{path}/{body['metadata']['name']}"
        if path in self.objects:
            raise ConflictError(409, f"{path} exists")
        return self._answer(self.store(path, self._completed(json.loads(json.dumps(body)))))

    @override
    async def json_patch(self, path: str, patch: JsonPatch) -> Body:
        await self._ask("patch", path, writes=True)
        path = path.removesuffix("/status")
        body = copy.deepcopy(self._existing(path))
        # As JSON, so that nothing of the caller's own types is kept.
        operations = json.loads(json.dumps(patch.operations()))
        for operation in operations:
            _apply(body, operation)
        return self._answer(self.store(path, body))

    @override
    async def merge_patch(self, path: str, body: Mapping[str, Any]) -> Body:
        await self._ask("patch", path, writes=True)
        return self._answer(self.store(path, self._existing(path) | dict(body)))

    @override
    async def delete(
        self, path: str, *, uid: str, resource_version: int | None = None, grace_seconds: int | None = None
    ) -> Body | None:
        await self._ask("delete", path, writes=True)
        meta = self._existing(path)["metadata"]
        if uid != meta["uid"] or resource_version not in {None, int(meta["resourceVersion"])}:
            raise ConflictError(409, "Precondition failed")
        self.remove(path)
        return None

    @override
    async def list_pages(
        self, path: str, *, field_selector: str | None = None, label_selector: str | None = None
    ) -> AsyncIterator[Body]:
        await self._ask("list", path)
        items = [copy.deepcopy(body) for key, body in self.objects.items() if key.rpartition("/")[0] == path]
        items = [body for body in items if _selects(field_selector, body)]
        self._changes = asyncio.Queue()
        yield {"metadata": {"resourceVersion": str(self._version)}, "items": items}

    @override
    async def watch(
        self, path: str, *, resource_version: str, field_selector: str | None = None
    ) -> AsyncIterator[tuple[str, Body]]:
        await self._ask("watch", path)
        while True:
            change = await self._changes.get()
            if isinstance(change, KubeError):
                raise change
            kind, body = change
            if body.get("kind") != "ProvisionerDaemon":
                yield (kind if _selects(field_selector, body) else "DELETED"), body

    def _review(self, asked: Mapping[str, str]) -> Body:
        resource = "/".join(part for part in (asked["resource"], asked["subresource"]) if part)
        return {"status": {"allowed": (asked["verb"], resource) not in self.denied}}

    def _existing(self, path: str) -> Body:
        if path not in self.objects:
            raise NotFoundError(404, f"{path} not found")
        return self.objects[path]

    def _completed(self, body: Body) -> Body:
        body["metadata"] |= {"uid": f"uid-of-{body['metadata']['name']}", "creationTimestamp": "2026-01-01T00:00:00Z"}
        return body

    async def _ask(self, verb: str, path: str, *, writes: bool = False) -> None:
        self.requests.append((asyncio.get_running_loop().time(), verb, path))
        await asyncio.sleep(self.delay)
        if self.outage is not None:
            raise self.outage
        if writes and self.refusals and (refusal := self.refusals.pop(0)) is not None:
            raise refusal

    def _answer(self, body: Body) -> Body:
        if self.lost_answers:
            self.lost_answers -= 1
            raise UnreachableError("the connection ended")
        return body


def _apply(body: Body, operation: Mapping[str, Any]) -> None:
    *parents, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
    place: Any = body
    for step in parents:
        place = None if place is None else place.get(step)
    match operation["op"]:
        case "test":
            if (None if place is None else place.get(last)) != operation["value"]:
                raise PreconditionFailedError(422, f"testing path {operation['path']} failed")
        case "add" if place is not None:
            place[last] = operation["value"]
        case "remove" if place is not None and last in place:
            del place[last]
        case _:
            raise PreconditionFailedError(422, f"doc is missing path {operation['path']}")


def _selects(selector: str | None, body: Body) -> bool:
    return all(_matches(term, body) for term in (selector or "").split(",") if term)


def _matches(term: str, body: Body) -> bool:
    differs = "!=" in term
    path, _, value = term.partition("!=" if differs else "=")
    return (_field(body, path.split(".")) == value) is not differs


def _field(body: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        body = body.get(step) if isinstance(body, dict) else None
    return body
