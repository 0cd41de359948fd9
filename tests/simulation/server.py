"""API server of the simulation: objects, versions, JSON patches, and the CRD's rules on a job's phases.

Bodies are never changed in place, so watches can keep them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL, TRANSITIONS
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.model.json_value import JsonObject

EPOCH = 1_800_000_000.0
"""Wall-clock time at the beginning of virtual time."""
NAMESPACE = "acme"
JOB, DAEMON, POD = "ProvisionerJob", "ProvisionerDaemon", "Pod"
TEMPLATE, WORKSPACE, POOL = "WorkspaceTemplate", "Workspace", "ProvisionerPool"

Body = dict[str, Any]
Listener = Callable[[Body | None, Body | None], None]


class RefusedError(Exception):
    """Rejection with status 422, because a test of the patch failed."""


class GoneError(Exception):
    """404."""


class BrokenRuleError(AssertionError):
    """Write that passes its tests but violates the CRD's rules, which the core must never send."""


class Server:
    """All objects by uid; listeners are called with the old and the new object of each change."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.objects: dict[str, Body] = {}
        self.listeners: dict[str, list[Listener]] = {kind: [] for kind in (JOB, DAEMON, POD, TEMPLATE, WORKSPACE, POOL)}
        """Callbacks for changes, by kind."""
        self.writes: dict[str, list[str]] = {}
        """Names of the status writes of each job, in order."""
        self._wall = wall
        self._version = 0

    def create(self, kind: str, uid: str, name: str, spec: Body, **metadata: Any) -> Body:
        meta = {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid,
            "generation": 1,
            "creationTimestamp": timestamp(float(int(self._wall()))),
            **metadata,
        }
        status = {DAEMON: {"state": "Offline"}, TEMPLATE: {}, POOL: {}}.get(kind, {"phase": "Pending"})
        return self._store(None, {"kind": kind, "metadata": meta, "spec": spec, "status": status})

    def submit(self, body: JsonObject) -> Body:
        """Create a job for the controller. Raises RefusedError if its name is taken."""
        meta, spec = body["metadata"], body["spec"]
        assert isinstance(meta, Mapping)
        assert isinstance(spec, Mapping)
        if any(each["metadata"]["name"] == meta["name"] for each in self.of_kind(JOB)):
            raise RefusedError
        defaults = {"suspend": False, "cancel": False, "cancelMode": "Graceful"}
        return self.create(JOB, f"job-uid-of-version-{self._version}", str(meta["name"]), {**defaults, **spec})

    def patch(self, uid: str, operations: Sequence[JsonObject]) -> Body:
        """Apply the controller's conditional write to an object; remove a deleted object with its last finalizer."""
        old = self.get(uid)
        new = _patched(old, operations)
        if new["spec"] != old["spec"]:
            meta = {**new["metadata"], "generation": old["metadata"]["generation"] + 1}
            new = {**new, "metadata": meta}
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            del self.objects[uid]
            self._notify(old, None)
            return new
        return self._store(old, new)

    def register(self, body: JsonObject) -> Body:
        """Create a daemon for the controller. Raises RefusedError if its name is taken."""
        meta, spec = body["metadata"], body["spec"]
        assert isinstance(meta, Mapping)
        assert isinstance(spec, Mapping)
        if any(each["metadata"]["name"] == meta["name"] for each in self.of_kind(DAEMON)):
            raise RefusedError
        uid = f"daemon-uid-of-version-{self._version}"
        spec = {**spec, "cordoned": False}
        details = {key: meta[key] for key in ("ownerReferences", "finalizers")}
        return self.create(DAEMON, uid, str(meta["name"]), spec, **details)

    def create_pod(self, pool_uid: str, body: JsonObject) -> Body:
        """Create a pool's Pod for the controller. Raises RefusedError if its name is taken, GoneError without the pool."""
        self.get(pool_uid)
        meta, spec = body["metadata"], body["spec"]
        assert isinstance(meta, Mapping)
        assert isinstance(spec, Mapping)
        if any(each["metadata"]["name"] == meta["name"] for each in self.of_kind(POD)):
            raise RefusedError
        details = {key: meta[key] for key in ("labels", "annotations", "ownerReferences")}
        return self.create(POD, f"pod-uid-of-version-{self._version}", str(meta["name"]), dict(spec), **details)

    def patch_spec(self, uid: str, operations: Sequence[JsonObject]) -> Body:
        """Apply the controller's conditional write to a daemon's spec."""
        fields = {str(each["path"]).removeprefix("/spec/"): each["value"] for each in operations if each["op"] == "add"}
        return self.edit(uid, **fields)

    def get(self, uid: str) -> Body:
        body = self.objects.get(uid)
        if body is None:
            raise GoneError
        return body

    def edit(self, uid: str, **changes: Any) -> Body:
        """Change the spec for a user. Raises RefusedError if a job has ended and takes no more requests."""
        old = self.get(uid)
        spec = {**old["spec"], **changes}
        if spec == old["spec"]:
            return old
        if old["kind"] == JOB and is_terminal(old) and changes.keys() - {"ttlSecondsAfterFinished"}:
            raise RefusedError
        meta = {**old["metadata"], "generation": old["metadata"]["generation"] + 1}
        return self._store(old, {**old, "metadata": meta, "spec": spec})

    def merge_status(self, uid: str, fields: Body) -> Body:
        """Merge a daemon's heartbeat into its status."""
        old = self.get(uid)
        return self._store(old, {**old, "status": {**old["status"], **fields}})

    def patch_status(self, uid: str, operations: Sequence[JsonObject], writer: str) -> Body:
        """Apply a conditional write to the status subresource."""
        old = self.get(uid)
        new = _patched(old, operations)
        if old["kind"] == JOB:
            _check_rules(old, new)
            self.writes.setdefault(uid, []).append(writer)
        return self._store(old, new)

    def delete(self, uid: str, *, finalizers: Sequence[str] = ()) -> Body | None:
        """Delete an object, or mark it if finalizers hold it up; `finalizers` are added by a deletion in the foreground."""
        old = self.get(uid)
        held_by = [*old["metadata"].get("finalizers", ()), *finalizers]
        if held_by:
            if "deletionTimestamp" in old["metadata"]:
                return old
            meta = {**old["metadata"], "deletionTimestamp": timestamp(self._wall()), "finalizers": held_by}
            return self._store(old, {**old, "metadata": meta})
        del self.objects[uid]
        self._notify(old, None)
        return None

    def finalize(self, uid: str) -> None:
        """Remove the object's last finalizer, and with it the object if it is being deleted."""
        self.patch(uid, [{"op": "remove", "path": "/metadata/finalizers"}])

    def of_kind(self, kind: str) -> list[Body]:
        return [body for body in self.objects.values() if body["kind"] == kind]

    def unfinished_jobs(self) -> list[Body]:
        return [body for body in self.of_kind(JOB) if not is_terminal(body)]

    def _store(self, old: Body | None, new: Body) -> Body:
        self._version += 1
        new = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self._version)}}
        self.objects[new["metadata"]["uid"]] = new
        self._notify(old, new)
        return new

    def _notify(self, old: Body | None, new: Body | None) -> None:
        for listener in tuple(self.listeners[(new or old or {})["kind"]]):
            listener(old, new)


def is_terminal(body: Body) -> bool:
    return body["status"]["phase"] in TERMINAL


def _patched(old: Body, operations: Sequence[JsonObject]) -> Body:
    """Apply a JSON patch (RFC 6902). Raises RefusedError if a test fails."""
    new = old
    for operation in operations:
        path = str(operation["path"]).split("/")[1:]
        match operation["op"]:
            case "test":
                if _value_at(new, path) != operation["value"]:
                    raise RefusedError
            case "remove":
                if _value_at(new, path) is None:
                    raise RefusedError
                new = _with_value(new, path, None)
            case _:
                new = _with_value(new, path, operation["value"])
    return new


def _value_at(body: Any, path: Sequence[str]) -> Any:
    for part in path:
        body = body.get(part)
        if body is None:
            return None
    return body


def _with_value(body: Body, path: Sequence[str], value: Any) -> Body:
    first, *rest = path
    if rest:
        if body.get(first) is None:
            raise RefusedError
        return {**body, first: _with_value(body[first], rest, value)}
    if value is None:
        return {key: content for key, content in body.items() if key != first}
    return {**body, first: value}


def _check_rules(old: Body, new: Body) -> None:
    """Enforce the rules of the CRD on phases, as the real API server does."""
    before, after = old["status"], new["status"]
    was, is_now = Phase(before["phase"]), Phase(after["phase"])
    given_before, given = before.get("assignment"), after.get("assignment")
    broken = {
        f"{was} -> {is_now} is not a legal transition": is_now is not was and is_now not in TRANSITIONS[was],
        "Canceled without spec.cancel": is_now is Phase.CANCELED and not new["spec"]["cancel"],
        "started without assignment or time": is_now in STARTED and not (given and after.get("startedAt")),
        "terminal if and only if finished": (is_now in TERMINAL) != ("finishedAt" in after),
        "assignment changed after Pending": was is not Phase.PENDING and given_before != given,
        "start changed after Pending": was is not Phase.PENDING and before.get("startedAt") != after.get("startedAt"),
        "started under another assignment": was is Phase.PENDING
        and is_now is Phase.RUNNING
        and {**(given or {}), "instance": None} != {**(given_before or {}), "instance": None},
        "the end was changed": was in TERMINAL
        and any(before.get(field) != after.get(field) for field in ("phase", "reason", "finishedAt")),
    }
    if any(broken.values()):
        names = ", ".join(rule for rule, is_broken in broken.items() if is_broken)
        raise BrokenRuleError(f"{old['metadata']['name']}: {names}")
