"""Archives whose bytes depend on nothing but their contents: sorted, one time, no owner, only two modes."""

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_FILE, _PROGRAM = 0o644, 0o755
_EXECUTABLE = 0o100
_COMPRESSION = 9


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive."""

    data: bytes
    is_program: bool = False


def files_below(folder: Path, prefix: str) -> dict[str, Entry]:
    """Return the files of a folder and its subfolders, each by its path below `prefix`."""
    return {
        f"{prefix}/{path.relative_to(folder).as_posix()}": Entry(
            path.read_bytes(), is_program=bool(path.stat().st_mode & _EXECUTABLE)
        )
        for path in _files(folder)
    }


def packed(entries: Mapping[str, Entry], epoch: int) -> bytes:
    """Return a `.tar.gz` with these files, all of them with this time, in seconds since 1970."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, entry in sorted(entries.items()):
            info = tarfile.TarInfo(name)
            info.size = len(entry.data)
            info.mode = _PROGRAM if entry.is_program else _FILE
            info.mtime = epoch
            archive.addfile(info, io.BytesIO(entry.data))
    return gzip.compress(content.getvalue(), _COMPRESSION, mtime=epoch)


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
