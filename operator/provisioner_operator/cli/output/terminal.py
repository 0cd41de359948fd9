"""Write results to standard output and everything else to standard error; with colors only on a terminal."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

from rich.console import Console
from rich.text import Text

from provisioner_operator.cli.output.table import safe


class Terminal:
    """Standard output and standard error of one command."""

    def __init__(self, *, utc: bool = False) -> None:
        """Examine standard output; `utc` is the time zone of the times shown."""
        self.utc = utc
        self.is_interactive = sys.stdout.isatty()
        self.out = Console(
            file=sys.stdout, highlight=False, soft_wrap=not self.is_interactive, markup=False, emoji=False
        )
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)

    @property
    def width(self) -> int | None:
        """Cells in a line; None if standard output is not a terminal, and lines may have any length."""
        if self.is_interactive:
            return self.out.width
        columns = os.environ.get("COLUMNS", "")
        return int(columns) if columns.isdigit() and int(columns) > 0 else None

    def show(self, lines: Iterable[Text]) -> None:
        """Print lines that are laid out already."""
        if not self.is_interactive:
            # Without rendering styles, ten thousand lines take a tenth of the time.
            self.out.file.write("".join(f"{line.plain}\n" for line in lines))
            return
        for line in lines:
            self.out.print(line, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Print a result in words on standard output."""
        self.out.print(Text("\n".join(safe(line) for line in text.split("\n")), style))

    def note(self, text: str, style: str = "") -> None:
        """Print a remark that is not the result on standard error."""
        with suppress(OSError):
            self._err.print(Text("\n".join(safe(line) for line in text.split("\n")), style))

    def confirm(self, question: str) -> bool:
        """Ask for confirmation; every answer but yes is a no."""
        self._err.print(Text(f"{question} [y/N] "), end="")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
