"""The directories of clusters: made private, found by name, cleared up after launchers that died.

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

# Begins with a character no name begins with, so that the two kinds never meet.
ANONYMOUS_PREFIX = "_"

# A directory without a record is one that is just being made, unless it is older than this.
UNRECORDED_GRACE = 60


def named_directory(name: str) -> Path:
    """Return where the cluster of this name lives or would live."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise DevClusterError(
            f"{name!r} cannot name a cluster: use lower-case letters, digits and dashes, at most 63, no dash in front.",
        )
    return clusters_directory() / name


def claim(directory: Path | None) -> Path:
    """Make a cluster's directory, private and marked as this process's own, and return it.

    Args:
        directory: The wanted place, which must not exist or be empty; by default a new one in the cache.
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
    """Remove what launchers left behind that died before they could clear up; their components are gone already."""
    for directory in clusters_directory().iterdir():
        if directory.is_dir() and _abandoned(directory):
            remove(directory)
    cgroups.sweep()


def remove(directory: Path) -> None:
    """Remove a cluster's directory, whoever else may be removing it too."""
    shutil.rmtree(directory, ignore_errors=True)


def _abandoned(directory: Path) -> bool:
    try:
        record = Record.read(directory)
        if record is None:
            return time.time() - directory.stat().st_mtime > UNRECORDED_GRACE
    except (FileNotFoundError, ValueError):
        return False
    # Not `find`: a pid in other hands keeps a directory a while longer, a wrong guess would take it from a live cluster.
    try:
        return psutil.Process(record.owner.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
