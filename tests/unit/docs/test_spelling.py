"""American spelling, the same everywhere: canceled, canceling, canceler."""

import re
from collections.abc import Iterator
from pathlib import Path

from support.manifests import REPOSITORY

_BRITISH = re.compile(r"cancell(ed|ing|er)", re.IGNORECASE)
_OF_OTHERS = re.compile(r"CancelledError|is_cancelled|\.cancelled\(\)|_OTHER_SPELLINGS|stamp-canceller")
"""Names of Python and of libraries, the spellings that `jobs list` understands, and a former policy."""


def _texts() -> Iterator[Path]:
    for folder in ("docs", "manifests", "crds", "operator", "demo"):
        for suffix in ("md", "yaml", "py"):
            yield from (REPOSITORY / folder).rglob(f"*.{suffix}")
    yield from REPOSITORY.glob("*.md")


def test_canceled_has_one_spelling() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {line.strip()}"
        for path in _texts()
        for line in path.read_text(encoding="utf-8").splitlines()
        if _BRITISH.search(line) and not _OF_OTHERS.search(line)
    ]

    assert found == []
