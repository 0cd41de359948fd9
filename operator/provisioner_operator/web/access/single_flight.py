"""Questions that several ask at the same time are asked once: all get the one answer."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Answer = TypeVar("_Answer")


class SingleFlight(Generic[_Key, _Answer]):
    """The questions under way. Nothing is kept of one that is answered."""

    def __init__(self) -> None:
        self._under_way: dict[_Key, asyncio.Task[_Answer]] = {}

    async def answer(self, key: _Key, ask: Callable[[], Coroutine[Any, Any, _Answer]]) -> _Answer:
        """Return the answer of whoever asks already, or ask. One who waits no longer leaves the others theirs."""
        return await asyncio.shield(self.begin(key, ask))

    def begin(self, key: _Key, ask: Callable[[], Coroutine[Any, Any, _Answer]]) -> asyncio.Task[_Answer]:
        """Return the question under way, or ask. Needs a running event loop; nobody has to wait for the answer."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.get_running_loop().create_task(ask())
            task.add_done_callback(lambda done: self._forget(key, done))
        return task

    def _forget(self, key: _Key, task: asyncio.Task[_Answer]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            # Noted as seen: perhaps nobody waits for it any more.
            task.exception()
