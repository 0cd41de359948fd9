"""Columns of the comparison of daemons with a job's demand. Pure."""

from collections.abc import Sequence

from provisioner_operator.cli.output.table import ALWAYS, Cell, Column
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.views.fit import Fit


def columns() -> list[Column[Fit]]:
    """Return all columns in their order."""
    return [
        Column("Daemon", lambda fit: fit.daemon, ALWAYS),
        Column("Matches", lambda fit: Cell("yes", "green") if fit.matches else Cell("no", "red"), 90),
        Column("State", lambda fit: Cell(fit.state, "green" if fit.state == "free" else "yellow"), 80),
        Column("Lacks", lambda fit: Cell(", ".join(fit.lacks), "red"), 70),
        Column("Has too many", lambda fit: Cell(", ".join(fit.has_too_many), "red"), 60),
        Column("Last seen", lambda fit: "never" if fit.last_seen is None else f"{duration(fit.last_seen)} ago", 30),
    ]


def columns_in_use(rows: Sequence[Fit]) -> list[Column[Fit]]:
    """Return the columns without those of mismatches that no daemon has."""
    unused = {"Lacks": not any(fit.lacks for fit in rows), "Has too many": not any(fit.has_too_many for fit in rows)}
    return [column for column in columns() if not unused.get(column.title)]
