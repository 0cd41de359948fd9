"""Change an object on a condition: read it, decide on a patch, send it; decide again if it changed in between."""

from collections.abc import Callable

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import Cause, RequestError
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ConflictError, PreconditionFailedError
from provisioner_operator.kube.object_states import Body
from provisioner_operator.web.actions.outcome import Outcome, Result, done, not_done
from provisioner_operator.web.actions.target import Target, read_target

ATTEMPTS = 5
"""Most attempts: an object that others change faster than this is left to them."""

Decide = Callable[[Body], JsonPatch]
"""Returns the patch for the object as it was read; raises a RequestError if none is right."""


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
