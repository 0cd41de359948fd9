"""The tests' own watch, whose failure would hide others."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from typing_extensions import override
from urllib3.exceptions import ProtocolError

from support.cluster import watching
from support.cluster.api import Reply
from support.cluster.watching import Source, Stream, Watch
from support.manifests import Manifest


def an_event(kind: str, **metadata: str) -> Manifest:
    return {"type": kind, "object": {"kind": "ProvisionerJob", "metadata": metadata, "status": {}}}


FIRST, SECOND = (an_event("ADDED", name=name, resourceVersion=name) for name in ("first", "second"))
ERROR = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "metadata": {}}}
BROKEN = ProtocolError("connection broken")
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


@pytest.mark.parametrize("end", [ERROR, ENDED, BROKEN], ids=["error event", "end", "broken connection"])
def test_a_watch_that_the_api_server_ends_lists_again(end: object) -> None:
    watch = Watch(ScriptedSource(ScriptedStream(FIRST, end), ScriptedStream(SECOND)), "pj")
    watch.open()
    watch.until("second", lambda _: True)
    assert set(watch.latest()) == {"first", "second"}
    watch.close()


def test_a_deletion_that_the_watch_missed_is_found_by_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_ASKED_AFTER", 0.01)
    watch = Watch(ScriptedSource(ScriptedStream(FIRST)), "pj")
    watch.open()
    watch.until_gone("first")
    watch.close()


def test_a_watch_that_dies_fails_its_test() -> None:
    watch = Watch(ScriptedSource(ScriptedStream(an_event("ADDED"))), "pj")  # an object without a name
    watch.open()
    with pytest.raises(AssertionError, match="the watch of pj stopped"):
        watch.until("dev", "Running")
    with pytest.raises(AssertionError, match="the watch of pj stopped"):
        watch.close()
