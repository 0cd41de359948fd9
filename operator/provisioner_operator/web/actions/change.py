"""Change an object on a condition: read it, decide on a patch, send it; decide again if it changed in between."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import Cause, RequestError
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ConflictError, NotFoundError, PreconditionFailedError
from provisioner_operator.kube.object_states import Body, meta_of
from provisioner_operator.web.actions.outcome import Outcome, Result, done, not_done

ATTEMPTS = 5
"""Most attempts: an object that others change faster than this is left to them."""

Decide = Callable[[Body], JsonPatch]
"""Returns the patch for the object as it was read; raises a RequestError if none is right."""


class Target(Protocol):
    """The object that a user chose. Rows of the index and records of the core are targets."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def uid(self) -> str:
        """Its uid: a later object of the same name is another one."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Identity of an object."""

    namespace: str
    name: str
    uid: str


async def read_target(client: KubeClient, path: str, target: Target) -> Body:
    """Return the object as it is now. Raises NotFoundError also if another one has its name."""
    body = await client.get(path)
    if meta_of(body).uid != target.uid:
        raise NotFoundError(404, f"{target.name} of namespace {target.namespace} was deleted, and created anew")
    return body


async def change(
    client: KubeClient, path: str, target: Target, decide: Decide, describe: Callable[[Body], str]
) -> Outcome:
    """Change the object at this path.

    Args:
        client: The user's client.
        path: The object.
        target: Its identity.
        decide: Called again with the new object when a test of its patch failed.
        describe: Says what was done, from the object as it was before.
    """
    for _ in range(ATTEMPTS):
        body = await read_target(client, path, target)
        try:
            patch = decide(body)
        except RequestError as error:
            return not_done(error, body)
        try:
            after = await client.json_patch(path, patch)
        except (PreconditionFailedError, ConflictError):
            continue
        return done(describe(body), after)
    message = f"It was changed by others {ATTEMPTS} times meanwhile. Try again."
    return Outcome(Result.REFUSED, message, Cause.KEEPS_CHANGING)
