"""The uid of each job by slot: sixteen bytes in a row, since 100,000 texts of them would take six times as much."""

_LENGTH = 16
"""Bytes of a UUID."""


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
