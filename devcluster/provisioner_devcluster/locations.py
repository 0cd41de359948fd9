"""Where things lie: the cache of built tools, the directories of running clusters, the modules inside this package.

Everybody asks here, so that one environment variable moves all of it. Knows no contents.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "PROVISIONER_DEVCLUSTER_CACHE"

# Keys and data of a cluster are its owner's alone.
PRIVATE = 0o700

MODULES = Path(__file__).parent / "modules"


def cache_directory() -> Path:
    """Return the directory of everything that is worth keeping between clusters."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("provisioner-operator")


def clusters_directory() -> Path:
    """Return the directory with one subdirectory per running cluster, created private to its owner."""
    directory = cache_directory() / "clusters"
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(PRIVATE)
    return directory
