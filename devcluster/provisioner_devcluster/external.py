"""An existing cluster, named by a kubeconfig: it is used, but never started or stopped.

Called by the command line. Only the named file is read, never `KUBECONFIG` or the user's default configuration.
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
    """Return the version of a kubeconfig's cluster, or raise an error if it does not answer."""
    command = [str(find_kubectl()), f"--kubeconfig={kubeconfig}", f"--request-timeout={ANSWER_TIMEOUT}s", "version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevClusterError(
            f"The cluster of {kubeconfig} does not answer: {done.stderr.strip()}\n"
            "Correct the file, or omit --kubeconfig to start a cluster here.",
        )
    lines = (line for line in done.stdout.splitlines() if line.startswith("Server Version:"))
    return next(lines, "Server Version: unknown").removeprefix("Server Version: ")
