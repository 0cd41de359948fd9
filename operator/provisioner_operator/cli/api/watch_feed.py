"""Follow a collection in a thread: list it, watch it, and list it again when the watch cannot be continued.

The reader takes from a queue `Listed`, `Changed` and `Gone`; `Trouble` and `Recovered` when the API server becomes
unreachable and is back; and `Ended` with the reason when the thread stops.
"""

import gc
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from provisioner_operator.cli.api.client import NONE, Cluster, Params
from provisioner_operator.cli.errors import CliError, ExpiredError, ServerAwayError
from provisioner_operator.kube.object_states import Body, meta_of

PATIENCE_SECONDS = 60.0
"""Longest outage of the API server to wait out."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Listed:
    """The whole collection: an object that is not in it no longer exists."""

    bodies: Sequence[Body]


@dataclass(frozen=True, slots=True)
class Changed:
    """A new or changed object."""

    body: Body


@dataclass(frozen=True, slots=True)
class Gone:
    """A deleted object in its last state."""

    body: Body


@dataclass(frozen=True, slots=True)
class Trouble:
    """The API server is unreachable; the feed keeps trying."""

    message: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The API server answers again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the feed."""

    error: CliError


News = Listed | Changed | Gone | Trouble | Recovered | Ended


class Feed:
    """A thread that follows one collection, started on creation; `close` stops it at the next event."""

    def __init__(
        self, cluster: Cluster, path: str, params: Params = NONE, *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._cluster = cluster
        self._path = path
        self._params = params
        self._patience = patience
        self._news: SimpleQueue[News] = SimpleQueue()
        self._closed = threading.Event()
        self._away_since: float | None = None
        gc.enable()  # `__main__` turned it off for commands that end before it pays
        threading.Thread(target=self._run, name=f"feed {path}", daemon=True).start()

    def close(self) -> None:
        """Stop following."""
        self._closed.set()

    def next(self, timeout: float | None) -> News | None:
        """Return the next item; None if there is none within `timeout` seconds."""
        try:
            return self._news.get(timeout=timeout)
        except Empty:
            return None

    def waiting(self) -> Iterator[News]:
        """Yield the items that have arrived, without waiting."""
        while (news := self.next(0.0)) is not None:
            yield news

    # --- the thread ---

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                version = self._list()
                pause = _FIRST_PAUSE
                while not self._closed.is_set():
                    version = self._watch(version)
            except ExpiredError:
                continue
            except ServerAwayError as error:
                if self._is_too_long(error):
                    return
                self._closed.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except CliError as error:
                self._news.put(Ended(error))
                return
            except Exception as error:  # noqa: BLE001 - an exception would end this thread unnoticed
                self._news.put(Ended(CliError(f"The watch of {self._path} failed: {type(error).__name__}: {error}")))
                return

    def _list(self) -> str:
        found: deque[Body] = deque()
        version = ""
        for items, version in self._cluster.pages(self._path, self._params):  # noqa: B007 - the last one counts
            found.extend(items)
        if self._away_since is not None:
            self._away_since = None
            self._news.put(Recovered())
        self._news.put(Listed(tuple(found)))
        return version

    def _watch(self, since: str) -> str:
        for kind, body in self._cluster.watch(self._path, since, self._params):
            since = str(body["metadata"]["resourceVersion"])  # the only field of a bookmark
            if kind == "DELETED":
                self._news.put(Gone(body))
            elif kind != "BOOKMARK":
                self._news.put(Changed(body))
            if self._closed.is_set():
                break
        return since

    def _is_too_long(self, error: ServerAwayError) -> bool:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            self._news.put(Trouble(str(error)))
        if now - self._away_since < self._patience:
            return False
        self._news.put(
            Ended(ServerAwayError(f"{error} No answer for {self._patience:.0f} s: run the command again later."))
        )
        return True


class Store:
    """The current objects of a feed, by uid."""

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}

    def take(self, news: News) -> bool:
        """Apply one item; returns whether it was about objects."""
        match news:
            case Listed(bodies):
                self.bodies = {meta_of(body).uid: body for body in bodies}
            case Changed(body):
                self.bodies[meta_of(body).uid] = body
            case Gone(body):
                self.bodies.pop(meta_of(body).uid, None)
            case _:
                return False
        return True
