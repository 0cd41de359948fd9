"""Request of one user, and the expected answer of the API server. Nothing is stored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from support.cluster.kubectl import Answer, Kubectl, patch_arguments
from support.manifests import Manifest

_DRY_RUN = ("--dry-run=server", "--output=json")


@dataclass(frozen=True, slots=True)
class Request:
    """A write. Words like `UID-OF-Pod-mine` in it stand for the UIDs of stored objects."""

    verb: tuple[str, ...]
    body: Manifest | None = None
    patch: Manifest | list[Manifest] | None = None

    def send(self, user: Kubectl, uids: Mapping[str, str]) -> Answer:
        """Send it as this user, without storing anything."""
        given = json.loads(_filled(json.dumps([self.body, self.patch]), uids))
        arguments = self.verb if self.patch is None else (*self.verb, *patch_arguments(given[1]))
        dry_run = _DRY_RUN[:1] if self.verb[0] == "delete" else _DRY_RUN
        return user.attempt(*arguments, *dry_run, given=given[0])

    @override
    def __str__(self) -> str:
        return " ".join(self.verb)


def create(manifest: Manifest) -> Request:
    """Create the object."""
    return Request(("create", "-f", "-"), body=manifest)


def patch(kind: str, name: str, change: Manifest | list[Manifest]) -> Request:
    """Change the object, by a merge patch or a JSON patch."""
    return Request(("patch", kind, name), patch=change)


def spec(kind: str, name: str, **fields: Any) -> Request:
    """Change fields of the object's spec."""
    return patch(kind, name, {"spec": fields})


def status(kind: str, name: str, **fields: Any) -> Request:
    """Change fields of the object's status."""
    return Request(("patch", kind, name, "--subresource=status"), patch={"status": fields})


def delete(kind: str, name: str) -> Request:
    """Delete the object."""
    return Request(("delete", kind, name, "--wait=false"))


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

    def fault(self, user: Kubectl, uids: Mapping[str, str]) -> str | None:
        """Return the difference between the API server's answer and the expected one; None if there is none."""
        answer = self.request.send(user, uids)
        if self.refused is not None:
            wanted = _filled(self.refused, uids)
            return (
                None if not answer.ok and wanted in answer.stderr else f"expected a refusal with {wanted!r}: {answer}"
            )
        if not answer.ok:
            return f"not allowed: {answer}"
        if not self.stored:
            return None
        document = json.loads(answer.stdout)
        found = {path: _at(document, path) for path in self.stored}
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
