"""Identities in a state: which texts and numbers are uids, versions, processes or times, and whose they are."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from simulation.server import Server
from support.json_patches import Body

_SPECIAL = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
    r"|(?P<uid>[a-z]+-uid(?:-of-version)?(?:-\d+)?)"
    r"|(?P<process>[\w-]+-process)-(?P<number>\d+)"
    r"|(?P<version>(?<!\d)1\d{6}(?!\d))"
)

Atom = Any
"""A value that is the same in equal states, or one of the marked tuples below until it is resolved."""
TIME, RANK = "<time>", "<rank>"


class Identities:
    """Kind and name of each object that ever existed in one world, by its uid and by its versions."""

    def __init__(self, server: Server) -> None:
        self._names: dict[str, tuple[str, int]] = {}
        self._owners: dict[int, str] = {}
        for listeners in server.listeners.values():
            listeners.append(self._changed)
        for body in server.objects.values():
            self._changed(None, body)

    def uid(self, uid: str) -> Atom:
        name, number = self._names.get(uid, (uid, 0))
        return (RANK, name, number)

    def version(self, version: int) -> Atom:
        return (RANK, f"version of {self._owners.get(version)}", version)

    def _changed(self, _: Body | None, new: Body | None) -> None:
        if new is not None:
            meta = new["metadata"]
            name = f"{new['kind']} {meta['name']}"
            self._names.setdefault(meta["uid"], (name, len(self._names)))
            self._owners[int(meta["resourceVersion"])] = name


@lru_cache(maxsize=100_000)
def parts_of(text: str) -> tuple[tuple[str, Any], ...]:
    """Split a text into its constant and its special parts; return nothing for one that is constant."""
    parts: list[tuple[str, Any]] = []
    end = 0
    for match in _SPECIAL.finditer(text):
        parts.append(("text", text[end : match.start()]))
        end = match.end()
        kind = str(match.lastgroup)
        if kind == "time":
            parts.append((kind, datetime.fromisoformat(match[kind]).timestamp()))
        elif kind == "number":
            parts.append(("process", (match["process"], int(match[kind]))))
        else:
            parts.append((kind, match[kind]))
    return (*parts, ("text", text[end:])) if parts else ()
