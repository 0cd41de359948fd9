"""The architecture page names files that exist and transitions that the code allows."""

import re
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import TRANSITIONS
from support.manifests import REPOSITORY

PACKAGE = REPOSITORY / "operator" / "provisioner_operator"
ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
PAGES = [ARCHITECTURE, REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
ROOTS = [REPOSITORY, PACKAGE]
"""Pages name files relative to the repository or to the package."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_python_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`([\w./-]+/[\w-]+\.py)`", page.read_text(encoding="utf-8"))

    assert [path for path in named if not any((root / path).is_file() for root in ROOTS)] == []


def test_the_table_of_rules_names_only_files_and_folders_that_exist() -> None:
    rules = ARCHITECTURE.read_text(encoding="utf-8").partition("## Where each rule")[2].partition("\n## ")[0]
    rows = [line for line in rules.splitlines() if re.match(r"\| .+ \| .*`", line)]
    named = [path for row in rows for path in re.findall(r"`([\w./-]+/[\w.-]*)`", row.split("|")[2])]

    assert len(rows) > 30
    assert [path for path in named if not any((root / path).exists() for root in ROOTS)] == []


def test_the_table_of_transitions_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| ([\w, ]+) \| ([\w, :]+) \|$", ARCHITECTURE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    phases = {phase.value for phase in Phase}
    table = {
        Phase(current): frozenset(Phase(each) for each in following.split(", ") if each in phases)
        for currents, following in rows
        if set(currents.split(", ")) <= phases
        for current in currents.split(", ")
    }

    assert table == dict(TRANSITIONS)
