"""Bound the values of labels that users invent, such as names of templates: only the most frequent have time series of their own."""

from collections import Counter
from collections.abc import Callable

OTHER = "other"
"""The value of each label of those that have no time series of their own."""
_CANDIDATES = 10
"""Combinations that are counted for each one that is shown, so that memory is bounded, too."""
_CLEARLY_MORE = 2
"""Factor by which a newcomer has to be more frequent than the rarest that is shown: a change ends time series."""

Values = tuple[str, ...]


class FrequentLabels:
    """Combinations of label values that are shown: the first ones, until others turn out to be clearly more frequent."""

    def __init__(self, limit: int, retire: Callable[[Values], None]) -> None:
        """Show at most `limit`; `retire` is called with one that is shown no more, to remove its time series."""
        self._limit = limit
        self._retire = retire
        self._counts: Counter[Values] = Counter()
        self._shown: set[Values] = set()

    def of(self, *values: str) -> Values:
        """Count an occurrence of these values, and return those to label it with: themselves, or `other` for each."""
        self._counts[values] += 1
        if values in self._shown or self._find_room(values):
            return values
        if len(self._counts) > self._limit * _CANDIDATES:
            self._age()
        return (OTHER,) * len(values)

    def _find_room(self, values: Values) -> bool:
        """Show the values, in place of rarer ones if need be."""
        if len(self._shown) >= self._limit:
            rarest = min(self._shown, key=self._counts.__getitem__)
            if self._counts[values] <= _CLEARLY_MORE * self._counts[rarest]:
                return False
            self._shown.remove(rarest)
            self._retire(rarest)
        self._shown.add(values)
        return True

    def _age(self) -> None:
        """Halve all counts, and forget what was rare."""
        # What is shown keeps at least one: else anything would take its place.
        halved = {values: max(count // 2, int(values in self._shown)) for values, count in self._counts.items()}
        self._counts = Counter({values: count for values, count in halved.items() if count})
