"""Objects for a new snapshot: all fields, many values at their bounds, and a status for each phase and reason.

They come from the tests of today's API, so a snapshot has what the API allowed on the day that it was made.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain

from integration.api.accepted import CREATIONS
from support.builders.manifests import a_pool_manifest, a_template_manifest
from support.gitops.objects import KINDS
from support.manifests import Manifest
from support.stored_objects.full_objects import full_objects

_LARGEST = 6_000
"""Most characters of an example: what only tests the size of a text would bloat every snapshot."""
_VALID_SPECS = {
    "WorkspaceTemplate": a_template_manifest()["spec"],
    "ProvisionerPool": a_pool_manifest(replicas=2)["spec"],
}
"""Specs for examples whose own are made for the eyes of Argo CD and Flux alone."""


def examples() -> Iterator[Manifest]:
    """Yield objects of all kinds, each named differently within its kind."""
    yield from full_objects()
    small = (each for each in CREATIONS if len(json.dumps(each)) <= _LARGEST)
    for number, each in enumerate(chain(small, _statuses())):
        yield _named(each, f"example-{number}")


def _statuses() -> Iterator[Manifest]:
    """Yield objects until each phase, state and reason of each kind has been seen once."""
    for kind, judged in KINDS.items():
        if kind == "ProvisionerQueue":  # it has one name, and a condition that never changes
            continue
        seen: set[str] = set()
        for each in (judged_object.body for judged_object in judged()):
            words = set(_words(each["status"]))
            if "deletionTimestamp" not in each["metadata"] and not words <= seen:
                seen |= words
                yield each | {"spec": _VALID_SPECS.get(kind, each["spec"])}


def _words(status: Manifest) -> Iterable[str]:
    own = (f"{field}={status[field]}" for field in ("phase", "reason", "state") if field in status)
    conditions = ((f"{each['type']}={each['status']}", each["reason"]) for each in status.get("conditions", ()))
    return chain(own, *conditions)


def _named(manifest: Manifest, name: str) -> Manifest:
    """Return the object with another name and without what the API server itself sets."""
    metadata = {"name": name} | {k: v for k, v in manifest["metadata"].items() if k in {"labels", "annotations"}}
    return manifest | {"metadata": metadata}
