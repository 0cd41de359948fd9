"""The tasks that must live: the first that ends without having been dismissed ends the process, with its reason.

Holds this controller's own tasks and Kopf's. A process that went on without one of them would look alive and do nothing;
one that exits is started anew, lists everything, and a standby leads meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

_logger = logging.getLogger(__name__)

_STOP_FLAG = "stop-flag"
"""The first words of the names of Kopf's tasks that end when a signal asks to stop."""


class TaskEndedError(Exception):
    """A task that must live has ended; the message says which, and why."""


class Supervisor:
    """Watches over tasks from `require` to `dismiss`."""

    def __init__(self, end_process: Callable[[], None]) -> None:
        """`end_process` is called once, when the first task has ended; it asks the process to stop in order."""
        self._end_process = end_process
        self._required: set[asyncio.Task[None]] = set()
        self._failure: TaskEndedError | None = None

    @property
    def failure(self) -> TaskEndedError | None:
        """The end of the first task that ended; None while all live."""
        return self._failure

    def require(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Watch over more tasks."""
        for task in tasks:
            self._required.add(task)
            task.add_done_callback(self._ended)

    def require_kopf(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Watch over Kopf's tasks until Kopf is asked to stop. It ends with the first of them, but may hang while it does."""
        tasks = list(tasks)
        self.require(tasks)
        for task in tasks:
            if task.get_name().startswith(_STOP_FLAG):
                task.remove_done_callback(self._ended)
                task.add_done_callback(lambda _: self.dismiss(tasks))

    def dismiss(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Let tasks end."""
        for task in tasks:
            self._required.discard(task)
            task.remove_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._failure is not None or task not in self._required:
            return
        if task.cancelled():
            reason = "it was canceled"
        elif (error := task.exception()) is not None:
            reason = f"{type(error).__name__}: {error}"
        else:
            reason = "without an error"
        self._failure = TaskEndedError(
            f"The task '{task.get_name()}' has ended ({reason}); the controller has to start anew"
        )
        _logger.critical("%s", self._failure, exc_info=None if task.cancelled() else task.exception())
        self._end_process()
