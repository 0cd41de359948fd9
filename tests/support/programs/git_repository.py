"""Bare git repositories with given files, symbolic links and submodules."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

EPOCH = 1_767_225_600
PERSON = b"A Person <person@example.com>"
GITLINK = 0o160000


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a repository."""

    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    """An entry that names a commit of another repository."""

    commit: str = "a" * 40


Entry = str | bytes | Link | Submodule
Folder = Mapping[str, "Entry | Folder"]


class Repository:
    """A bare repository in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        Repo.init_bare(str(path), mkdir=True).close()

    def commit(self, files: Folder, branch: str = "main") -> str:
        """Commit exactly these files on top of a branch and return the commit's id."""
        ref = Ref(f"refs/heads/{branch}".encode())
        with Repo(str(self.path)) as repo:
            parent = repo.get_refs().get(ref)
            commit = Commit()
            commit.tree = _write(repo, files, {})
            commit.parents = [] if parent is None else [parent]
            commit.author = commit.committer = PERSON
            commit.author_time = commit.commit_time = EPOCH
            commit.author_timezone = commit.commit_timezone = 0
            commit.message = b"A change"
            repo.object_store.add_object(commit)
            repo.refs[ref] = commit.id
            repo.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/main"))
        return commit.id.decode()

    def tag(self, name: str, commit: str) -> None:
        """Create an annotated tag."""
        tag = Tag()
        tag.object = (Commit, ObjectID(commit.encode()))
        tag.name = name.encode()
        tag.tagger, tag.tag_time, tag.tag_timezone, tag.message = PERSON, EPOCH, 0, b"A release"
        with Repo(str(self.path)) as repo:
            repo.object_store.add_object(tag)
            repo.refs[Ref(f"refs/tags/{name}".encode())] = tag.id

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; its commits stay."""
        with Repo(str(self.path)) as repo:
            del repo.refs[Ref(f"refs/heads/{branch}".encode())]


def _write(repo: Repo, files: Folder, written: dict[int, ObjectID]) -> ObjectID:
    """Write a folder; one that occurs several times is written once."""
    if id(files) in written:
        return written[id(files)]
    tree = Tree()
    for name, entry in files.items():
        match entry:
            case Submodule():
                mode, target = GITLINK, ObjectID(entry.commit.encode())
            case Link():
                mode, target = stat.S_IFLNK, _blob(repo, entry.target.encode())
            case str() | bytes():
                mode, target = 0o100644, _blob(repo, entry.encode() if isinstance(entry, str) else entry)
            case _:
                mode, target = stat.S_IFDIR, _write(repo, entry, written)
        tree.add(name.encode(), mode, target)
    repo.object_store.add_object(tree)
    return written.setdefault(id(files), tree.id)


def _blob(repo: Repo, content: bytes) -> ObjectID:
    blob = Blob.from_string(content)
    repo.object_store.add_object(blob)
    return blob.id
