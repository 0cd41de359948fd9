"""API server of the simulation: objects, versions, JSON patches, and the CRD's rules on a job's phases.

Bodies are never changed in place, so watches can keep them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL, TRANSITIONS
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.model.json_value import JsonObject
from support.json_patches import Body, RefusedError, patched

EPOCH = 1_800_000_000.0
"""Wall-clock time at the beginning of virtual time."""
NAMESPACE = "acme"
JOB, DAEMON, POD = "ProvisionerJob", "ProvisionerDaemon", "Pod"
TEMPLATE, WORKSPACE, POOL = "WorkspaceTemplate", "Workspace", "ProvisionerPool"

Listener = Callable[[Body | None, Body | None], None]


class GoneError(Exception):
    """404."""


class DeniedError(Exception):
    """403, or 422 of a policy; also a creation of a kind whose definition is missing or being deleted."""


class BrokenRuleError(AssertionError):
    """Write that passes its tests but violates the CRD's rules, which the core must never send."""


@dataclass(frozen=True, slots=True)
class Backup:
    """Copy of the database."""

    objects: dict[str, Body]
    version: int
    writes: dict[str, list[str]]
    lease: Body


class Server:
    """All objects by uid; listeners are called with the old and the new object of each change."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.objects: dict[str, Body] = {}
        self.listeners: dict[str, list[Listener]] = {kind: [] for kind in (JOB, DAEMON, POD, TEMPLATE, WORKSPACE, POOL)}
        """Callbacks for changes, by kind."""
        self.writes: dict[str, list[str]] = {}
        """Names of the status writes of each job, in order."""
        self.lease: Body = {"metadata": {"name": LEASE, "resourceVersion": "1"}}
        """The controllers' Lease, as far as it is not only about who leads, which the world decides."""
        self.undefined: set[str] = set()
        """Kinds whose definitions are missing."""
        self.terminating: set[str] = set()
        """Kinds whose definitions are being deleted, held up by the finalizers of their objects."""
        self._wall = wall
        self._version = 0
        self._restores = 0

    # --- definitions and backups ---

    @property
    def is_whole(self) -> bool:
        """Whether no definition is missing or being deleted."""
        return not self.undefined and not self.terminating

    def delete_definition(self, kind: str) -> None:
        """Delete all objects of a kind, then its definition, as soon as no finalizer holds up an object."""
        self.terminating.add(kind)
        for body in self.of_kind(kind):
            self.delete(body["metadata"]["uid"])
        self._undefine_if_empty(kind)

    def _undefine_if_empty(self, kind: str) -> None:
        if kind in self.terminating and not self.of_kind(kind):
            self.terminating.discard(kind)
            self.undefined.add(kind)

    def back_up(self) -> Backup:
        writes = {uid: list(writes) for uid, writes in self.writes.items()}
        return Backup(dict(self.objects), self._version, writes, self.lease)

    def restore(self, backup: Backup) -> None:
        """Bring the objects and the versions of a backup back. No listener is called: all connections are broken."""
        self.objects = dict(backup.objects)
        self.writes = {uid: list(writes) for uid, writes in backup.writes.items()}
        self._version = backup.version
        self.lease = backup.lease
        self._restores += 1

    # --- requests ---

    def list_kind(self, kind: str) -> Sequence[Body]:
        """Return the objects of a kind. Raises GoneError without its definition."""
        if kind in self.undefined:
            raise GoneError
        return self.of_kind(kind)

    def create(self, kind: str, uid: str, name: str, spec: Body, **metadata: Any) -> Body:
        """Create an object. Raises DeniedError if its kind is not, or not much longer, defined."""
        if kind in self.undefined | self.terminating:
            raise DeniedError
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

    def annotate_lease(self, patch: JsonObject) -> None:
        """Merge a controller's patch of annotations into the Lease."""
        metadata = patch["metadata"]
        assert isinstance(metadata, Mapping)
        self.lease = {**self.lease, "metadata": {**self.lease["metadata"], **metadata}}

    def submit(self, body: JsonObject) -> Body:
        """Create a job for the controller. Raises RefusedError if its name is taken."""
        meta, spec = body["metadata"], body["spec"]
        assert isinstance(meta, Mapping)
        assert isinstance(spec, Mapping)
        if any(each["metadata"]["name"] == meta["name"] for each in self.of_kind(JOB)):
            raise RefusedError
        defaults = {"suspend": False, "cancel": False, "cancelMode": "Graceful"}
        return self.create(JOB, self._new_uid("job"), str(meta["name"]), {**defaults, **spec})

    def patch(self, uid: str, operations: Sequence[JsonObject]) -> Body:
        """Apply the controller's conditional write to an object; remove a deleted object with its last finalizer."""
        old = self.get(uid)
        new = patched(old, operations)
        if new["spec"] != old["spec"]:
            meta = {**new["metadata"], "generation": old["metadata"]["generation"] + 1}
            new = {**new, "metadata": meta}
        if not new["metadata"].get("finalizers", True):
            # The API server stores no empty list.
            new = {**new, "metadata": {key: each for key, each in new["metadata"].items() if key != "finalizers"}}
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
        uid = self._new_uid("daemon")
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
        return self.create(POD, self._new_uid("pod"), str(meta["name"]), dict(spec), **details)

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

    def merge_status(self, uid: str, fields: Body, *, instance: str | None = None) -> Body:
        """Merge fields into a status. Raises RefusedError if it is of a daemon whose process is not this `instance`."""
        old = self.get(uid)
        if instance not in (None, old["status"].get("instance")):
            raise RefusedError
        return self._store(old, {**old, "status": {**old["status"], **fields}})

    def patch_status(self, uid: str, operations: Sequence[JsonObject], writer: str) -> Body:
        """Apply a conditional write to the status subresource."""
        old = self.get(uid)
        new = patched(old, operations)
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

    def _new_uid(self, of: str) -> str:
        """Return a uid; versions that a restore takes back occur twice."""
        again = f"-after-{self._restores}-restores" if self._restores else ""
        return f"{of}-uid-of-version-{self._version}{again}"

    def _store(self, old: Body | None, new: Body) -> Body:
        self._version += 1
        new = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self._version)}}
        self.objects[new["metadata"]["uid"]] = new
        self._notify(old, new)
        return new

    def _notify(self, old: Body | None, new: Body | None) -> None:
        kind = (new or old or {})["kind"]
        for listener in tuple(self.listeners[kind]):
            listener(old, new)
        if new is None:
            self._undefine_if_empty(kind)


def is_terminal(body: Body) -> bool:
    return body["status"]["phase"] in TERMINAL


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
