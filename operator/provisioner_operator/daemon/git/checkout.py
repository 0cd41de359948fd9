"""Write the files of a commit into a folder, within limits and never outside of it. Used by `fetch_program`.

Folders and files are written first and links last, so that nothing is ever written through a link. Then each link is
resolved, and one that leads out of the folder is removed again. Submodules are not followed.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dulwich.index import validate_path_element_hfs, validate_path_element_ntfs
from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, ShaFile, Tree

from provisioner_operator.daemon.execution.leftovers import explain_leftover, is_leftover
from provisioner_operator.daemon.git.request import WHOLE_REPOSITORY, FetchError, GitRequest

_EXECUTABLE, _ORDINARY = 0o755, 0o644
_Kind = TypeVar("_Kind", Blob, Tree)


@dataclass(slots=True)
class Checkout:
    """One checkout in progress."""

    store: BaseObjectStore
    request: GitRequest
    root: Path
    log: Callable[[str], None]
    """Writes a line to the log."""
    entries: int = 0
    size: int = 0
    """Bytes of all files."""
    _links: list[tuple[Path, bytes]] = field(default_factory=list)

    def write(self, commit: Commit) -> None:
        """Write all files of the commit. Raises FetchError."""
        self.root.mkdir()
        try:
            self._write_files(commit.tree)
            self._write_links()
        except OSError as error:
            name = os.path.relpath(error.filename, self.root) if isinstance(error.filename, str) else "a file"
            raise FetchError(
                f"{name} of {self.request.where} cannot be written on the daemon: {error.strerror}. "
                "Rename it if the name is the cause; otherwise check the daemon's disk."
            ) from None
        self._check_path()

    def _write_files(self, root: ObjectID) -> None:
        # A list instead of recursion: the repository decides how deep its folders go.
        waiting = [(self.root, root)]
        while waiting:
            folder, tree_id = waiting.pop()
            tree = self._object(tree_id, Tree)
            for name, mode, target in tree.items():
                path = self._admit(folder, name)
                if S_ISGITLINK(mode):
                    self.log(f"{self._name(path)} is a submodule: it is left out")
                elif is_leftover(path.name):
                    self.log(explain_leftover(self._name(path)))
                elif stat.S_ISDIR(mode):
                    path.mkdir()
                    waiting.append((path, target))
                elif stat.S_ISLNK(mode):
                    self._links.append((path, self._content(target)))
                else:
                    with path.open("xb") as file:
                        file.write(self._content(target))
                    path.chmod(_EXECUTABLE if mode & stat.S_IXUSR else _ORDINARY)

    def _write_links(self) -> None:
        for path, target in self._links:
            path.symlink_to(os.fsdecode(target))
        links = [path for path, _ in self._links]
        # Again after each removal: the target of a link may depend on other links.
        while leaving := [path for path in links if not self._is_inside(path)]:
            for path in leaving:
                self.log(f"{self._name(path)} is a symbolic link that leads out of the repository: it is left out")
                path.unlink()
                links.remove(path)

    def _admit(self, folder: Path, name: bytes) -> Path:
        """Count the entry and return its path; raises FetchError if its name is special to a file system or to git."""
        self.entries += 1
        if self.entries > self.request.limits.files:
            raise self._too_large(f"{self.request.limits.files:,} files and folders")
        if b"/" in name or not validate_path_element_ntfs(name) or not validate_path_element_hfs(name):
            raise FetchError(
                f"{self.request.where} holds an entry named {name.decode(errors='replace')!r}, which git forbids. "
                "Remove it (`git fsck` shows it)."
            )
        return folder / os.fsdecode(name)

    def _content(self, target: ObjectID) -> bytes:
        content = self._object(target, Blob).as_raw_string()
        self.size += len(content)
        if self.size > self.request.limits.file_bytes:
            raise self._too_large(f"{self.request.limits.file_bytes:,} bytes")
        return content

    def _object(self, target: ObjectID, kind: type[_Kind]) -> _Kind:
        try:
            found: ShaFile | None = self.store[target]
        except KeyError:
            found = None
        if not isinstance(found, kind):
            raise FetchError(
                f"{self.request.where} is corrupt: object {target.decode()} is missing or of the wrong kind. "
                "Check the repository with `git fsck`."
            )
        return found

    def _check_path(self) -> None:
        if self.request.path == WHOLE_REPOSITORY:
            return
        folder = self.root / self.request.path
        if not folder.is_dir() or not self._is_inside(folder):
            found = "is not a folder" if folder.exists() else "does not exist"
            raise FetchError(f"{self.request.path} {found} in {self.request.where}. Correct spec.source.git.path.")

    def _is_inside(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))

    def _name(self, path: Path) -> str:
        return os.fsencode(path.relative_to(self.root)).decode(errors="replace")

    def _too_large(self, limit: str) -> FetchError:
        return FetchError(
            f"The checkout of {self.request.where} is too large: more than {limit}. "
            "Move its Terraform files into a repository of their own."
        )
