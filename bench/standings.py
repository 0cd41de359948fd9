"""The subjects side by side: for each measure that several have, the value of each and who leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan import AGAINST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.results import Results, Row

RATE = "1/s"
"""Unit of measures of which more is better; of all others, less is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One measure."""

    measure: str
    unit: str
    values: Mapping[str, float]
    """Medians by subject, in the order of their measurement."""

    @property
    def leader(self) -> str:
        """The subject with the best median; of equal ones the first."""
        best = max if self.unit == RATE else min
        return best(self.values, key=lambda subject: self.values[subject])


def standings(results: Results) -> Iterator[Standing]:
    """Yield a standing for each measure of two controllers or more; another version of the product is not one."""
    by_measure: dict[str, list[Row]] = {}
    for row in results:
        if row.subject != AGAINST:
            by_measure.setdefault(row.measure, []).append(row)
    for measure, rows in by_measure.items():
        if len(rows) > 1:
            yield Standing(measure, rows[0].unit, {row.subject: row.spread.median for row in rows})


def subjects(table: list[Standing]) -> list[str]:
    """Return all subjects of a table, in the order of their first value."""
    return list(dict.fromkeys(subject for standing in table for subject in standing.values))
