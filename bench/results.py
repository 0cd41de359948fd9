"""Measured results: one row for each measure and subject, with the value of every round."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.statistics import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(slots=True)
class Row:
    """One measure of one subject."""

    scenario: str
    measure: str
    subject: str
    unit: str
    values: list[float] = field(default_factory=list)
    """One value per round, in order."""

    @property
    def spread(self) -> Spread:
        """Median and spread of the rounds."""
        return Spread.of(self.values)

    @property
    def command(self) -> str:
        """Command that repeats the measurement."""
        return f"make bench ARGS='--only {self.scenario}'"


class Results:
    """Rows by measure and subject, in the order of their first values."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def add(self, scenario: str, measure: str, subject: str, value: float, unit: str) -> None:
        """Add the value of one more round."""
        row = self._rows.setdefault((measure, subject), Row(scenario, measure, subject, unit))
        row.values.append(value)

    def row(self, measure: str, subject: str) -> Row | None:
        """Return the row, if it was measured."""
        return self._rows.get((measure, subject))

    def value(self, measure: str, subject: str) -> float | None:
        """Return the median of the rounds, if it was measured."""
        row = self.row(measure, subject)
        return None if row is None else row.spread.median

    def median(self, measure: str, subject: str) -> float:
        """Return the median of the rounds of a measured row."""
        return self._rows[measure, subject].spread.median

    def ratio(self, measure: str, subject: str, other_measure: str, other: str) -> float | None:
        """Return the median of the ratios of two rows, round by round."""
        row, against = self.row(measure, subject), self.row(other_measure, other)
        if row is None or against is None:
            return None
        return median(mine / theirs for mine, theirs in zip(row.values, against.values, strict=False))

    def margin(self, measure: str, subject: str, others: Sequence[str]) -> float | None:
        """Return the median of the ratios to the lowest of the others in each round; None unless all were measured."""
        row, against = self.row(measure, subject), [self.row(measure, other) for other in others]
        measured = [each.values for each in against if each is not None]
        if row is None or len(measured) < len(others):
            return None
        lowest: list[float] = [min(values) for values in zip(*measured, strict=False)]
        return median(mine / theirs for mine, theirs in zip(row.values, lowest, strict=False))

    def document(self) -> list[dict[str, Any]]:
        """Return the rows as data for a JSON file."""
        return [
            {
                "scenario": row.scenario,
                "measure": row.measure,
                "subject": row.subject,
                "unit": row.unit,
                "median": row.spread.median,
                "lowest": row.spread.lowest,
                "highest": row.spread.highest,
                "values": row.values,
                "command": row.command,
            }
            for row in self
        ]
