"""The folder of the programs that this process starts: their logs, and what they leave behind when they are killed."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path


@functools.cache
def session_folder() -> Path:
    """Return the folder, which is removed when this process ends.

    Its path is short, unlike those of pytest: a socket's has at most about a hundred characters.
    """
    folder = Path(tempfile.mkdtemp(prefix="programs-"))
    # What a killed program started may still be ending.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
