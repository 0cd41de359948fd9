"""Objects of an API server without one: stores them by path, and answers requests with the wording of a real one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provisioner_operator.controller import clock
from provisioner_operator.kube.client import JSON_PATCH
from provisioner_operator.kube.errors import KubeError, error_of
from support.json_patches import RefusedError, patched, without
from support.manifests import Manifest

_DEFAULTS: dict[str, Manifest] = {
    "ProvisionerJob": {"cancel": False, "suspend": False, "cancelMode": "Graceful"},
    "ProvisionerDaemon": {"cordoned": False},
}
"""Defaults of the definitions' schemas."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with the code of an error."""

    status: int
    body: Manifest

    def error(self, *, has_tests: bool = False) -> KubeError:
        """Return the error that the client raises for it."""
        return error_of(self.status, self.body, has_tests=has_tests)


class ObjectStore:
    """Objects by path; each change gives an object a new version, and a change of its spec a new generation."""

    def __init__(self) -> None:
        self.objects: dict[str, Manifest] = {}
        self.unknown: str | None = None
        """JSON Pointer of a field that the definitions do not have: it is left out of what is stored."""
        self._version = 0

    def add(self, collection: str, manifest: Mapping[str, Any], **status: Any) -> Manifest:
        """Store the object as the API server does when a user creates it."""
        self._version += 1
        parts = collection.split("/")
        meta = {
            "namespace": parts[-2],
            "uid": f"uid-{self._version}",
            "generation": 1,
            "creationTimestamp": _now(),
            **manifest["metadata"],
            "resourceVersion": str(self._version),
        }
        spec = {**_DEFAULTS.get(manifest["kind"], {}), **manifest.get("spec", {})}
        body = {**manifest, "metadata": meta, "spec": spec, "status": status or manifest.get("status", {})}
        self.objects[f"{collection}/{meta['name']}"] = body
        return body

    def edit(self, path: str, **changes: Any) -> Manifest:
        """Change the object as another user."""
        return self._put(path, {**self.objects[path], **changes})

    def answer(
        self, method: str, path: str, body: Any, content_type: str, parameters: Mapping[str, str]
    ) -> Manifest | Refusal:
        """Carry out a request."""
        if method == "POST":
            return self._create(path, body)
        if "limit" in parameters:
            return {"metadata": {}, "items": self._listed(path, parameters.get("fieldSelector"))}
        path = path.removesuffix("/status")
        if path not in self.objects:
            return Refusal(404, {"reason": "NotFound", "message": f"{path} not found"})
        if method == "PATCH":
            is_json = content_type == JSON_PATCH
            return self._json_patch(path, body) if is_json else self._put(path, {**self.objects[path], **body})
        return self.objects[path] if method == "GET" else self._delete(path, uid=body["preconditions"]["uid"])

    def _create(self, collection: str, body: Manifest) -> Manifest | Refusal:
        name = body["metadata"]["name"]
        if f"{collection}/{name}" in self.objects:
            return Refusal(409, {"reason": "AlreadyExists", "message": f"{name} already exists"})
        return self.add(collection, body)

    def _listed(self, collection: str, field_selector: str | None) -> list[Manifest]:
        bodies = [body for path, body in self.objects.items() if path.startswith(f"{collection}/")]
        if field_selector is None:
            return bodies
        workspace = field_selector.removeprefix("spec.workspaceRef.name=")
        return [body for body in bodies if (body["spec"].get("workspaceRef") or {}).get("name") == workspace]

    def _json_patch(self, path: str, operations: list[dict[str, Any]]) -> Manifest | Refusal:
        try:
            body = patched(self.objects[path], operations)
        except RefusedError:
            message = "the server rejected our request due to an error in our request"
            return Refusal(422, {"reason": "Invalid", "message": message, "details": {}})
        if "deletionTimestamp" in body["metadata"] and not body["metadata"].get("finalizers"):
            del self.objects[path]
            return body
        return self._put(path, body)

    def _delete(self, path: str, *, uid: str) -> Manifest | Refusal:
        body = self.objects[path]
        if body["metadata"]["uid"] != uid:
            message = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {body['metadata']['uid']}"
            return Refusal(409, {"reason": "Conflict", "message": message})
        if body["metadata"].get("finalizers"):
            return self._put(path, {**body, "metadata": {**body["metadata"], "deletionTimestamp": _now()}})
        del self.objects[path]
        return {"kind": "Status", "status": "Success"}

    def _put(self, path: str, body: Manifest) -> Manifest:
        former = self.objects[path]
        if self.unknown is not None:
            body = without(body, self.unknown.split("/")[1:])
        if body == former:
            return former  # as the API server does
        self._version += 1
        generation = former["metadata"]["generation"] + (body.get("spec") != former.get("spec"))
        meta = {**body["metadata"], "resourceVersion": str(self._version), "generation": generation}
        self.objects[path] = {**body, "metadata": meta}
        return self.objects[path]


def _now() -> str:
    return datetime.fromtimestamp(clock.read().wall, UTC).isoformat()
