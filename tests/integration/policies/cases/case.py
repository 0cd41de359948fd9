"""Request of one user, and the expected answer of the API server. Nothing is stored."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from support.cluster.api import Api, Reply
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

INTERNALS = ("resulted in error", "composited variable", "no such key", "no such overload", "does not apply")
"""Words of the API server for an expression that fails; nobody who wrote an object can act upon them."""


@dataclass(frozen=True, slots=True)
class Request:
    """A write. Words like `UID-OF-Pod-mine` in it stand for the UIDs of stored objects."""

    send: Callable[[Api, Any], Reply]
    """Send it, with this body, without storing anything."""
    body: Any = None

    def reply(self, user: Kubectl, uids: Mapping[str, str]) -> Reply:
        """Send it as this user and return the answer."""
        return self.send(user.api, json.loads(_filled(json.dumps(self.body), uids)))


def create(manifest: Manifest) -> Request:
    """Create the object."""
    return Request(lambda api, body: api.create(body, dry_run=True), manifest)


def create_as(manager: str, manifest: Manifest) -> Request:
    """Create the object with this field manager."""
    return Request(lambda api, body: api.create(body, manager=manager, dry_run=True), manifest)


def apply(manifest: Manifest) -> Request:
    """Apply the object on the server's side."""
    return Request(lambda api, body: api.apply(body, dry_run=True), manifest)


def patch(kind: str, name: str, change: Manifest | list[Manifest], subresource: str | None = None) -> Request:
    """Change the object, by a merge patch or a JSON patch."""
    return Request(lambda api, body: api.patch(kind, name, body, subresource=subresource, dry_run=True), change)


def spec(kind: str, name: str, **fields: Any) -> Request:
    """Change fields of the object's spec."""
    return patch(kind, name, {"spec": fields})


def status(kind: str, name: str, **fields: Any) -> Request:
    """Change fields of the object's status."""
    return patch(kind, name, {"status": fields}, "status")


def delete(kind: str, name: str) -> Request:
    """Delete the object."""
    return Request(lambda api, _: api.delete(kind, name, dry_run=True))


@dataclass(frozen=True, slots=True)
class Case:
    """Request that exercises a clause of a policy: without the clause, the answer would differ."""

    policy: str
    """The policy's name without the group."""
    title: str
    who: str
    request: Request
    refused: str | None = None
    """Part of the refusal; None for a request that is allowed."""
    stored: Mapping[str, Any] = field(default_factory=dict)
    """Expected values of the object by dotted path; None for an absent field."""
    managers: tuple[str, ...] | None = None
    """Expected field managers; None for any."""

    def fault(self, user: Kubectl, uids: Mapping[str, str]) -> str | None:
        """Return the difference between the API server's answer and the expected one; None if there is none."""
        reply = self.request.reply(user, uids)
        if any(each in reply.refusal for each in INTERNALS):
            return f"the refusal shows how the policy failed: {reply}"
        if self.refused is not None:
            wanted = _filled(self.refused, uids)
            return None if wanted in reply.refusal else f"expected a refusal with {wanted!r}: {reply}"
        if not reply.ok:
            return f"not allowed: {reply}"
        if self.managers is not None and reply.managers != self.managers:
            return f"expected the field managers {self.managers}, found {reply.managers}"
        found = {path: _at(reply.body, path) for path in self.stored}
        return None if found == dict(self.stored) else f"expected {dict(self.stored)}, found {found}"

    @override
    def __str__(self) -> str:
        return f"{self.policy}: {self.title}"


def _at(document: Any, path: str) -> Any:
    for step in path.split("."):
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _filled(text: str, uids: Mapping[str, str]) -> str:
    for word in sorted(uids, key=len, reverse=True):
        text = text.replace(word, uids[word])
    return text
