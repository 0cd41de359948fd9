"""Search the names and uids of all jobs, which are nearly all distinct, in a few long texts instead of one by one.

The jobs of neighboring slots are the lines of a block. A block is put together again when it is searched after a change.
"""

from collections.abc import Callable, Iterator

_BLOCK = 512
"""Slots in a block: few enough to be put together in passing."""
_MANY = 32
"""Occurrences in a block beyond which its lines are looked at one by one."""


class NameText:
    """Names and uids by slot, in lower case."""

    def __init__(self, line_of: Callable[[int], str]) -> None:
        """`line_of` returns what is searched of a slot, in one line; empty if it has no row."""
        self._line_of = line_of
        self._blocks: list[str | None] = []

    def changed(self, slot: int) -> None:
        """Note that a slot has another row, or none any more."""
        block = slot // _BLOCK
        while len(self._blocks) <= block:
            self._blocks.append(None)
        self._blocks[block] = None

    def containing(self, word: str) -> Iterator[int]:
        """Yield the slots whose line contains the word, which has no line break."""
        for block in range(len(self._blocks)):
            text = self._blocks[block]
            if text is None:
                text = self._blocks[block] = self._put_together(block)
            if word in text:
                yield from _lines_with(word, text, block * _BLOCK)

    def _put_together(self, block: int) -> str:
        first = block * _BLOCK
        return "\n".join(map(self._line_of, range(first, first + _BLOCK))).lower()


def _lines_with(word: str, text: str, first: int) -> Iterator[int]:
    if text.count(word) > _MANY:
        return (slot for slot, line in enumerate(text.split("\n"), start=first) if word in line)
    return _few_lines_with(word, text, first)


def _few_lines_with(word: str, text: str, first: int) -> Iterator[int]:
    slot, line_start = first, 0
    while (at := text.find(word, line_start)) >= 0:
        slot += text.count("\n", line_start, at)
        yield slot
        end = text.find("\n", at)
        if end < 0:
            return
        slot, line_start = slot + 1, end + 1
