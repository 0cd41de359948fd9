"""When the daemon was last in contact with the API server, and who must hear of it.

The heartbeat renews it; every running command passes each renewal on to its guard, which enforces the fence. A run asks
here whether it was the fence that stopped it.
"""

from collections.abc import Callable

from provisioner_operator.core.jobs.timeouts import interrupt_after
from provisioner_operator.daemon.execution.guard import now

Listener = Callable[[], None]


class Contact:
    """The last heartbeat that got through: when it was sent and what silence it allows. Times are the guard's clock."""

    def __init__(self, sent: float, lost_after: float) -> None:
        self.sent = sent
        self.lost_after = lost_after
        self._listeners: dict[Listener, None] = {}
        self._breaches = 0

    def renew(self, sent: float, lost_after: float) -> None:
        """A heartbeat sent at that time got through; from now on silence is judged by `lost_after`."""
        if self._is_overdue():
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
        """How many times so far silence has been long enough for the guards to stop their commands."""
        return self._breaches + self._is_overdue()

    def _is_overdue(self) -> bool:
        return now() - self.sent >= interrupt_after(self.lost_after)
