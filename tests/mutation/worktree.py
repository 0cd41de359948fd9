"""Copies of the work tree, the only thing that is ever mutated."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mutation.mutants import Mutant

REPOSITORY = Path(__file__).parents[2]
PACKAGE = Path("operator") / "provisioner_operator"


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy, in a scratch folder to which alone mutated code may write."""

    scratch: Path

    @property
    def root(self) -> Path:
        """The copied tree."""
        return self.scratch / "tree"

    @property
    def package(self) -> Path:
        """The product's code in it."""
        return self.root / PACKAGE

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Apply the mutant for the time of the block, and leave no trace of it or of its tests."""
        file = self.package / mutant.path
        source = file.read_bytes()
        _replace(file, mutant.apply(source))
        try:
            yield
        finally:
            _replace(file, source)
            shutil.rmtree(self.root / ".hypothesis", ignore_errors=True)


def _replace(file: Path, source: bytes) -> None:
    """Write a module, and remove its compiled form, which would be valid for one of the same size and second."""
    file.write_bytes(source)
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def copy_tree(scratch: Path) -> Copy:
    """Copy what git tracks or would track, and the compiled modules, which are valid for files with the same times."""
    copy = Copy(scratch)
    (scratch / "tmp").mkdir(parents=True)
    names = tracked()
    for name in names:
        target = copy.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target, follow_symlinks=False)
    for folder in {(REPOSITORY / name).parent / "__pycache__" for name in names if name.endswith(".py")}:
        if folder.is_dir():
            shutil.copytree(folder, copy.root / folder.relative_to(REPOSITORY))
    return copy


def duplicate(copy: Copy, scratch: Path) -> Copy:
    """Make another copy of a copy, with its compiled modules."""
    (scratch / "tmp").mkdir(parents=True)
    shutil.copytree(copy.root, scratch / "tree", symlinks=True)
    return Copy(scratch)


def tracked() -> list[str]:
    """Names of the files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True).stdout.decode()
    return sorted({name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()})
