"""The changes of the index that a user may see, as server-sent events that can be resumed.

An event's id names the server's process and a version of its index, which it hides: the version counts foreign changes too. A client that reconnects sends the last id; if that is
of another process or too old, the event `reset` tells it to read the lists anew.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.api.models import ChangeEvent
from provisioner_operator.web.api.opaque_number import hide, reveal
from provisioner_operator.web.coder.convert.daemons import provisioner_daemon
from provisioner_operator.web.coder.convert.jobs import provisioner_job
from provisioner_operator.web.coder.convert.readable import is_readable
from provisioner_operator.web.coder.convert.template_names import object_of as template_object
from provisioner_operator.web.coder.convert.templates import template
from provisioner_operator.web.coder.convert.workspaces import object_of as workspace_object
from provisioner_operator.web.coder.convert.workspaces import workspace
from provisioner_operator.web.event_stream import PING_SECONDS, RETRY, event_bytes
from provisioner_operator.web.index.changes import Change
from provisioner_operator.web.index.cluster_index import ClusterIndex

KINDS = (JOBS, DAEMONS, WORKSPACES, TEMPLATES)
"""Plurals of the kinds whose changes are sent."""
COALESCED_SECONDS = 0.2
"""Time for which changes are gathered: an object that changes twice in it is sent once."""

_VERSION = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Position:
    """Place in the stream of changes of one process."""

    process: str
    version: int

    @property
    def id(self) -> str:
        """Id of an event at this place."""
        return f"{self.process}-{hide(self.version):016x}"


def position_of(text: str, process: str) -> Position | None:
    """Return the place that an id of this process names; None for any other text."""
    found, _, version = text.rpartition("-")
    return Position(process, reveal(int(version, 16))) if found == process and _VERSION.fullmatch(version) else None


@dataclass(frozen=True, slots=True)
class Feed:
    """The changes for one reader."""

    index: ClusterIndex
    caller: Caller
    process: str
    kinds: frozenset[str]
    within: frozenset[str] | None
    """The namespaces of interest; None for all."""

    async def events(self, last_id: str) -> AsyncGenerator[bytes, None]:
        """Yield events from that place on, or from now.

        What the user may not see shows neither in an event nor in the time at which one is sent.
        """
        loop = asyncio.get_running_loop()
        since = position_of(last_id, self.process)
        if since is not None and since.version > self.index.version:
            since = None
        version = self.index.version if since is None else since.version
        yield RETRY
        if since is None:
            yield event_bytes("reset" if last_id else "ready", "{}", self._position(version).id)
        sent = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(sent + PING_SECONDS):
                    await self.index.changed(version)
                    await asyncio.sleep(COALESCED_SECONDS)
            changes, version = self.index.changes_since(version), self.index.version
            events = await self._shown(changes, self._position(version))
            if not events and loop.time() - sent < PING_SECONDS:
                continue
            for each in events or [f": ping\nid: {self._position(version).id}\n\n".encode()]:
                yield each
            sent = loop.time()

    async def _shown(self, changes: Sequence[Change] | None, position: Position) -> list[bytes]:
        """Return the events about those of the changes that the user may see."""
        if changes is None:
            return [event_bytes("reset", "{}", position.id)]
        visible, job_namespaces = await self.visible(), await self.caller.visible(JOBS, self.within)
        shown = [each for each in changes if each.namespace in visible.get(each.plural, ())]
        events = [event_bytes("change", _event(each, self.index, job_namespaces).model_dump_json()) for each in shown]
        # The id follows its changes, so that a client that is cut off among them gets all of them again.
        return [*events, f"id: {position.id}\n\n".encode()] if events else []

    async def visible(self) -> Mapping[str, frozenset[str]]:
        """Return the namespaces of interest whose objects the user may list, by plural. Raises KubeError."""
        return {plural: await self.caller.visible(plural, self.within) for plural in KINDS if plural in self.kinds}

    async def permitted(self) -> bool:
        """Return whether the user may see anything of interest. Raises KubeError."""
        return any((await self.visible()).values())

    def _position(self, version: int) -> Position:
        return Position(self.process, version)


_Convert = Callable[[ClusterIndex, str, Collection[str]], BaseModel | None]
"""Takes the uid of an object, and the namespaces whose jobs may show beside it."""


def _job(index: ClusterIndex, uid: str, _: Collection[str]) -> BaseModel | None:
    row = index.jobs.get(uid)
    return None if row is None else provisioner_job(row, index)


def _daemon(index: ClusterIndex, uid: str, job_namespaces: Collection[str]) -> BaseModel | None:
    row = index.daemons.get(uid)
    return None if row is None else provisioner_daemon(row, index, shows_jobs=row.namespace in job_namespaces)


def _workspace(index: ClusterIndex, uid: str, job_namespaces: Collection[str]) -> BaseModel | None:
    row = index.workspaces.get(uid)
    return (
        None
        if row is None or not is_readable(row, workspace_object)
        else workspace(row, index, shows_jobs=row.namespace in job_namespaces)
    )


def _template(index: ClusterIndex, uid: str, _: Collection[str]) -> BaseModel | None:
    row = index.templates.get(uid)
    return None if row is None or not is_readable(row, template_object) else template(row, index)


_CONVERT: Mapping[str, _Convert] = {JOBS: _job, DAEMONS: _daemon, WORKSPACES: _workspace, TEMPLATES: _template}


def _event(change: Change, index: ClusterIndex, job_namespaces: Collection[str]) -> ChangeEvent:
    return ChangeEvent.model_validate(
        {
            "kind": change.plural,
            "organization_name": change.namespace,
            "id": UUID(change.uid),
            "object": _CONVERT[change.plural](index, change.uid, job_namespaces),
        }
    )
