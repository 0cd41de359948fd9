"""Hold the lock of a workspace's state during a command, as Terraform would: in the same Lease and form."""

import getpass
import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from provisioner_operator import __version__
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.errors import AlreadyExistsError, ChangedError, CliError, PreconditionError
from provisioner_operator.cli.workspaces.state_reading import existing
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.states.lock import (
    lock_lease,
    new_lock,
    release_patch,
    take_patch,
)
from provisioner_operator.kube import paths
from provisioner_operator.kube.state_locks import parse_state_lock


@contextmanager
def locked_state(cluster: Cluster, name: str, operation: str) -> Iterator[None]:
    """Hold the lock of the state until the end of the context. Raises PreconditionError if somebody else holds it."""
    identity = str(uuid.uuid4())
    try:
        _take(cluster, name, identity, operation)
    except (AlreadyExistsError, ChangedError):
        raise PreconditionError("Somebody else has just locked the state. Try again when they are done.") from None
    try:
        yield
    finally:
        _release(cluster, name, identity)


def _take(cluster: Cluster, name: str, identity: str, operation: str) -> None:
    path = paths.lease(cluster.namespace, lock_lease(name))
    info = json.dumps(
        {
            "ID": identity,
            "Operation": operation,
            "Info": "",
            "Who": f"{getpass.getuser()}@{socket.gethostname()}",
            "Version": __version__,
            "Created": timestamp(cluster.now()),
            "Path": "",
        }
    )
    body = existing(cluster, path)
    if body is None:
        cluster.create(paths.leases(cluster.namespace), new_lock(name, identity, info))
        return
    lock = parse_state_lock(body)
    if lock.holder is not None:
        raise PreconditionError(
            f"The state is locked by {lock.holder.who} since {lock.holder.created} ({lock.holder.operation}). If that is still at "
            "work, wait for it; docs/state.md says how to release the lock of a run that is dead."
        )
    cluster.json_patch(path, take_patch(lock, identity, info))


def _release(cluster: Cluster, name: str, identity: str) -> None:
    path = paths.lease(cluster.namespace, lock_lease(name))
    body = existing(cluster, path)
    lock = None if body is None else parse_state_lock(body)
    if lock is None or lock.holder is None or lock.holder.id != identity:
        raise CliError("The lock of the state was taken away during the command: compare the state with the resources.")
    cluster.json_patch(path, release_patch(lock))
