"""Tables: whole in a pipe, fitting on a terminal."""

import pytest
from rich.cells import cell_len

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output.table import ALWAYS, Column, chosen, lines, safe

COLUMNS = [
    Column[dict[str, str]]("Name", lambda row: row["name"], ALWAYS),
    Column[dict[str, str]]("Tags", lambda row: row.get("tags"), 50),
    Column[dict[str, str]]("Age", lambda row: row.get("age"), 20),
    Column[dict[str, str]]("Message", lambda row: row.get("message"), 10, wide=True),
]
ROWS = [
    {"name": "dev-7", "tags": "environment=on-prem,datacenter=chicago", "age": "5m"},
    {"name": "数据库-worker", "tags": "", "age": "12h"},
]


def texts(width: int | None, rows: list[dict[str, str]] = ROWS) -> list[str]:
    return [line.plain for line in lines(COLUMNS[:3], rows, width=width)]


def test_nothing_is_cut_where_there_is_no_terminal() -> None:
    assert texts(None) == [
        "NAME           TAGS                                    AGE",
        "dev-7          environment=on-prem,datacenter=chicago  5m",
        "数据库-worker                                          12h",
    ]


@pytest.mark.parametrize("width", range(26, 80))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(cell_len(line) for line in texts(width)) <= width


def test_the_least_important_column_goes_first() -> None:
    assert texts(27)[0].split() == ["NAME", "TAGS"]


def test_a_name_is_the_last_to_be_cut() -> None:
    long = [{"name": "a" * 63}]
    assert texts(30, long)[1] == "a" * 29 + "…"
    assert texts(52, long)[0].split() == ["NAME", "TAGS", "AGE"]
    assert texts(52, long)[1].startswith("a" * 39)


def test_a_column_without_text_goes_before_any_other() -> None:
    assert texts(15, [{"name": "dev-7", "age": "5m"}])[0].split() == ["NAME", "AGE"]


def test_wide_characters_count_as_two_cells() -> None:
    rows = [{"name": "数" * 20, "tags": "x"}]
    assert all(cell_len(line) <= 30 for line in texts(30, rows))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\N{REPLACEMENT CHARACTER}[31mb"),
        ("a\nb\tc", "a b c"),
        ("a\u202eb", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_a_text_cannot_move_the_cursor_or_turn_the_line_round(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_columns_are_chosen_by_name_in_any_spelling() -> None:
    assert [column.title for column in chosen(COLUMNS, ["age,MESSAGE", "name"], wide=False)] == [
        "Age",
        "Message",
        "Name",
    ]
    assert [column.title for column in chosen(COLUMNS, [], wide=False)] == ["Name", "Tags", "Age"]
    assert len(chosen(COLUMNS, [], wide=True)) == 4


def test_an_unknown_column_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no column 'size'\. Columns: name, tags, age, message"):
        chosen(COLUMNS, ["size"], wide=False)
