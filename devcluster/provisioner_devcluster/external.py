"""A cluster that is somebody else's: used because a kubeconfig for it was named, never started and never stopped.

Called by the command line. Only what was named counts: neither `KUBECONFIG` nor the user's current context is ever read.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from provisioner_devcluster.build.tools import find_kubectl
from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from pathlib import Path

KUBECONFIG_VARIABLE = "PROVISIONER_DEVCLUSTER_KUBECONFIG"

ANSWER_TIMEOUT = 10


def server_version(kubeconfig: Path) -> str:
    """Return the version that a kubeconfig's cluster answers with, or raise an error that says why it does not."""
    command = [str(find_kubectl()), f"--kubeconfig={kubeconfig}", f"--request-timeout={ANSWER_TIMEOUT}s", "version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevClusterError(
            f"The cluster of {kubeconfig} does not answer: {done.stderr.strip()}\n"
            "Correct the file, or leave --kubeconfig away to start a cluster here.",
        )
    lines = (line for line in done.stdout.splitlines() if line.startswith("Server Version:"))
    return next(lines, "Server Version: unknown").removeprefix("Server Version: ")
