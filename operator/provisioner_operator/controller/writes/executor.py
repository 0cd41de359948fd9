"""Define the interface of executors, which carry out the decisions about one family of objects for the writer."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from provisioner_operator.controller.writes.answers import NameTakenError, NoEffectError, Result
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import NotFoundError
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import UnparseableObjectError

DecisionT_contra = TypeVar("DecisionT_contra", contravariant=True)
Record = TypeVar("Record")


class Executor(Protocol[DecisionT_contra]):
    """Carries out the decisions about one family of objects."""

    async def execute(self, decision: DecisionT_contra) -> Result:
        """Send the write and observe its response.

        Returns OK, or CONFLICT if the object to create exists and was observed instead. Raises KubeError.
        """

    async def is_news(self, decision: DecisionT_contra) -> bool:
        """Read the object of the decision; return whether the precondition of the write no longer holds for it.

        Called when the API server's answer implies that; the decision is then made again. Raises KubeError.
        """


async def read_fresh(
    client: KubeClient,
    path: str,
    uid: str,
    *,
    observe: Callable[[Mapping[str, Any]], object],
    gone: Callable[[str], object],
) -> dict[str, Any] | None:
    """Read an object and observe it, or its deletion if it is gone or another object has its name.

    Args:
        client: The client of the API server.
        path: The object's path.
        uid: The object's uid.
        observe: Observes the object that was found.
        gone: Observes the deletion of the object with the uid.

    Returns:
        The object as it is now; None if it is gone.
    """
    try:
        body = await client.get(path)
    except NotFoundError:
        body = None
    if body is not None and body["metadata"]["uid"] == uid:
        observe(body)
        return body
    # The deletion comes first: the next object of that name may take what belonged to this one.
    gone(uid)
    if body is not None:
        observe(body)
    return None


def has_moved_on(body: Mapping[str, Any] | None, patch: JsonPatch, known: int | None = None) -> bool:
    """Return whether the object, read afresh, explains that the patch failed: it changed, and a test does not hold.

    Otherwise something else refuses the write, and would refuse it again.

    Args:
        body: The object; None if it is gone.
        patch: The patch that failed.
        known: The version on which the decision was based, if known.
    """
    if body is None:
        return True
    return version_of(body) != known and not patch.holds_for(body)


def with_effect(body: dict[str, Any], known: int) -> dict[str, Any]:
    """Return the answer to a write of a status or spec; NoEffectError if it is the version that was known before.

    The same write would be decided at once, again and again. Not for finalizers: the answer to the removal of the last
    one, which deletes the object, has the former version.
    """
    if version_of(body) == known:
        raise NoEffectError(
            "it is accepted but changes nothing, since the API server leaves out fields that it does not know: the "
            "definitions are older than the controller. Apply those of its version (kubectl apply -k crds)"
        )
    return body


def parse_taken(parse: Callable[[Mapping[str, Any]], Record], body: Mapping[str, Any]) -> Record:
    """Parse the object that bears a needed name; NameTakenError if it does not fit its model.

    One that cannot be parsed is never observed, so that another would be created again and again.
    """
    try:
        return parse(body)
    except UnparseableObjectError as error:
        what = f"{body['kind']} {object_meta(body).name}"
        raise NameTakenError(f"{what} exists, and does not fit this version: {error}. Delete it.") from error


def version_of(body: Mapping[str, Any]) -> int:
    """Return the object's resourceVersion."""
    return int(body["metadata"]["resourceVersion"])


def is_owned_by(body: Mapping[str, Any], uid: str) -> bool:
    """Return whether the object names this one as an owner."""
    return any(owner["uid"] == uid for owner in body["metadata"].get("ownerReferences") or ())
