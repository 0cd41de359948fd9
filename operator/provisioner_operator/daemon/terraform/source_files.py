"""Write the files of a source that is not fetched from git. Used by `provisioner`."""

from collections.abc import Mapping
from pathlib import Path

from provisioner_operator.daemon.execution.leftovers import is_leftover


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, by their paths, except for leftovers of other runs. Raises OSError."""
    for name, content in files.items():
        if not is_leftover(name):
            _write_file(folder / name, content)


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    # Neither a ConfigMap nor an inline file has a mode; templates run such files (`local-exec`, `external`).
    if content.startswith(b"#!"):
        path.chmod(path.stat().st_mode | 0o111)
