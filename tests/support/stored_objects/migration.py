"""A cluster whose objects were stored under one version's definitions, and that then gets those of another.

For tests on a control plane of their own: all objects of the product's kinds are deleted.
"""

import copy
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.kube.job_parsing import parse_job_records
from provisioner_operator.kube.parsing import parse_daemon
from provisioner_operator.kube.pool_parsing import parse_pool
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace
from support.cluster.api import Reply
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest
from support.stored_objects.snapshot import Snapshot, schema_of

_SERVED_WITHIN = 120.0
"""Timeout in seconds; the API server takes less than one to serve a changed definition, more beside a compiler."""

PARSERS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "ProvisionerJob": parse_job_records,
    "ProvisionerDaemon": parse_daemon,
    "ProvisionerPool": parse_pool,
    "WorkspaceTemplate": parse_template,
    "Workspace": parse_workspace,
}
"""Reads an object of each kind as the controller, the daemons and the command line do."""
_SPEC_CHANGES: Mapping[str, Manifest] = {
    "ProvisionerJob": {"ttlSecondsAfterFinished": 61},
    "ProvisionerDaemon": {"cordoned": False},
    "ProvisionerPool": {"maxSurge": 3},
    "WorkspaceTemplate": {"importGeneration": 9},
    "Workspace": {"rebuildGeneration": 9},
}
"""A change of each kind's spec that is possible in every state."""
_STATUS_CHANGES: Mapping[str, Manifest] = {
    "ProvisionerDaemon": {"lastHeartbeatTime": "2026-02-02T00:00:00Z"},
}
_STATUS_CHANGE: Manifest = {"observedGeneration": 99}
"""A change of the status that is possible in every state: of daemons, and of all other kinds."""


class StoredObjects:
    """Objects of a snapshot in a cluster, under definitions that can be changed."""

    def __init__(self, admin: Kubectl, snapshot: Snapshot) -> None:
        """Store the snapshot's objects under its own definitions, in place of all others."""
        self._admin = admin
        self._upgrades = 0
        self._plurals = [each["spec"]["names"]["plural"] for each in snapshot.definitions()]
        names = [f"{each}.{GROUP}" for each in self._plurals]
        admin.run("delete", "crd", "--ignore-not-found", "--timeout=120s", *names)
        self._objects = snapshot.objects()
        # A creation cannot set a status that is a subresource, and from phase to phase not every change is allowed.
        self._serve(map(_without_status_subresource, snapshot.definitions()), "storedUnder", self._try_to_create)
        admin.create_all(self._objects)
        self._stored = {key(each): each for each in self._list()}

    def upgrade(self, definitions: Iterable[Manifest]) -> None:
        """Apply other definitions and wait until the API server serves them."""
        self._upgrades += 1
        self._serve(definitions, f"servedSince{self._upgrades}", self._read)

    def findings(self, kind: str | None = None) -> Iterator[str]:
        """Yield what the current definitions break, of one kind or all; none of it is kept.

        Each object has to be there with all of its fields, readable, and open to changes of metadata, spec and status that have
        nothing to do with it. The same object, created anew, has to be allowed.
        """
        present = {key(each): each for each in self._list()}
        for name, stored in self._stored.items():
            if kind in {None, stored["kind"]}:
                yield from (f"{name}: {each}" for each in self._broken(stored, present.get(name)))

    def _broken(self, stored: Manifest, present: Manifest | None) -> Iterator[str]:
        if present is None:
            yield "is gone"
            return
        yield from (f"lost {path}" for part in ("spec", "status") for path in _lost(stored[part], present[part], part))
        try:
            PARSERS[stored["kind"]](present)
        except ValueError as error:
            yield f"cannot be read: {error}"
        kind, name = stored["kind"], stored["metadata"]["name"]
        changes: tuple[tuple[str | None, Manifest], ...] = (
            (None, {"metadata": {"annotations": {"example.com/note": "changed"}}}),
            (None, {"spec": _SPEC_CHANGES[kind]}),
            ("status", {"status": _STATUS_CHANGES.get(kind, _STATUS_CHANGE)}),
        )
        for subresource, change in changes:
            reply = self._admin.api.patch(kind, name, change, subresource=subresource, dry_run=True)
            if not reply.ok:
                yield f"cannot be changed by {change}: {reply.refusal}"
        anew = {field: stored[field] for field in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "anew"}}
        reply = self._admin.api.create(anew, dry_run=True)
        if not reply.ok:
            yield f"cannot be created anew: {reply.refusal}"

    def _serve(self, definitions: Iterable[Manifest], field: str, answer: Callable[[str], Reply]) -> None:
        """Apply the definitions with one more field, whose default in the answer shows that a kind's is served."""
        for definition in definitions:
            marked = copy.deepcopy(definition)
            schema_of(marked)["properties"][field] = {"type": "boolean", "default": True}
            self._admin.apply(marked, "--server-side", "--force-conflicts")
        names = [f"crd/{each}.{GROUP}" for each in self._plurals]
        self._admin.run("wait", "--for=condition=Established", "--timeout=120s", *names)
        for kind in PARSERS:
            _await(field, functools.partial(answer, kind))

    def _try_to_create(self, kind: str) -> Reply:
        first = next(each for each in self._objects if each["kind"] == kind)
        try:
            return self._admin.api.create(first, dry_run=True)
        except LookupError as error:  # discovery follows a moment after the definition
            return Reply(f"POST {kind}", 0, {"message": str(error)})

    def _read(self, kind: str) -> Reply:
        first = next(each for each in self._objects if each["kind"] == kind)
        return self._admin.api.get(kind, first["metadata"]["name"])

    def _list(self) -> list[Manifest]:
        fields = ("apiVersion", "kind", "metadata", "spec", "status")
        return [
            {field: each.get(field, {}) for field in fields}
            for plural in self._plurals
            for each in self._admin.list_all(plural)
        ]


def key(manifest: Manifest) -> str:
    """Return the kind and the name of an object."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _without_status_subresource(definition: Manifest) -> Manifest:
    changed = copy.deepcopy(definition)
    (version,) = changed["spec"]["versions"]
    del version["subresources"]["status"]
    return changed


def _lost(stored: object, present: object, path: str) -> Iterator[str]:
    """Yield the paths that have another value now; what is new is not lost."""
    if isinstance(stored, dict) and isinstance(present, dict):
        for name, value in stored.items():
            yield from _lost(value, present.get(name), f"{path}.{name}")
    elif isinstance(stored, list) and isinstance(present, list) and len(stored) == len(present):
        for number, (old, new) in enumerate(zip(stored, present, strict=True)):
            yield from _lost(old, new, f"{path}[{number}]")
    elif stored != present:
        yield path


def _await(field: str, attempt: Callable[[], Reply]) -> None:
    deadline = time.monotonic() + _SERVED_WITHIN
    while field not in (reply := attempt()).body:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no definition with {field} is served; the last answer is {reply}")
        time.sleep(0.1)
