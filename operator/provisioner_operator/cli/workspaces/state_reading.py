"""Read a workspace's state and its versions, for the commands of `workspaces state`. Raises CliErrors."""

from provisioner_operator.api.v1alpha1.names import state_versions_name
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.errors import NotFoundError, PreconditionError
from provisioner_operator.core.states.file import UnreadableStateError, unpack
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.core.states.versions import StateHistory, StateVersion
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body
from provisioner_operator.kube.state_histories import history_of, packed_state


def read_history(cluster: Cluster, name: str) -> tuple[Body | None, StateHistory]:
    """Return the versions and their Secret; None if none is kept."""
    body = existing(cluster, paths.secret(cluster.namespace, state_versions_name(name)))
    if body is None:
        return None, StateHistory()
    try:
        return body, history_of(body)
    except UnreadableStateError as error:
        raise PreconditionError(f"The versions cannot be read: {error}.") from None


def require_version(history: StateHistory, number: int, name: str) -> StateVersion:
    """Return the version of that number. Raises NotFoundError."""
    version = history.version(number)
    if version is None:
        kept = ", ".join(str(each.number) for each in reversed(history.versions)) or "none"
        raise NotFoundError(f"Workspace {name!r} has no version {number} of its state. Kept: {kept}.")
    return version


def read_text(cluster: Cluster, name: str) -> bytes:
    """Return the text of the present state, of all Secrets that it takes. Raises NotFoundError if there is none."""
    body = existing(cluster, paths.secret(cluster.namespace, state_secret(name)))
    if body is None:
        raise NotFoundError(
            f"Workspace {name!r} has no state in namespace {cluster.namespace}: it was never built, is destroyed, or its template "
            "keeps the state in another backend (spec.state)."
        )
    number = 0
    try:
        packed = packed_state(body)
        while (part := existing(cluster, part_path(cluster, name, number := number + 1))) is not None:
            packed += packed_state(part)
        return unpack(packed)
    except UnreadableStateError as error:
        raise PreconditionError(f"The state cannot be read: {error}.") from None


def part_path(cluster: Cluster, name: str, number: int) -> str:
    """Return the path of a further Secret of a large state, as Terraform names them from 1."""
    return paths.secret(cluster.namespace, f"{state_secret(name)}-part-{number}")


def existing(cluster: Cluster, path: str) -> Body | None:
    """Return the object; None if there is none."""
    try:
        return cluster.get(path)
    except NotFoundError:
        return None
