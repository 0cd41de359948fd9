"""A mutant: one small change of one place in the product's code.

Positions are offsets into the encoded file, since Python's parser counts bytes. Nothing here runs a test.
"""

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of mutation, by the word that ends a mutant's name."""

    COMPARE = "compare"
    """A comparison is turned into its opposite."""
    BOUNDARY = "boundary"
    """A comparison of order includes its boundary, or excludes it."""
    NEGATE = "negate"
    """A condition is negated, or a `not` dropped."""
    LOGIC = "logic"
    """`and` becomes `or`, and the reverse."""
    CONSTANT = "constant"
    """A number is doubled; zero becomes one."""
    BOOLEAN = "boolean"
    """`True` becomes `False`, and the reverse."""
    ARITHMETIC = "arithmetic"
    """`+` becomes `-`, `*` becomes `/`, `|` becomes `&`, and the reverse; a minus sign is dropped."""
    DROP = "drop"
    """A statement is dropped."""
    RETURN = "return"
    """A function returns None in place of its value."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the bytes from `start` to `end` of the file are replaced."""

    path: str
    """The file, relative to the package, with slashes."""
    line: int
    kind: Kind
    ordinal: int
    """Number among the mutants of this kind in this line, from 1."""
    start: int
    end: int
    replacement: str
    statement: tuple[int, int]
    """First and last line of the statement, or of its head where it has a body: a test that runs one of them runs it."""

    @property
    def name(self) -> str:
        """A name that finds the mutant again in the same code."""
        return f"{self.path}:{self.line}:{self.kind}" + (f":{self.ordinal}" if self.ordinal > 1 else "")

    @property
    def room(self) -> str:
        """The file's folder within its package, or the file itself where it lies in none."""
        parts = self.path.split("/")
        return "/".join(parts[:2])

    def apply(self, source: bytes) -> bytes:
        """The file with the change."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        """The lines that the change removes and adds."""
        before, after = source.decode().splitlines(), self.apply(source).decode().splitlines()
        changed = list(difflib.unified_diff(before, after, n=0, lineterm=""))[3:]
        return "\n".join(f"    {line}" for line in changed)


def sample(mutants: Iterable[Mutant], seed: int, count: int) -> list[Mutant]:
    """Choose mutants at random, in the order of the code.

    Each has a lot of its own, drawn from the seed and its name: a change of one file leaves the choice in others as it was.
    """

    def lot(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{seed} {mutant.name}".encode()).digest()

    return sorted(sorted(mutants, key=lot)[:count], key=lambda each: (each.path, each.start, each.end, each.kind))
