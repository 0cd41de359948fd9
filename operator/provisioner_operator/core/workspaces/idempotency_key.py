"""Recognize a repeated request for a build by its idempotency key, so that a client may repeat what timed out. Pure.

The workspace remembers its latest such request in an annotation, which is written by the very patch that makes the change:
there is no moment at which only one of them is stored, and of two equal requests at the same time one finds the other's.
The number of the latest build before the request leads to the build that it made.
"""

import hashlib
from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.names import IDEMPOTENCY_KEY_ANNOTATION
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.metadata import Metadata

_DIGEST_LENGTH = 32
_POINTER = f"/metadata/annotations/{IDEMPOTENCY_KEY_ANNOTATION.replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request that has an idempotency key."""

    digest: str
    """Digest of the user, the key and all that was requested: the same key for another request is another one."""
    builds_before: int
    """Number of the workspace's latest build before the request; 0 if there was none."""

    @classmethod
    def of(cls, user: str, key: str, requested: str, builds_before: int) -> "KeyedRequest":
        """Describe a request by its user, key and content."""
        content = f"{user}\n{key}\n{requested}"
        return cls(hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_LENGTH], builds_before)


def earlier_request(workspace: Metadata, request: KeyedRequest) -> KeyedRequest | None:
    """Return the same request as it was carried out before; None if the workspace does not remember it."""
    digest, _, number = workspace.annotations.get(IDEMPOTENCY_KEY_ANNOTATION, "").partition("-")
    return KeyedRequest(digest, int(number)) if digest == request.digest and number.isdecimal() else None


def remembering(patch: JsonPatch, workspace: Metadata, request: KeyedRequest) -> JsonPatch:
    """Return the patch with the annotation that remembers the request; fails if another one was remembered meanwhile."""
    value = f"{request.digest}-{request.builds_before}"
    if not workspace.annotations:
        test, added = ("/metadata/annotations", None), ("/metadata/annotations", {IDEMPOTENCY_KEY_ANNOTATION: value})
        return replace(patch, tests=(*patch.tests, test), sets=(*patch.sets, added))
    former = workspace.annotations.get(IDEMPOTENCY_KEY_ANNOTATION)
    return replace(patch, tests=(*patch.tests, (_POINTER, former)), sets=(*patch.sets, (_POINTER, value)))
