"""Observe one object with the user's own client, through outages: an archive while it grows."""

import asyncio
from collections.abc import AsyncGenerator

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import GoneError, UnreachableError
from provisioner_operator.kube.object_states import Body

RETRY_SECONDS = 2.0
"""Pause after an outage."""


async def object_versions(client: KubeClient, collection: str, name: str) -> AsyncGenerator[Body | None, None]:
    """Yield the object as it is, and again after each change; None while there is none. Ends never.

    Raises the error of a request that the API server refuses.
    """
    selector = f"metadata.name={name}"
    while True:
        try:
            page = await client.get(collection, fieldSelector=selector)
            yield page["items"][0] if page["items"] else None
            version = page["metadata"]["resourceVersion"]
            async for kind, body in client.watch(collection, resource_version=version, field_selector=selector):
                if kind != "BOOKMARK":
                    yield None if kind == "DELETED" else body
        except (GoneError, UnreachableError):
            await asyncio.sleep(RETRY_SECONDS)
