"""A reader of server-sent events, which connects again where it was cut off, as a browser's EventSource does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event."""

    name: str
    data: str


class EventReader:
    """Reads one stream, from one server after the other."""

    def __init__(self, path: str, **query: str) -> None:
        self._path = path
        self._query = query
        self.last_id = ""
        """Id of the last event that arrived whole."""

    @contextmanager
    def connected(self, client: httpx.Client) -> Iterator[Iterator[ServerEvent]]:
        """Connect to a server, and return what arrives."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        with client.stream("GET", self._path, params=self._query, headers=headers) as answer:
            assert answer.status_code == httpx.codes.OK
            yield self._events(answer.iter_lines())

    def _events(self, lines: Iterator[str]) -> Iterator[ServerEvent]:
        fields: dict[str, str] = {}
        for line in lines:
            if not line:
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    yield ServerEvent(fields.get("event", "message"), fields["data"])
                fields = {}
                continue
            name, _, value = line.partition(":")
            fields[name] = "\n".join(
                filter(None, (fields.get(name) if name == "data" else "", value.removeprefix(" ")))
            )
