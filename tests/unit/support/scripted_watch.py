"""Source of watches whose events are scripted, for tests of the tests' own watch."""

import threading
from collections.abc import Iterator
from typing import Any

from typing_extensions import override

from support.cluster.api import Reply
from support.cluster.watching import Source, Stream
from support.manifests import Manifest

ENDED = None
"""The server ends the watch."""


class ScriptedStream(Stream):
    """Yields these events, raises these errors, and then hangs, unless the last event is ENDED."""

    def __init__(self, *events: Any) -> None:
        self._events = events
        self._closed = threading.Event()

    @override
    def __iter__(self) -> Iterator[Manifest]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            if event is ENDED:
                return
            yield event
        self._closed.wait()

    @override
    def close(self) -> None:
        self._closed.set()


class ScriptedSource(Source):
    """Answers each watch with the next of these scripts."""

    def __init__(self, *streams: ScriptedStream) -> None:
        self._streams = iter(streams)

    @override
    def get(self, kind: str, name: str) -> Reply:
        return Reply(f"get {kind} {name}", 404, {})

    @override
    def watch(self, kind: str) -> Stream:
        return next(self._streams, ScriptedStream())
