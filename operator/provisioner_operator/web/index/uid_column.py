"""The uid of each job by slot: sixteen bytes in a row, since 100,000 texts of them would take six times as much."""

from collections.abc import Iterator

_LENGTH = 16
"""Bytes of a UUID."""
_DIGITS = frozenset("0123456789abcdef")
_HYPHENS = (8, 13, 18, 23)
"""Places of the hyphens in a UUID, which has 36 characters."""
_WRITTEN = 36
_FEWEST = 4
"""Characters of the shortest word that is looked for: shorter ones are in too many uids to say anything."""
_BLOCK = 4096
"""Uids that are written out at a time, to look for a word in them."""


class UidColumn:
    """Uids by slot."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._odd: dict[int, str] = {}
        """Uids that are not written as the API server writes them."""

    def put(self, slot: int, uid: str) -> None:
        """Store the uid of a slot: one that had another before, or the next one."""
        packed = _packed(uid)
        if packed is None:
            self._odd[slot] = uid
            packed = bytes(_LENGTH)
        elif self._odd:
            self._odd.pop(slot, None)
        self._bytes[_LENGTH * slot : _LENGTH * (slot + 1)] = packed

    def get(self, slot: int) -> str:
        """Return the uid of a slot."""
        if self._odd and slot in self._odd:
            return self._odd[slot]
        return _written(self._bytes[_LENGTH * slot : _LENGTH * (slot + 1)])

    def containing(self, word: str) -> Iterator[int]:
        """Yield the slots whose uid has this word in it, which is in lower case; some of them twice."""
        if len(word) < _FEWEST:
            return
        yield from (slot for slot, uid in self._odd.items() if word in uid.lower())
        digits, starts = word.replace("-", ""), frozenset(_starts(word))
        if not digits or not starts or not _DIGITS.issuperset(digits):
            return
        for first in range(0, len(self._bytes), _LENGTH * _BLOCK):
            text, at = self._bytes[first : first + _LENGTH * _BLOCK].hex(), -1
            while (at := text.find(digits, at + 1)) >= 0:
                place, start = divmod(at, 2 * _LENGTH)
                if start in starts:
                    yield first // _LENGTH + place


def _starts(word: str) -> Iterator[int]:
    """Yield the numbers of the digit of a UUID at which the digits of this word may begin."""
    for place in range(_WRITTEN - len(word) + 1):
        if all((at in _HYPHENS) if each == "-" else at not in _HYPHENS for at, each in enumerate(word, place)):
            yield place - sum(hyphen < place for hyphen in _HYPHENS)


def _packed(uid: str) -> bytes | None:
    """Return the bytes of a UUID; None if it is not written as the API server writes them."""
    try:
        packed = bytes.fromhex(uid.replace("-", ""))
    except ValueError:
        return None
    return packed if len(packed) == _LENGTH and _written(packed) == uid else None


def _written(packed: bytes | bytearray) -> str:
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
