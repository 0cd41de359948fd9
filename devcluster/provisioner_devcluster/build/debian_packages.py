"""Programs from Debian packages, each unpacked into its own directory in the cache: nothing is installed.

Called by the tool lookups when the PATH has no suitable program. Needs apt-get and dpkg, but no privileges. Knows nothing of
the programs' purpose.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.progress import Progress, say

# A package of 40 MB on a slow line.
FETCH_TIMEOUT = 900


def unpack(package: str, program: str) -> Path:
    """Fetch and unpack a package, unless that was done before, and return the path of its program.

    Args:
        package: The package's name, of the distribution that this machine runs.
        program: The program's path inside the package.
    """
    target = cache_directory() / "packages" / f"debian-{package}"
    if not (target / program).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not (target / program).exists():
                _fetch(package, target, program)
    return target / program


def _fetch(package: str, target: Path, program: str) -> None:
    for needed in ("apt-get", "dpkg"):
        if shutil.which(needed) is None:
            raise DevClusterError(f"This machine has neither {Path(program).name} nor {needed}, which would fetch it.")
    progress = Progress(f"fetching {package}")
    say(f"fetching the Debian package {package} (once; kept in {target})")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        failure = _run(scratch, "apt-get", "download", package)
        if failure is not None and os.geteuid() == 0:
            # A fresh machine usually has outdated package lists, or none.
            failure = _run(scratch, "apt-get", "update") or _run(scratch, "apt-get", "download", package)
        archive = next(Path(scratch).glob("*.deb"), None)
        staged = Path(scratch) / "package"
        if failure is None and archive is not None:
            failure = _run(scratch, "dpkg", "-x", str(archive), str(staged))
        if not (staged / program).exists():
            raise DevClusterError(
                f"Could not fetch {program} of the Debian package {package}: {failure or 'it is not in there'}\n"
                f"Put {Path(program).name} on the PATH instead."
            )
        if target.exists():
            shutil.rmtree(target)
        staged.rename(target)
    progress.done(f"unpacked to {target}")


def _run(folder: str, *command: str) -> str | None:
    """Run a command in the folder and return its error message, or None if it succeeded."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT, env=_environment()
        )
    except subprocess.TimeoutExpired as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip() or "no message")


def _environment() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
