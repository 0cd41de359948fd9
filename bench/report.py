"""The table on the terminal and the JSON file."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.bars import Bar
    from bench.results import Results

_VERDICT = {True: "[green]met[/green]", False: "[bold red]not met[/bold red]", None: "[dim]not measured[/dim]"}
_WIDTH = 150
"""Columns where the output is no terminal."""


def show(results: Results, bars: Sequence[Bar]) -> None:
    """Print all rows, then all bars."""
    console = Console() if os.isatty(1) else Console(width=_WIDTH)
    table = Table("measure", "subject", title="Measured", title_justify="left")
    for heading in ("median", "lowest", "highest", "rounds"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    table.add_column("measured again by")
    for row in results:
        spread = row.spread
        numbers = (_number(value) for value in (spread.median, spread.lowest, spread.highest))
        table.add_row(row.measure, row.subject, *numbers, str(spread.rounds), row.unit, row.command)
    console.print(table)
    verdicts = Table("bar", title="Bars", title_justify="left")
    for heading in ("measured", "wanted"):
        verdicts.add_column(heading, justify="right")
    verdicts.add_column("")
    for bar in bars:
        sign = "≥" if bar.at_least else "≤"
        measured = "" if bar.value is None else f"{_number(bar.value)} {bar.unit}".strip()
        verdicts.add_row(bar.what, measured, f"{sign} {_number(bar.limit)} {bar.unit}".strip(), _VERDICT[bar.met])
    console.print(verdicts)


def write(path: Path, results: Results, bars: Sequence[Bar], *, seconds: float, version: str) -> None:
    """Write everything to a JSON file."""
    document = {
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds),
        "machine": {"system": platform.system(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "version": version,
        "bars": [
            {"bar": bar.what, "value": bar.value, "limit": bar.limit, "atLeast": bar.at_least, "met": bar.met}
            for bar in bars
        ],
        "rows": results.document(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    """Three significant digits, whole numbers from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - says the docstring
