"""American spelling, the same everywhere: canceled, labeled, behavior."""

import re
from collections.abc import Iterator
from pathlib import Path

from support.manifests import REPOSITORY
from support.stored_objects.snapshot import SNAPSHOTS

_BRITISH = (
    *("cancelled", "cancelling", "canceller", "labelled", "labelling", "modelled", "modelling"),
    *("acknowledgement", "judgement", "artefact", "licence", "defence"),
    *("behaviour", "colour", "favour", "honour", "neighbour"),
    *("organis", "recognis", "initialis", "serialis", "normalis", "synchronis"),
)
_OF_OTHERS = re.compile(
    r"CancelledError|is_cancelled|\.cancelled\(\)|_OTHER_SPELLINGS|parse_statuses|stamp-canceller|labelledby|TaskRunCancelled"
)
"""Names of Python and of libraries, the spellings that `jobs list` understands, a reason of Tekton, and a former policy."""
_FOLDERS = (
    "docs",
    "manifests",
    "crds",
    "operator",
    "demo",
    "bench",
    "monitoring",
    "devcluster",
    "packaging",
    "release",
    "tests",
)
_SUFFIXES = {".md", ".yaml", ".py", ".html", ".js", ".css"}


def _texts() -> Iterator[Path]:
    for folder in _FOLDERS:
        found = (each for each in (REPOSITORY / folder).rglob("*") if each.suffix in _SUFFIXES)
        yield from (each for each in found if not each.is_relative_to(SNAPSHOTS))  # which never change
    yield from REPOSITORY.glob("*.md")


def _is_british(text: str) -> bool:
    return any(word in text.lower() for word in _BRITISH)


def test_a_word_has_one_spelling() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {line.strip()}"
        for path in _texts()
        if path != Path(__file__) and _is_british(text := path.read_text(encoding="utf-8"))
        for line in text.splitlines()
        if _is_british(line) and not _OF_OTHERS.search(line)
    ]

    assert found == []
