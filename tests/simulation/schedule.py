"""Virtual time: actions in the order of their times. The only clock of the simulation."""

from collections.abc import Callable
from heapq import heappop, heappush


class Schedule:
    """The current time and all future actions."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = 0

    def after(self, delay: float, action: Callable[..., None], *arguments: object) -> None:
        """Schedule `action` in `delay` seconds; actions at the same time keep their order."""
        self._count += 1
        heappush(self._coming, (self.now + max(delay, 0.0), self._count, action, arguments))

    def run_until(self, end: float) -> None:
        """Run all actions that are due before `end`."""
        coming = self._coming
        while coming and coming[0][0] <= end:
            self.now, _, action, arguments = heappop(coming)
            action(*arguments)
        self.now = end
