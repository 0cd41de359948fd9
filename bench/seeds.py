"""Many objects at once: copies of one that the API server has stored, written directly into etcd.

Creating a hundred thousand jobs through the API would take minutes that no scenario measures. The copies are identical to
objects created that way, except for names, uids and workspaces.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import uuid
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from bench.client import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner_devcluster import ControlPlane

_BATCH = 100
"""Objects per transaction; etcd allows 128 operations."""
_LANES = 4
_PREFIX = "/registry/provisioner.dev/provisionerjobs"


async def multiply(plane: ControlPlane, namespace: str, template: str, names: Sequence[str]) -> int:
    """Store copies of the namespace's job `template` under these names, and return the bytes of one."""
    url, authority, client = plane.etcd
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(client.certificate, client.key)
    batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(ssl=context)) as session:
        found = await _ask(session, "range", {"key": _encoded(f"{_PREFIX}/{namespace}/{template}")})
        value = base64.b64decode(found["kvs"][0]["value"])
        stored = orjson.loads(value)
        waiting = iter(batches)

        async def lane() -> None:
            for batch in waiting:
                await _ask(session, "txn", {"success": [_put(stored, namespace, name) for name in batch]})

        async with asyncio.TaskGroup() as group:
            for _ in range(_LANES):
                group.create_task(lane())
    return len(value)


def _put(stored: dict[str, Any], namespace: str, name: str) -> dict[str, Any]:
    copy = stored | {
        "metadata": stored["metadata"] | {"name": name, "uid": str(uuid.uuid4())},
        "spec": stored["spec"] | {"workspaceRef": {"name": name}},
    }
    value = base64.b64encode(orjson.dumps(copy)).decode()
    return {"requestPut": {"key": _encoded(f"{_PREFIX}/{namespace}/{name}"), "value": value}}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def _ask(session: aiohttp.ClientSession, what: str, body: dict[str, Any]) -> dict[str, Any]:
    async with session.post(f"/v3/kv/{what}", data=orjson.dumps(body)) as response:
        content = await response.read()
        if not response.ok:
            raise BenchError(f"etcd rejected a {what}: HTTP {response.status} {content[:300]!r}")
    answer: dict[str, Any] = orjson.loads(content)
    return answer
