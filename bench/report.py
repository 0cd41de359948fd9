"""Results as a table on the terminal, a JSON file, and the tables of docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bench.standings import standings, subjects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.bars import Bar
    from bench.results import Results, Row
    from bench.standings import Standing

_WORDS = {True: "met", False: "**not met**", None: "not measured"}
_VERDICT = {True: "[green]met[/green]", False: "[bold red]not met[/bold red]", None: "[dim]not measured[/dim]"}
_ROW_HEADINGS = ("measure", "subject", "median", "lowest", "highest", "rounds", "unit", "measured again by")
_BAR_HEADINGS = ("bar", "measured", "wanted", "")
_NUMBERS = frozenset({"median", "lowest", "highest", "rounds", "measured", "wanted"})
_WIDTH = 150
"""Width where the output is not a terminal."""


def show(results: Results, bars: Sequence[Bar]) -> None:
    """Print all rows, then all bars."""
    console = Console() if os.isatty(1) else Console(width=_WIDTH)
    console.print(_table("Measured", _ROW_HEADINGS, [(*_cells(row), row.command) for row in results]))
    if table := list(standings(results)):
        console.print(_table("Side by side", _standing_headings(table), _standing_rows(table)))
    console.print(_table("Bars", _BAR_HEADINGS, [(*_verdict(bar), _VERDICT[bar.met]) for bar in bars]))


def markdown(results: Results, bars: Sequence[Bar]) -> str:
    """Return the results as tables for docs/performance.md, by scenario."""
    parts = [_markdown_table(_BAR_HEADINGS, [(*_verdict(bar), _WORDS[bar.met]) for bar in bars])]
    if table := list(standings(results)):
        parts.append(_markdown_table(_standing_headings(table), _standing_rows(table)))
    for scenario in dict.fromkeys(row.scenario for row in results):
        rows = [row for row in results if row.scenario == scenario]
        parts.append(f"`{rows[0].command}`\n")
        parts.append(_markdown_table(_ROW_HEADINGS[:-1], [_cells(row) for row in rows]))
    return "\n".join(parts)


def write(path: Path, results: Results, bars: Sequence[Bar], *, seconds: float, version: str) -> None:
    """Write all results to a JSON file, and their tables to a Markdown file beside it."""
    document = {
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds),
        "machine": {"system": platform.system(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "version": version,
        "bars": [
            {"bar": bar.what, "value": bar.value, "limit": bar.limit, "atLeast": bar.at_least, "met": bar.met}
            for bar in bars
        ],
        "standings": [
            {"measure": each.measure, "unit": each.unit, "values": dict(each.values), "leader": each.leader}
            for each in standings(results)
        ],
        "rows": results.document(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(results, bars), encoding="utf-8")


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ("---:" if heading in _NUMBERS else "---" for heading in headings)
    lines = (f"| {' | '.join(cells)} |" for cells in (headings, tuple(rule), *rows))
    return "\n".join(lines) + "\n"


def _standing_headings(table: list[Standing]) -> list[str]:
    return ["measure", "unit", *subjects(table), "leads"]


def _standing_rows(table: list[Standing]) -> list[list[str]]:
    return [
        [each.measure, each.unit, *(_value(each, subject) for subject in subjects(table)), each.leader]
        for each in table
    ]


def _value(standing: Standing, subject: str) -> str:
    value = standing.values.get(subject)
    return "" if value is None else _number(value)


def _cells(row: Row) -> tuple[str, ...]:
    spread = row.spread
    numbers = (_number(value) for value in (spread.median, spread.lowest, spread.highest))
    return (row.measure, row.subject, *numbers, str(spread.rounds), row.unit)


def _verdict(bar: Bar) -> tuple[str, str, str]:
    measured = "" if bar.value is None else f"{_number(bar.value)} {bar.unit}".strip()
    return bar.what, measured, f"{'≥' if bar.at_least else '≤'} {_number(bar.limit)} {bar.unit}".strip()


def _number(value: float) -> str:
    """Format with three significant digits; from a hundred on as a whole number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - stated in the docstring
