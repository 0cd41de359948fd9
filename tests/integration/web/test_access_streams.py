"""Open streams end with the user's right, account or token, on a real API server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.access.answer_cache import Lifetimes
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.problems import Problem
from provisioner_operator.web.server import read_clocks
from provisioner_operator.web.streams import StreamEnd, StreamEndedError, Streams
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.programs.web_access import a_request, an_authenticator
from support.programs.web_server import WebUsers

WITHIN = 60.0
"""Timeout in seconds for what takes a moment."""


async def silence() -> AsyncIterator[int]:
    await asyncio.Event().wait()
    yield 0


async def end_of(streams: Streams, caller: Caller, namespace: str) -> StreamEnd:
    async def permitted() -> bool:
        return namespace in await caller.visible(JOBS)

    async with asyncio.timeout(WITHIN):
        try:
            async for _ in streams.guarded(caller, permitted, silence()):
                pass
        except StreamEndedError as error:
            return error.end
    raise AssertionError


def test_threat_11_a_stream_ends_when_the_right_is_withdrawn(web: WebUsers, cluster: Cluster, admin: Kubectl) -> None:
    namespace = str(admin.namespace)

    async def watch() -> StreamEnd:
        async with an_authenticator(cluster.kubeconfig, (namespace,)) as access:
            caller = await access.caller(a_request(web.token("viewer")))
            reading = asyncio.create_task(end_of(Streams(read_clocks, recheck_seconds=0.1), caller, namespace))
            await asyncio.sleep(0)
            binding = f"{web.name('viewer')}-{web.roles['viewer']}"
            await asyncio.to_thread(admin.delete, "rolebinding", binding)
            return await reading

    assert asyncio.run(watch()) is StreamEnd.FORBIDDEN


def test_threat_11_a_deleted_user_is_signed_out(web: WebUsers, cluster: Cluster, admin: Kubectl) -> None:
    async def watch() -> int:
        async with an_authenticator(cluster.kubeconfig, ()) as access:
            request = a_request(web.token("viewer"))
            await access.caller(request)
            await asyncio.to_thread(admin.delete, "serviceaccount", "viewer")
            async with asyncio.timeout(WITHIN):
                while True:
                    try:
                        await access.caller(request)
                    except Problem as problem:
                        return problem.status
                    await asyncio.sleep(Lifetimes(0.1).yes)

    assert asyncio.run(watch()) == httpx.codes.UNAUTHORIZED


def test_threat_12_a_stream_ends_with_a_short_lived_token(web: WebUsers, cluster: Cluster, admin: Kubectl) -> None:
    namespace = str(admin.namespace)
    web.token("viewer")
    token = web.new_token("viewer", seconds=600)
    shift = 0.0

    def clock() -> Instant:
        now = read_clocks()
        return replace(now, wall=now.wall + shift)

    async def watch() -> tuple[StreamEnd, int]:
        nonlocal shift
        async with an_authenticator(cluster.kubeconfig, (namespace,), clock=clock) as access:
            caller = await access.caller(a_request(token))
            assert caller.expires is not None
            assert 0 < caller.expires - clock().wall <= 600
            shift = caller.expires - clock().wall - 0.5
            end = await end_of(Streams(clock), caller, namespace)
            with pytest.raises(Problem) as refused:
                await access.caller(a_request(token))
            return end, refused.value.status

    assert asyncio.run(watch()) == (StreamEnd.SIGNED_OUT, httpx.codes.UNAUTHORIZED)
