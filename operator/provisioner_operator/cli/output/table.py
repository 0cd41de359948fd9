"""Lay out tables as kubectl does: aligned columns, one object per line. Pure.

On a terminal a table fits the width: empty columns are dropped first, then the least important ones, and of the rest the
least important texts are cut. Elsewhere nothing is cut, so that the next program in a pipe gets everything. Wide characters
count as two cells.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from provisioner_operator.cli.errors import UsageError

Row = TypeVar("Row")

GAP = "  "
SHORTEST = 8
"""Cells to which a text is cut before another column is dropped."""
ALWAYS = 100
"""The importance of a column that is never dropped."""
LEGIBLE = 70
"""From this importance on, a column is dropped rather than cut beyond recognition."""
_LEGIBLE_CELLS = 20
_NAME_CELLS = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Cell(NamedTuple):
    """A text and its rich style."""

    text: str
    style: str = ""


@dataclass(frozen=True)  # without slots: a generic class stores its type arguments in its instances
class Column(Generic[Row]):
    """One column of a table of rows of this type."""

    title: str
    """The header; it may contain spaces."""
    value: Callable[[Row], str | Cell | None]
    importance: int = 50
    """On a narrow terminal, the least important columns are dropped first."""
    wide: bool = False
    """Whether it is shown only with `-o wide`, or when it is named."""
    former_key: str | None = None
    """A former name of the column that `-c` still accepts."""

    @property
    def key(self) -> str:
        """The name of the column on the command line."""
        return self.title.lower()


def safe(text: str) -> str:
    """Return the text in one line, without characters that move the cursor or reverse the direction of writing."""
    return _CONTROL.sub(lambda found: " " if found.group() in "\n\t\r" else "\N{REPLACEMENT CHARACTER}", text)


def chosen(columns: Sequence[Column[Row]], names: Iterable[str], *, wide: bool) -> list[Column[Row]]:
    """Return the columns of these names, or comma-separated lists of names; without any, the default ones. Raises UsageError."""
    wanted = [part.strip().lower().replace("-", " ").replace("_", " ") for name in names for part in name.split(",")]
    if not wanted:
        return [column for column in columns if wide or not column.wide]
    by_key = {column.key: column for column in columns}
    known = {column.former_key: column for column in columns if column.former_key} | by_key
    for name in wanted:
        if name not in known:
            raise UsageError(f"There is no column {name!r}. Columns: {', '.join(by_key)}.")
    return [known[name] for name in dict.fromkeys(wanted)]


def lines(columns: Sequence[Column[Row]], rows: Iterable[Row], *, width: int | None) -> list[Text]:
    """Return the table, its header first, in at most `width` cells, or in full width."""
    table = [[_cell(column.value(row)) for column in columns] for row in rows]
    sizes = [
        max([cell_len(column.title), *(cell_len(line[at].text) for line in table)]) for at, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    if width is not None:
        empty = {at for at in kept if not any(line[at].text for line in table)}
        kept = _kept(columns, sizes, empty, width)
        sizes = _fitted(sizes, kept, columns, width)
    header = _line([Cell(columns[at].title.upper(), "bold") for at in kept], [sizes[at] for at in kept])
    return [header, *(_line([line[at] for at in kept], [sizes[at] for at in kept]) for line in table)]


def _cell(value: str | Cell | None) -> Cell:
    cell = value if isinstance(value, Cell) else Cell(value or "")
    return Cell(safe(cell.text), cell.style)


def _total(sizes: Iterable[int]) -> int:
    each = list(sizes)
    return sum(each) + len(GAP) * (len(each) - 1)


def _kept(columns: Sequence[Column[Row]], sizes: Sequence[int], empty: AbstractSet[int], width: int) -> list[int]:
    """Drop columns, empty ones and the least important first, until the rest fits if its texts are cut."""
    kept = list(range(len(columns)))
    while _total(min(sizes[at], _shortest(columns[at])) for at in kept) > width:
        least = min(kept, key=lambda at: (at not in empty, columns[at].importance, -at))
        if columns[least].importance >= ALWAYS:
            break
        kept.remove(least)
    return kept


def _shortest(column: Column[Row]) -> int:
    """Return the fewest cells of the column: important texts are cut less."""
    shortest = SHORTEST
    if column.importance >= LEGIBLE:
        shortest = _NAME_CELLS if column.importance >= ALWAYS else _LEGIBLE_CELLS
    return max(cell_len(column.title), shortest)


def _fitted(sizes: Sequence[int], kept: Sequence[int], columns: Sequence[Column[Row]], width: int) -> list[int]:
    """Cut the texts of the least important column as far as possible, then of the next, until the line fits."""
    fitted = list(sizes)
    while (over := _total(fitted[at] for at in kept) - width) > 0:
        able = [at for at in kept if fitted[at] > _shortest(columns[at])]
        if able:
            least = min(able, key=lambda at: (columns[at].importance, -at))
            fitted[least] -= min(over, fitted[least] - _shortest(columns[least]))
            continue
        # Only columns that are never dropped are left: now even names are cut.
        widest = max(kept, key=lambda at: fitted[at])
        if fitted[widest] <= SHORTEST:
            break
        fitted[widest] -= min(over, fitted[widest] - SHORTEST)
    return fitted


def _line(cells: Sequence[Cell], sizes: Sequence[int]) -> Text:
    line = Text(no_wrap=True, end="")
    for at, (cell, size) in enumerate(zip(cells, sizes, strict=True)):
        text = cell.text if cell_len(cell.text) <= size else set_cell_size(cell.text, size - 1) + "…"
        line.append(text, cell.style or None)
        if at + 1 < len(cells):
            line.append(" " * (size - cell_len(text)) + GAP)
    line.rstrip()
    return line
