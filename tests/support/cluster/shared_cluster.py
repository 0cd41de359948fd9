"""Cluster of a test run: one for all its processes, or the one that the environment names."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Protocol

import yaml
from filelock import FileLock

from support.cluster.installation import install
from support.cluster.keeper import FAREWELL
from support.cluster.kubectl import Kubectl

KUBECONFIG_VARIABLE = "PROVISIONER_TEST_KUBECONFIG"
"""Variable with the administrator's kubeconfig of a running cluster, to be used instead of a new control plane."""

CONNECT_WITHIN = 60.0
"""Timeout in seconds for a new keeper to open its socket, which takes a fraction of one on a quiet machine."""


class Cluster(Protocol):
    """Interface of a cluster for tests."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig for this user and these groups."""


@dataclass(frozen=True, slots=True)
class KeptCluster:
    """The run's own control plane; users are known by their certificates."""

    connection: Connection
    kubeconfig: Path
    _known: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return the user's kubeconfig from the keeper, requested once."""
        key = (user, *groups)
        if key not in self._known:
            self.connection.send((user, tuple(groups)))
            self._known[key] = Path(self.connection.recv())
        return self._known[key]


@dataclass(frozen=True, slots=True)
class GivenCluster:
    """A running cluster, whose administrator impersonates users."""

    kubeconfig: Path
    folder: Path

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return the administrator's kubeconfig with impersonation."""
        document = yaml.safe_load(self.kubeconfig.read_text(encoding="utf-8"))
        for entry in document["users"]:
            entry["user"] |= {"as": user, "as-groups": ["system:authenticated", *groups]}
        descriptor, name = tempfile.mkstemp(suffix=".kubeconfig", dir=self.folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yaml.safe_dump(document, file)
        return Path(name)


@contextmanager
def shared_cluster(folder: Path) -> Iterator[Cluster]:
    """Provide the run's cluster with the product's CRDs, roles and active policies.

    Args:
        folder: A folder that all processes of the run share and no other run does.
    """
    given = os.environ.get(KUBECONFIG_VARIABLE)
    with FileLock(folder / "cluster.lock"):
        cluster = GivenCluster(Path(given), folder) if given else _join(folder) or _found(folder)
        installed = folder / f"installed-{cluster.kubeconfig.parent.name}"
        if not installed.exists():
            install(Kubectl(cluster.kubeconfig), Kubectl(cluster.kubeconfig_for("prober")))
            installed.touch()
    try:
        yield cluster
    finally:
        if isinstance(cluster, KeptCluster):
            _leave(cluster.connection)


def _join(folder: Path) -> KeptCluster | None:
    """Connect to the run's keeper, if one is running."""
    with suppress(OSError, EOFError):
        return _accepted(Client((folder / "cluster.socket").read_text(encoding="utf-8"), family="AF_UNIX"))
    return None


def _found(folder: Path) -> KeptCluster:
    """Start a keeper and connect to it as the first process."""
    # A socket's path has at most about a hundred characters; a folder of pytest's may be longer.
    address = Path(tempfile.mkdtemp(prefix="keeper-")) / "socket"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run(
        [sys.executable, "-m", "support.cluster.keeper", str(address), str(folder / "keeper.log")],
        check=True,
        env=environment,
        timeout=CONNECT_WITHIN,
    )
    cluster = _accepted(_connected(address))
    (folder / "cluster.socket").write_text(str(address), encoding="utf-8")
    return cluster


def _connected(address: Path) -> Connection:
    deadline = time.monotonic() + CONNECT_WITHIN
    while True:
        try:
            return Client(str(address), family="AF_UNIX")
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _accepted(connection: Connection) -> KeptCluster:
    kubeconfig, failure = connection.recv()
    if failure is not None:
        connection.close()
        raise RuntimeError(f"The control plane did not start: {failure}")
    return KeptCluster(connection, Path(kubeconfig))


def _leave(connection: Connection) -> None:
    """Leave the keeper; the last process waits for the end of the control plane, so that it ends within the run."""
    with connection, suppress(EOFError, OSError):
        connection.send(FAREWELL)
        if connection.recv() == 0:
            connection.recv()
