"""A collection kept up to date by a thread: listed, watched, and listed anew when the watch cannot go on.

Whoever reads takes `Listed`, `Changed`, `Gone` from the queue; `Trouble` and `Recovered` when the API server goes away and
comes back; and `Ended` with the reason when it is not waited for any longer.
"""

import gc
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from provisioner_operator.cli.api.client import NONE, Body, Cluster, Params
from provisioner_operator.cli.errors import CliError, ExpiredError, ServerAwayError

PATIENCE_SECONDS = 60.0
"""How long an API server that is away is waited for."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects as they are; what is not among them is gone."""

    bodies: Sequence[Body]


@dataclass(frozen=True, slots=True)
class Changed:
    """An object is new or has changed."""

    body: Body


@dataclass(frozen=True, slots=True)
class Gone:
    """An object was deleted; this is how it last was."""

    body: Body


@dataclass(frozen=True, slots=True)
class Trouble:
    """The API server is away; it is tried again."""

    message: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The API server is back."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will come."""

    error: CliError


News = Listed | Changed | Gone | Trouble | Recovered | Ended


class Feed:
    """Starts with its creation; its thread ends with the process, or after `close` at the next event."""

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
        gc.enable()  # what lives as long as a feed has garbage to collect
        threading.Thread(target=self._run, name=f"feed {path}", daemon=True).start()

    def close(self) -> None:
        """No more news, please."""
        self._closed.set()

    def next(self, timeout: float | None) -> News | None:
        """The next news; None if there is none within `timeout` seconds."""
        try:
            return self._news.get(timeout=timeout)
        except Empty:
            return None

    def waiting(self) -> Iterator[News]:
        """What has come, without waiting."""
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
            except Exception as error:  # noqa: BLE001 - nobody else hears what happens in this thread
                self._news.put(Ended(CliError(f"Following {self._path} failed: {type(error).__name__}: {error}")))
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
            since = body["metadata"]["resourceVersion"]
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
        self._news.put(Ended(ServerAwayError(f"{error} Given up after {self._patience:.0f} s.")))
        return True


class Store:
    """The objects of a feed, by uid."""

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}

    def take(self, news: News) -> bool:
        """Take news in; whether anything changed."""
        match news:
            case Listed(bodies):
                self.bodies = {body["metadata"]["uid"]: body for body in bodies}
            case Changed(body):
                self.bodies[body["metadata"]["uid"]] = body
            case Gone(body):
                self.bodies.pop(body["metadata"]["uid"], None)
            case _:
                return False
        return True
