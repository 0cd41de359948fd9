"""The tests' own watch, whose failure would hide others."""

from collections.abc import Iterator

import pytest
from typing_extensions import override
from urllib3.exceptions import ProtocolError

from support.cluster import watching
from support.cluster.watching import Watch
from support.manifests import Manifest
from unit.support.scripted_watch import ENDED, ScriptedSource, ScriptedStream


def an_event(kind: str, **metadata: str) -> Manifest:
    return {"type": kind, "object": {"kind": "ProvisionerJob", "metadata": metadata, "status": {}}}


FIRST, SECOND = (an_event("ADDED", name=name, resourceVersion=name) for name in ("first", "second"))
ERROR = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "metadata": {}}}
BROKEN = ProtocolError("connection broken")


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


class GarbledWhenClosed(ScriptedStream):
    """Yields what is no event once it is closed."""

    @override
    def __iter__(self) -> Iterator[Manifest]:
        yield from super().__iter__()
        yield {"garbled": True}


def test_what_is_read_while_a_watch_is_closed_does_not_count() -> None:
    watch = Watch(ScriptedSource(GarbledWhenClosed(FIRST)), "pj")
    watch.open()
    watch.until("first", lambda _: True)

    watch.close()
