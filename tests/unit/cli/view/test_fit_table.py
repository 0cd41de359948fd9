"""Columns of the comparison of daemons with a demand."""

from provisioner_operator.cli.view.fit_table import columns, columns_in_use
from provisioner_operator.core.views.fit import Fit

MATCHING = Fit("d1", matches=True, state="free", lacks=(), has_too_many=(), last_seen=None)
LACKING = Fit("d2", matches=False, state="busy 1/1", lacks=("a=1", "b=2"), has_too_many=(), last_seen=65)


def titles(*rows: Fit) -> list[str]:
    return [column.title for column in columns_in_use(rows)]


def test_mismatches_that_no_daemon_has_take_no_column() -> None:
    assert titles(MATCHING) == ["Daemon", "Matches", "State", "Last seen"]
    assert titles(MATCHING, LACKING) == ["Daemon", "Matches", "State", "Lacks", "Last seen"]


def test_a_daemon_is_shown_with_what_it_lacks() -> None:
    found = [column.value(LACKING) for column in columns()]
    assert [value if isinstance(value, str) else value.text if value else "" for value in found] == [
        "d2",
        "no",
        "busy 1/1",
        "a=1, b=2",
        "",
        "1m5s ago",
    ]
