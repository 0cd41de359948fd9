"""One copy of each value that many rows have, known by a small number, and dropped with the last of them."""

from array import array
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

_Value = TypeVar("_Value", bound=Hashable)


class SharedValues(Generic[_Value]):
    """Values by number, each with the number of its uses."""

    def __init__(self) -> None:
        self._numbers: dict[_Value, int] = {}
        self._values: list[_Value | None] = []
        self._uses = array("I")
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def items(self) -> Iterator[tuple[int, _Value]]:
        """Yield the numbers that are in use, and their values."""
        return ((number, value) for value, number in self._numbers.items())

    def find(self, value: _Value) -> int | None:
        """Return the value's number; None if it has no use."""
        return self._numbers.get(value)

    def take(self, value: _Value) -> int:
        """Return the value's number, and count a use of it."""
        number = self._numbers.get(value)
        if number is None:
            number = self._add(value)
        self._uses[number] += 1
        return number

    def get(self, number: int) -> _Value:
        """Return the value of a number that is in use."""
        value = self._values[number]
        if value is None:
            raise LookupError(f"no value has the number {number}")
        return value

    def drop(self, number: int) -> None:
        """Count a use less; forget a value that is not used any more."""
        self._uses[number] -= 1
        if not self._uses[number]:
            del self._numbers[self.get(number)]
            self._values[number] = None
            self._free.append(number)

    def _add(self, value: _Value) -> int:
        if self._free:
            number = self._free.pop()
            self._values[number] = value
        else:
            number = len(self._values)
            self._values.append(value)
            self._uses.append(0)
        self._numbers[value] = number
        return number
