"""Watch the objects of one kind, keep all their versions, and wait for one that meets a condition.

A thread follows the watch, and lists again when the API server ends it or sends an ERROR event. If the thread stops for any
other reason, the waiting test fails.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, TypeVar

from urllib3.exceptions import HTTPError

from support.cluster.api import Reply
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

WITHIN = 150.0
"""Default timeout in seconds of a wait, which takes one or two on a quiet machine."""
TERMINAL = ("Completed", "Failed", "Canceled")
_REOPEN_PAUSE = 0.1
_ASKED_AFTER = 5.0
T = TypeVar("T")


class Stream(Protocol):
    """Events of one watch until it ends; iterating raises urllib3's HTTPError if the connection breaks."""

    def __iter__(self) -> Iterator[Manifest]:
        """Yield the events."""

    def close(self) -> None:
        """End the stream, and the read that waits for its next event."""


class Source(Protocol):
    """The part of the API that a watch uses."""

    def get(self, kind: str, name: str) -> Reply:
        """Read the object."""

    def watch(self, kind: str) -> Stream:
        """Begin with an ADDED event for each object. Raises urllib3's HTTPError."""


@dataclass(frozen=True, slots=True)
class Version:
    """Version of an object, and the number of the watch that showed it: between two watches, versions may be missing."""

    body: Manifest
    watch: int


class Watch:
    """Versions of all objects of a kind in a namespace, from now on."""

    def __init__(self, source: Source, kind: str) -> None:
        self._kind = kind
        self._source = source
        self._changed = threading.Condition()
        self._versions: defaultdict[str, list[Manifest]] = defaultdict(list)
        self._histories: defaultdict[tuple[str, str], list[Version]] = defaultdict(list)
        self._watches = 0
        self._gone: set[str] = set()
        self._events = 0
        self._closing = threading.Event()
        self._opening = threading.Lock()
        self._stream: Stream | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def changes(self) -> int:
        """Number of observed changes."""
        return self._events

    def versions(self, name: str) -> list[Manifest]:
        """Return all observed versions of the object, in order."""
        with self._changed:
            return list(self._versions[name])

    def histories(self) -> dict[tuple[str, str], list[Version]]:
        """Return all observed versions of each object, in order, by its name and uid."""
        with self._changed:
            return {key: list(versions) for key, versions in self._histories.items()}

    def phases(self, name: str) -> list[str]:
        """Return the observed phases of a job in order, without repetitions."""
        phases = [str(each.get("status", {}).get("phase")) for each in self.versions(name)]
        return [phase for at, phase in enumerate(phases) if at == 0 or phases[at - 1] != phase]

    def latest(self) -> dict[str, Manifest]:
        """Return the last version of each object, by name."""
        with self._changed:
            return {name: versions[-1] for name, versions in self._versions.items() if versions}

    def until(self, name: str, wanted: Callable[[Manifest], bool] | str, *, seconds: float = WITHIN) -> Manifest:
        """Wait until a version of the object meets the condition (or is in the phase), and return it.

        Every version counts, including past ones.
        """
        said = wanted if isinstance(wanted, str) else "as wanted"
        test = wanted if callable(wanted) else lambda body: body.get("status", {}).get("phase") == wanted

        def found() -> Manifest | None:
            return next((each for each in self._versions[name] if test(each)), None)

        return self._await(found, lambda: f"{self._kind} {name} never was {said}: {self._short(name)}", seconds)

    def until_latest(self, name: str, wanted: Callable[[Manifest], bool], *, seconds: float = WITHIN) -> Manifest:
        """Wait until the latest version of the object meets the condition."""

        def found() -> Manifest | None:
            versions = self._versions[name]
            return versions[-1] if versions and wanted(versions[-1]) else None

        return self._await(found, lambda: f"{self._kind} {name} is not as wanted: {self._short(name)}", seconds)

    def until_any(self, wanted: Callable[[Manifest], bool], *, seconds: float = WITHIN) -> Manifest:
        """Wait until any object meets the condition, and return it."""

        def found() -> Manifest | None:
            return next((each[-1] for each in self._versions.values() if each and wanted(each[-1])), None)

        return self._await(found, lambda: f"no {self._kind} was as wanted: {list(self._versions)}", seconds)

    def until_all(self, names: Sequence[str], *, phases: Sequence[str] = TERMINAL, seconds: float = WITHIN) -> None:
        """Wait until each of the jobs is in one of the phases."""

        def open_ones() -> list[str]:
            latest = {name: versions[-1] for name, versions in self._versions.items() if versions}
            return [name for name in names if latest.get(name, {}).get("status", {}).get("phase") not in phases]

        self._await(
            lambda: None if open_ones() else True,
            lambda: f"not {' or '.join(phases)}: {[self._short(name) for name in open_ones()[:5]]}",
            seconds,
        )

    def until_count(self, count: int, *phases: str, seconds: float = WITHIN) -> None:
        """Wait until this number of jobs are in one of the phases."""

        def counted() -> int:
            latest = [versions[-1] for versions in self._versions.values() if versions]
            return sum(body.get("status", {}).get("phase") in phases for body in latest)

        self._await(
            lambda: True if counted() >= count else None, lambda: f"only {counted()} are {' or '.join(phases)}", seconds
        )

    def until_change(self, *, seconds: float = WITHIN) -> None:
        """Wait for the next change."""
        before = self._events
        self._await(lambda: True if self._events > before else None, lambda: f"no change of any {self._kind}", seconds)

    def until_gone(self, name: str, *, seconds: float = WITHIN) -> None:
        """Wait until the object is deleted; also reads it, because a restarted watch does not show deletions."""
        deadline = time.monotonic() + seconds
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: name in self._gone, timeout=_ASKED_AFTER):
                    return
                self._require_alive()
            if self._source.get(self._kind, name).status == HTTPStatus.NOT_FOUND:
                return
            assert time.monotonic() < deadline, f"{self._kind} {name} still exists"

    def close(self) -> None:
        """End the watch."""
        with self._opening:
            self._closing.set()
            if self._stream is not None:
                self._stream.close()
        self._thread.join()
        self._require_alive()

    def open(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def _await(self, found: Callable[[], T | None], lack: Callable[[], str], seconds: float) -> T:
        deadline = time.monotonic() + seconds
        with self._changed:
            while (result := found()) is None:
                self._require_alive()
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"within {seconds:.0f} s: {lack()}")
            return result

    def _short(self, name: str) -> str:
        versions = self._versions[name]
        return f"{name}: {json.dumps(versions[-1].get('status'))}" if versions else f"{name}: never seen"

    def _require_alive(self) -> None:
        if self._failure is not None:
            raise AssertionError(f"the watch of {self._kind} stopped") from self._failure

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - every error must fail the waiting test
            if self._closing.is_set():
                return  # a TLS connection that is shut down while it is read returns its encrypted bytes
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _follow(self) -> None:
        while not self._closing.is_set():
            with suppress(HTTPError):
                for event in self._reopened():
                    if not self._take(event):
                        break  # the next watch lists again
            self._closing.wait(_REOPEN_PAUSE)

    def _reopened(self) -> Iterable[Manifest]:
        with self._opening:
            if self._closing.is_set():
                return ()
            self._stream = self._source.watch(self._kind)
            self._watches += 1
            return self._stream

    def _take(self, event: Manifest) -> bool:
        """Process an event; return False if the watch must be restarted."""
        body: Manifest = event["object"]
        if event["type"] == "ERROR":
            return False
        name = body["metadata"]["name"]
        with self._changed:
            versions = self._versions[name]
            if not versions or versions[-1]["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
                versions.append(body)
                self._histories[name, body["metadata"].get("uid", "")].append(Version(body, self._watches))
            self._events += 1
            (self._gone.add if event["type"] == "DELETED" else self._gone.discard)(name)
            self._changed.notify_all()
        return True


@contextmanager
def watching(kubectl: Kubectl, kind: str) -> Iterator[Watch]:
    """Watch until the block ends."""
    watch = Watch(kubectl.api, kind)
    watch.open()
    try:
        yield watch
    finally:
        watch.close()
