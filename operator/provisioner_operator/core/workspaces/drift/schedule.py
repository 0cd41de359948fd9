"""Schedule of a workspace's checks for drift: slots that are spread evenly over the workspaces, without any memory.

Time is divided into slots, which begin at another moment for each workspace: its uid decides. A check begins within the
first part of a slot, the window, and at most one does in each slot. A slot is longer than the interval by the window, so
two checks are never closer than the interval. Who misses a window, because the controller was down or a build ran, waits
for the next slot: so neither an outage nor checks that are enabled for many workspaces at once make them all due together.
"""

from dataclasses import dataclass
from hashlib import sha256
from string import ascii_lowercase

_WINDOW_SHARE = 20
"""The window is this part of the interval: 72 minutes of a day."""
_SHORTEST_WINDOW = 30
"""Seconds of the shortest window: a change of the leader fits into it."""
_KEY_LETTERS = 3
"""Letters of a key: no two of 17,576 consecutive slots have the same."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of a workspace."""

    number: int
    start: int
    """Its start; the window begins with it."""
    closes: int
    """End of the window."""
    end: int

    @property
    def key(self) -> str:
        """Letters that distinguish its check from those before, for the name of the job."""
        letters, rest = "", self.number
        for _ in range(_KEY_LETTERS):
            rest, letter = divmod(rest, len(ascii_lowercase))
            letters = ascii_lowercase[letter] + letters
        return letters


def slot_at(uid: str, interval: int, time: float) -> Slot:
    """Return the slot in which the time lies, of the workspace with this uid and interval."""
    window = max(interval // _WINDOW_SHARE, _SHORTEST_WINDOW)
    length = interval + window
    offset = int.from_bytes(sha256(uid.encode()).digest()[:8]) % length
    number = int((time - offset) // length)
    start = offset + number * length
    return Slot(number, start, start + window, start + length)


def seconds_to_check(slot: Slot, since: float, now: float) -> float:
    """Return the seconds until a check is due: 0 if that is now.

    Args:
        slot: The present slot.
        since: End of the last build or check.
        now: The present time.
    """
    is_due = since < slot.start and now < slot.closes
    return 0 if is_due else slot.end - now
