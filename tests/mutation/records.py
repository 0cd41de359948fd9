"""The kept record of each file of tests, valid as long as the files that it depends on are the same.

These are the file itself, the tests' support code, and the product's files that it runs. A change of a few files therefore
costs the record of a few files of tests, and a run that was stopped goes on where it was.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mutation.record import Record
from mutation.worktree import PACKAGE, Copy

_SUPPORT = ("pyproject.toml", "requirements", "devcluster", "tests")
_NO_SUPPORT = frozenset({"integration", "e2e", "model", "mutation"})
"""Folders of tests that judge no mutant."""


@dataclass(frozen=True)
class Records:
    """One JSON file for each file of tests of a copy."""

    folder: Path
    copy: Copy

    def missing(self, files: Iterable[str]) -> list[str]:
        """The files of tests without a valid record."""
        return [file for file in files if not self._is_valid(file)]

    def add(self, files: Iterable[str], recorded: Path) -> None:
        """Keep the recorder's result about some files of tests."""
        parts: dict[str, dict[str, Any]] = json.loads(recorded.read_text(encoding="utf-8"))
        for file in files:
            part = parts.get(file, {"tests": {}, "lines": {}})
            target = self._target(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps({**part, "digests": self._digests(file, part["lines"])}), encoding="utf-8")

    def load(self, files: Iterable[str]) -> Record:
        """Join the records of these files of tests."""
        return Record.joined(json.loads(self._target(file).read_text(encoding="utf-8")) for file in files)

    def _is_valid(self, file: str) -> bool:
        target = self._target(file)
        if not target.exists():
            return False
        part = json.loads(target.read_text(encoding="utf-8"))
        return bool(part["digests"] == self._digests(file, part["lines"]))

    def _digests(self, file: str, run: Iterable[str]) -> dict[str, str]:
        return {
            "": self._support,
            **{path: self._digest(path) for path in (file, *(f"{PACKAGE}/{each}" for each in run))},
        }

    def _target(self, file: str) -> Path:
        return self.folder / f"{file}.json"

    def _digest(self, path: str) -> str:
        file = self.copy.root / path
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""

    @cached_property
    def _support(self) -> str:
        value = hashlib.sha256()
        for top in _SUPPORT:
            root = self.copy.root / top
            for file in sorted([root, *root.rglob("*")]):
                name = file.relative_to(self.copy.root)
                if file.is_file() and file.suffix in {".py", ".toml", ".txt"} and _is_support(name):
                    value.update(f"{name}\0".encode() + file.read_bytes())
        return value.hexdigest()[:16]


def _is_support(file: Path) -> bool:
    if file.name.startswith("test_"):
        return False
    return file.parts[:2] not in {("tests", folder) for folder in _NO_SUPPORT}
