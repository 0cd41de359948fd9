"""Virtual time that runs nothing by itself: all that may happen next is offered, and the explorer chooses.

Messages and other short delays take no time and may overtake each other. Timers go off in their order, once the clock has
passed them; the clock moves in ticks, so a timer may be up to a tick late.
"""

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from simulation.audit import Audit
from simulation.schedule import Schedule

BEGINNING = 100_000.0
"""Time at which each world begins; no duration is as long, so a fingerprint can tell a time from a duration."""
TICK_SECONDS = 10.0
SHORT_SECONDS = 1.0
"""Delays below this are those of messages and of loops, which the model lets take any time up to the next tick but one."""

Action = Callable[..., None]


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """An action that was scheduled and has not happened."""

    born: float
    due: float
    action: Action
    arguments: tuple[object, ...]
    is_message: bool
    """Whether it may happen at once, in any order."""

    def happen(self) -> None:
        self.action(*self.arguments)


class OpenSchedule(Schedule):
    """The current time and all pending actions, in the order in which they were scheduled."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.pending: list[Pending] = []
        self._audits: list[Pending] = []
        """Looks of the audit, which are no steps: they come with the tick after they are due."""

    @override
    def after(self, delay: float, action: Action, *arguments: object) -> None:
        due = self.now + max(delay, 0.0)
        is_audit = isinstance(getattr(action, "__self__", None), Audit)
        pending = Pending(self.now, due, action, arguments, is_message=delay < SHORT_SECONDS)
        (self._audits if is_audit else self.pending).append(pending)

    def messages(self) -> list[Pending]:
        return [each for each in self.pending if each.is_message]

    def due_timer(self) -> Pending | None:
        """Return the first timer that the clock has passed."""
        timers = (each for each in self.pending if not each.is_message and each.due <= self.now)
        return min(timers, key=lambda each: each.due, default=None)

    @property
    def may_tick(self) -> bool:
        """Whether time may pass: no timer is due, and no message is older than a tick."""
        return self.due_timer() is None and all(each.born == self.now for each in self.messages())

    def tick(self) -> None:
        """Move the clock to the first tick at which a timer is due."""
        timers = [each.due for each in self.pending if not each.is_message]
        missing = min(timers, default=self.now) - self.now
        self.now += TICK_SECONDS * max(-(-missing // TICK_SECONDS), 1.0)
        due = [each for each in self._audits if each.due <= self.now]
        self._audits = [each for each in self._audits if each.due > self.now]
        for each in due:
            each.happen()

    def take(self, chosen: Pending) -> None:
        """Remove an action that is about to happen, or that never will."""
        self.pending.remove(chosen)
