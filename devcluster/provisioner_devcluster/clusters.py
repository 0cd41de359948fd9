"""Directories of clusters: creation, lookup by name, and cleanup after dead launchers.

Called by the control plane for its own directory and by the command line for those of named clusters.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import clusters_directory
from provisioner_devcluster.process import cgroups
from provisioner_devcluster.process.process import Identity
from provisioner_devcluster.process.record import Record

DEFAULT_NAME = "default"

# Begins with a character that no name begins with, so that the two kinds never collide.
ANONYMOUS_PREFIX = "_"

# A directory without a record is being created, unless it is older than this.
UNRECORDED_GRACE = 60


def named_directory(name: str) -> Path:
    """Return the directory of the cluster of this name, whether it exists or not."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise DevClusterError(
            f"{name!r} is not a valid cluster name: use at most 63 lower-case letters, digits and dashes, and no leading dash.",
        )
    return clusters_directory() / name


def claim(directory: Path | None) -> Path:
    """Create a private directory for a cluster, recorded as this process's own, and return it.

    Args:
        directory: An empty or nonexistent directory; by default a new one in the cache.
    """
    if directory is None:
        sweep()
        directory = Path(tempfile.mkdtemp(prefix=ANONYMOUS_PREFIX, dir=clusters_directory()))
    else:
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise DevClusterError(f"{directory} is not empty. Name a new directory for the cluster's data.")
        directory.chmod(0o700)
    Record(owner=Identity.of(os.getpid())).write(directory)
    return directory


def sweep() -> None:
    """Remove the directories of launchers that died before their cleanup; their components have already ended."""
    for directory in clusters_directory().iterdir():
        if directory.is_dir() and _abandoned(directory):
            remove(directory)
    cgroups.sweep()


def remove(directory: Path) -> None:
    """Remove a cluster's directory, even while another process removes it."""
    shutil.rmtree(directory, ignore_errors=True)


def _abandoned(directory: Path) -> bool:
    try:
        record = Record.read(directory)
        if record is None:
            return time.time() - directory.stat().st_mtime > UNRECORDED_GRACE
    except (FileNotFoundError, ValueError):
        return False
    # Not `find`: keeping the directory for a reused pid is harmless, but removing that of a running cluster is not.
    try:
        return psutil.Process(record.owner.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
