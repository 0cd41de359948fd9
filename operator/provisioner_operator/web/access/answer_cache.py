"""Answers of reviews, kept for a while: a "yes" longer than a "no", so that a new right is noticed soon.

Pure; the time is passed in. Bounded: the answers that were used longest ago make room for new ones.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

YES_SECONDS = 30.0
"""The time for which a right that was withdrawn may still be honored for reads; the API server judges every write."""
NO_SECONDS = 5.0
"""The time after which a right that was granted is noticed."""
OLD_NO_SECONDS = 60.0
"""The time for which a "no" may count while the API server takes long to answer: it shows too little, never too much."""
OUTAGE_SECONDS = 600.0
"""The time for which the last answer counts while the API server cannot be asked: what it shows is as old."""
MOST_ANSWERS = 50_000
"""Some 20 MB: a hundred users without a right for all namespaces, in 500 namespaces."""

_Key = TypeVar("_Key", bound=Hashable)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds for which answers are kept."""

    yes: float = YES_SECONDS
    no: float = NO_SECONDS


class AnswerCache(Generic[_Key, _Answer]):
    """Keeps answers by their questions. Falsy answers are a "no"."""

    def __init__(self, lifetimes: Lifetimes, most: int = MOST_ANSWERS) -> None:
        self._lifetimes = lifetimes
        self._most = most
        self._answers: OrderedDict[_Key, tuple[_Answer, float]] = OrderedDict()
        """Answers with the times at which they were asked for."""

    def find(self, key: _Key, now: float) -> tuple[_Answer] | None:
        """Return the answer, in a tuple because it may be None; or None if it is unknown or too old."""
        found = self._answers.get(key)
        if found is None:
            return None
        answer, asked_at = found
        if now >= asked_at + self._lifetime(answer):
            return None
        self._answers.move_to_end(key)
        return (answer,)

    def is_aging(self, key: _Key, now: float) -> bool:
        """Return whether the answer has half of its time behind it, so that it is time to ask for the next one."""
        found = self._answers.get(key)
        return found is not None and now >= found[1] + self._lifetime(found[0]) / 2

    def was_no(self, key: _Key, now: float) -> bool:
        """Return whether the answer was a "no", at most `OLD_NO_SECONDS` ago."""
        found = self._answers.get(key)
        return found is not None and not found[0] and now < found[1] + OLD_NO_SECONDS

    def last(self, key: _Key, now: float) -> tuple[_Answer] | None:
        """Return the last answer for use in an outage, in a tuple; None if it is unknown or from too long ago."""
        found = self._answers.get(key)
        return (found[0],) if found is not None and now < found[1] + OUTAGE_SECONDS else None

    def keep(self, key: _Key, answer: _Answer, now: float) -> None:
        """Keep an answer that was asked for at `now`."""
        self._answers[key] = (answer, now)
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def _lifetime(self, answer: _Answer) -> float:
        return self._lifetimes.yes if answer else self._lifetimes.no

    def __len__(self) -> int:
        return len(self._answers)
