"""Prometheus and promtool for tests: from the machine or Debian's package; a machine that can have neither skips, loudly."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner_devcluster.build.tools import find_prometheus, find_promtool
from provisioner_devcluster.errors import DevClusterError

_TIMEOUT = 300
"""Seconds for a check: it takes seconds, and many times that on a machine that is busy with a build."""


def need_promtool() -> Path:
    """Return the path of promtool; skip the test without it, and fail it in CI."""
    return _need(find_promtool)


def need_prometheus() -> Path:
    """Return the path of Prometheus; skip the test without it, and fail it in CI."""
    return _need(find_prometheus)


def check(promtool: Path, *arguments: str, given: str = "") -> tuple[int, str]:
    """Run promtool with this standard input, and return its exit code and all that it prints."""
    done = subprocess.run(
        [promtool, *arguments],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    return done.returncode, done.stdout


def _need(find: Callable[[], Path]) -> Path:
    try:
        return find()
    except DevClusterError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI tests the rules with Prometheus itself. {error}")
        pytest.skip(f"Prometheus is not to be had: {error}")
