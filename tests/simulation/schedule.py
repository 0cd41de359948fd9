"""Virtual time: actions in the order of their times. The only clock of the simulation."""

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[..., None]


class Schedule:
    """The current time and all future actions."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Action, tuple[object, ...]]] = []
        self._count = 0

    def after(self, delay: float, action: Action, *arguments: object) -> None:
        """Schedule `action` in `delay` seconds; actions at the same time keep their order."""
        self._count += 1
        heappush(self._coming, (self.now + max(delay, 0.0), self._count, action, arguments))

    def replace(self, other: Callable[[Action, tuple[object, ...]], tuple[Action, tuple[object, ...]]]) -> None:
        """Replace all future actions with their arguments, each by another one at its time."""
        self._coming = [(at, count, *other(action, arguments)) for at, count, action, arguments in self._coming]

    def run_until(self, end: float) -> None:
        """Run all actions that are due before `end`."""
        while self._coming and self._coming[0][0] <= end:
            self.now, _, action, arguments = heappop(self._coming)
            action(*arguments)
        self.now = end
