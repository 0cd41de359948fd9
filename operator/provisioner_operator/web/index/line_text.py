"""Search many short texts at once: they are the lines of a few long ones, where Python looks for a word at memory speed.

Used for the names of all jobs, and for the values of the fields by which jobs are found. The lines of neighboring
numbers make a block, which is put together again when it is searched after a change.
"""

from collections.abc import Callable, Iterator

_BLOCK = 512
"""Lines in a block: few enough to be put together in passing."""
_MANY = 32
"""Occurrences in a block beyond which its lines are looked at one by one."""


class LineText:
    """Lines by number, in lower case. A space precedes each, as it does the other words of a line."""

    def __init__(self, line_of: Callable[[int], str]) -> None:
        """`line_of` returns the line of a number; an empty one if it has none (any more)."""
        self._line_of = line_of
        self._blocks: list[str | None] = []

    def changed(self, number: int) -> None:
        """Note that the number has another line, or none any more."""
        block = number // _BLOCK
        while len(self._blocks) <= block:
            self._blocks.append(None)
        self._blocks[block] = None

    def containing(self, word: str) -> Iterator[list[int]]:
        """Yield the numbers whose line contains the word, which is in lower case and has no line break, by block."""
        for block in range(len(self._blocks)):
            text = self._text_of(block)
            if word in text:
                yield _lines_with(word, text, block * _BLOCK)

    def prepare(self) -> None:
        """Do now what the first search would have to."""
        for block in range(len(self._blocks)):
            self._text_of(block)

    def _text_of(self, block: int) -> str:
        text = self._blocks[block]
        if text is None:
            text = self._blocks[block] = self._put_together(block)
        return text

    def _put_together(self, block: int) -> str:
        first = block * _BLOCK
        return "\n".join(f" {self._line_of(number)}" for number in range(first, first + _BLOCK)).lower()


def _lines_with(word: str, text: str, first: int) -> list[int]:
    if text.count(word) > _MANY:
        return [number for number, line in enumerate(text.split("\n"), start=first) if word in line]
    return list(_few_lines_with(word, text, first))


def _few_lines_with(word: str, text: str, first: int) -> Iterator[int]:
    number, start = first, 0
    while (at := text.find(word, start)) >= 0:
        number += text.count("\n", start, at)
        yield number
        end = text.find("\n", at)
        if end < 0:
            return
        number, start = number + 1, end + 1
