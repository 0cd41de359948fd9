"""Change an object on a condition: read it, decide on a patch, send it; decide again if it changed in between."""

from collections.abc import Callable

from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.api.request_errors import as_cli_errors
from provisioner_operator.cli.errors import ChangedError
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.object_states import Body

_ATTEMPTS = 5
"""Most attempts: an object that others change faster than this is left to them."""

Decide = Callable[[Body], JsonPatch]
"""Returns the patch for the object as it was read; raises a RequestError if none is right."""


def change(cluster: Cluster, path: str, decide: Decide, *, dry_run: bool = False, role: str | None = None) -> Body:
    """Change the object at this path; returns it as it was before.

    Raises NothingToDoError or PreconditionError if there is no patch, ChangedError if the object keeps changing, or another CliError.

    Args:
        cluster: The API server.
        path: The object.
        decide: Called again with the new object when a test of its patch failed.
        dry_run: Let the API server check the request without storing the change.
        role: The ClusterRole to name if the permission is missing.
    """
    for _ in range(_ATTEMPTS):
        body = cluster.get(path, role=role)
        with as_cli_errors():
            patch = decide(body)
        try:
            cluster.json_patch(path, patch, dry_run=dry_run, role=role)
        except ChangedError:
            continue
        return body
    raise ChangedError(f"It was changed by others {_ATTEMPTS} times during this command. Try again.")
