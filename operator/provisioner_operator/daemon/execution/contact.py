"""Record the daemon's last contact with the API server and pass each renewal on.

Renewed by the heartbeat. Every running command forwards each renewal to its guard, which enforces the fence. A run reads
here whether it was the fence that stopped it.
"""

from collections.abc import Callable

from provisioner_operator.core.jobs.timeouts import interrupt_after, kill_after
from provisioner_operator.daemon.execution.guard import now

Listener = Callable[[], None]


class Contact:
    """The last heartbeat that succeeded: when it was sent, and how soon the next must follow. Times are the guard's clock."""

    def __init__(self, sent: float, lost_after: float, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self.sent = sent
        self.lost_after = lost_after
        self._listeners: dict[Listener, None] = {}
        self._breaches = 0

    def renew(self, sent: float, lost_after: float) -> None:
        """Record a heartbeat that was sent at that time and succeeded; from now on `lost_after` counts."""
        # Before the times change: a renewal that comes late does not undo that commands were stopped.
        if self.is_overdue:
            self._breaches += 1
        self.sent = sent
        self.lost_after = lost_after
        for listener in list(self._listeners):
            listener()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call the listener after each renewal, until the function returned is called."""
        self._listeners[listener] = None

        def stop() -> None:
            self._listeners.pop(listener, None)

        return stop

    @property
    def breaches(self) -> int:
        """The number of times so far that the guards had to stop their commands for lack of contact."""
        return self._breaches + self.is_overdue

    @property
    def seconds_to_kill(self) -> float:
        """The seconds after which every guard has killed its command, unless a heartbeat succeeds."""
        return max(self.sent + kill_after(self.lost_after) - self._clock(), 0.0)

    @property
    def is_overdue(self) -> bool:
        """Whether no heartbeat succeeded for so long that the guards stop their commands."""
        return self._clock() - self.sent >= interrupt_after(self.lost_after)
