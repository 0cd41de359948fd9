"""Find a Chromium for the browser tests, best its headless shell; where that is possible, install Debian's.

The shell has the same engine without a browser's windows, profiles and services: a page costs it a fifth of the CPU.

Playwright drives whatever is found here: it downloads no browser of its own.
"""

import os
import shutil
from pathlib import Path

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.debian import Program, install_missing

ENVIRONMENT_VARIABLE = "PROVISIONER_BROWSER"
"""Path of the browser to use; the others are looked for if it is not set."""
_SHELL = "chromium-headless-shell"
_NAMES = (_SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MACOS = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
_FLAGS = (
    *("--disable-background-networking", "--disable-quic", "--disable-component-update", "--disable-sync"),
    "--disable-gpu",  # or it emulates one, which costs more than to draw without
)


class NoBrowserError(Exception):
    """There is no Chromium on this machine, and none can be installed."""


def find_chromium() -> Path:
    """Return the path of a Chromium, installed with apt-get if need be. Raises NoBrowserError."""
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        if not Path(named).exists():
            raise NoBrowserError(f"{ENVIRONMENT_VARIABLE} names {named}, which does not exist.")
        return Path(named)
    if (found := _installed()) is not None:
        return found
    shell = Program(_SHELL, _SHELL)
    try:
        install_missing((shell,))
    except DevClusterError as error:
        raise NoBrowserError(f"{error} Or name a Chromium with {ENVIRONMENT_VARIABLE}.") from error
    found = shell.find()
    if found is None:
        raise NoBrowserError(f"apt-get installed the package {_SHELL}, which has no program of that name.")
    return found


def flags() -> list[str]:
    """Return the flags that keep it quiet; the sandbox of Chromium refuses to work for root."""
    return [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def _installed() -> Path | None:
    on_path = (shutil.which(name) for name in _NAMES)
    applications = (Path(root) / each for root in ("/Applications", Path.home() / "Applications") for each in _MACOS)
    return next((Path(each) for each in (*on_path, *applications) if each and Path(each).exists()), None)
