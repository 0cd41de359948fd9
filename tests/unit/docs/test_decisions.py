"""Decision records share one form, and their index agrees with them."""

import re
from datetime import date
from pathlib import Path

import pytest

from support.manifests import REPOSITORY

FOLDER = REPOSITORY / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Alternatives considered", "Consequences"]
LONGEST = 50
"""Lines of a record: half a page and a table."""

HEAD = re.compile(
    r"# (?P<number>\d{4}): (?P<title>[^\n]+)\n\n"
    r"- Status: (?P<status>Accepted|Superseded by \[(?P<successor>\d{4})\]\((?P<file>[^)]+)\))\n"
    r"- Date: (?P<date>\d{4}-\d{2}-\d{2})\n\n## "
)

each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)


def head(record: Path) -> re.Match[str]:
    match = HEAD.match(record.read_text(encoding="utf-8"))
    assert match is not None, f"{record.name} does not begin with title, status and date"
    return match


@each_record
def test_a_record_begins_with_its_number_title_status_and_date(record: Path) -> None:
    found = head(record)

    assert record.name.startswith(f"{found['number']}-")
    date.fromisoformat(found["date"])


@each_record
def test_a_record_has_the_four_sections_and_none_is_empty(record: Path) -> None:
    _, *sections = re.split(r"^## ", record.read_text(encoding="utf-8"), flags=re.MULTILINE)
    titles_and_texts = [section.partition("\n")[::2] for section in sections]

    assert [title for title, _ in titles_and_texts] == SECTIONS
    assert [title for title, text in titles_and_texts if not text.strip()] == []


@each_record
def test_a_record_is_short(record: Path) -> None:
    assert len(record.read_text(encoding="utf-8").splitlines()) <= LONGEST


@each_record
def test_a_superseded_record_links_to_a_later_one(record: Path) -> None:
    found = head(record)

    if found["successor"] is not None:
        assert found["successor"] > found["number"]
        assert found["file"].startswith(f"{found['successor']}-")
        assert (FOLDER / found["file"]).is_file()


def test_no_two_records_have_the_same_number() -> None:
    numbers = [record.name[:4] for record in RECORDS]

    assert sorted(set(numbers)) == numbers


def test_the_index_lists_each_record_as_it_is() -> None:
    heads = [(record, head(record)) for record in RECORDS]
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{4}) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", index, flags=re.MULTILINE)

    assert [tuple(row[:4]) for row in rows] == [
        (found["number"], f"[{found['title']}]({record.name})", found["status"], found["date"])
        for record, found in heads
    ]
