"""Locations of the cache of built tools, the directories of running clusters, and the modules inside this package.

Called by all modules that store files, so that one environment variable moves all of them. Knows nothing of the contents.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "PROVISIONER_DEVCLUSTER_CACHE"

# Only the owner may read a cluster's keys and data.
PRIVATE = 0o700

MODULES = Path(__file__).parent / "modules"


def cache_directory() -> Path:
    """Return the directory for files that are kept between clusters."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("provisioner-operator")


def clusters_directory() -> Path:
    """Return the directory with one subdirectory per running cluster; create it for the owner only."""
    directory = cache_directory() / "clusters"
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(PRIVATE)
    return directory
