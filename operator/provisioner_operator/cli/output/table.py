"""Tables as kubectl prints them: columns aligned, one object a line. Pure.

On a terminal a table fits its width: columns without any text go first, then the least important, and of the rest the
least important texts are cut. Elsewhere nothing is cut, so that what follows in a pipe sees all of it. Wide characters count as the two cells that they take.
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
"""Cells to which a text is cut before another column goes."""
ALWAYS = 100
"""The importance of a column that never goes."""
LEGIBLE = 70
"""From this importance on, a column rather goes than that its text is cut much."""
_LEGIBLE_CELLS = 20
_NAME_CELLS = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Cell(NamedTuple):
    """A text and its rich style."""

    text: str
    style: str = ""


@dataclass(frozen=True)  # without slots: an instance of a generic class is told its type arguments
class Column(Generic[Row]):
    """One column of a table of such rows."""

    title: str
    """As it is shown; with spaces."""
    value: Callable[[Row], str | Cell | None]
    importance: int = 50
    """On a narrow terminal columns of little importance go first."""
    wide: bool = False
    """Whether it is shown only by `-o wide`, or when it is named."""

    @property
    def key(self) -> str:
        """How the column is named on the command line."""
        return self.title.lower()


def safe(text: str) -> str:
    """The text in one line, without characters that would move a terminal's cursor or turn its writing round."""
    return _CONTROL.sub(lambda found: " " if found.group() in "\n\t\r" else "\N{REPLACEMENT CHARACTER}", text)


def chosen(columns: Sequence[Column[Row]], names: Iterable[str], *, wide: bool) -> list[Column[Row]]:
    """The columns by name (comma-separated names are several), or the usual ones. Raises UsageError."""
    wanted = [part.strip().lower().replace("-", " ").replace("_", " ") for name in names for part in name.split(",")]
    if not wanted:
        return [column for column in columns if wide or not column.wide]
    known = {column.key: column for column in columns}
    for name in wanted:
        if name not in known:
            raise UsageError(f"There is no column {name!r}. Columns: {', '.join(known)}.")
    return [known[name] for name in dict.fromkeys(wanted)]


def lines(columns: Sequence[Column[Row]], rows: Iterable[Row], *, width: int | None) -> list[Text]:
    """The table, its header first, in at most `width` cells, or as wide as it is."""
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
    """Let columns go, empty ones and the least important first, until the rest would fit if their texts were cut."""
    kept = list(range(len(columns)))
    while _total(min(sizes[at], _shortest(columns[at])) for at in kept) > width:
        least = min(kept, key=lambda at: (at not in empty, columns[at].importance, -at))
        if columns[least].importance >= ALWAYS:
            break
        kept.remove(least)
    return kept


def _shortest(column: Column[Row]) -> int:
    """An important text may not be cut as short as another."""
    shortest = SHORTEST
    if column.importance >= LEGIBLE:
        shortest = _NAME_CELLS if column.importance >= ALWAYS else _LEGIBLE_CELLS
    return max(cell_len(column.title), shortest)


def _fitted(sizes: Sequence[int], kept: Sequence[int], columns: Sequence[Column[Row]], width: int) -> list[int]:
    """Cut the least important as far as it may be, then the next, until the line fits."""
    fitted = list(sizes)
    while (over := _total(fitted[at] for at in kept) - width) > 0:
        able = [at for at in kept if fitted[at] > _shortest(columns[at])]
        if able:
            least = min(able, key=lambda at: (columns[at].importance, -at))
            fitted[least] -= min(over, fitted[least] - _shortest(columns[least]))
            continue
        # Nothing is left but what never goes: then even a name is cut.
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
