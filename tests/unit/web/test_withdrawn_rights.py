"""A stream whose rendering depends on several rights ends when any of them is withdrawn, not only the main one."""

import asyncio
from dataclasses import dataclass, field, replace

import httpx
import pytest
from starlette.types import Message

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.access.caller import Caller, Question
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.page.jobs import log_routes
from provisioner_operator.web.streams import Streams
from support.builders.core import NOON
from support.coder.api_world import ACME, ApiWorld, uid

JOB = f"/organizations/{ACME}/provisioner-jobs/dev-2"


@dataclass
class WithdrawnAtOnce:
    """Every right in acme, of which one is withdrawn as soon as it was reviewed."""

    verb: str
    resource: str
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> bool:
        self.asked.append(question)
        is_first = self.asked.count(question) == 1
        return question.namespace == ACME and (
            is_first or (question.verb, question.resource) != (self.verb, self.resource)
        )


def a_world(withdrawn: WithdrawnAtOnce) -> ApiWorld:
    """An installation whose streams review their rights before each event."""
    world = ApiWorld()
    world.users.rights = {"sam": withdrawn}
    streams = Streams(lambda: Instant(NOON, 0), recheck_seconds=0)
    world.app.state.context = replace(world.app.state.context, streams=streams)
    return world


def read_to_the_end(world: ApiWorld, path: str) -> str:
    async def reading() -> str:
        headers = {"Coder-Session-Token": "sam-token", "Accept": "text/event-stream"}
        async with (
            asyncio.timeout(10),
            httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://localhost") as client,
        ):
            return (await client.get(path, headers=headers)).text

    return asyncio.run(reading())


@pytest.mark.parametrize(
    ("path", "verb", "resource"),
    [
        ("/", "list", DAEMONS),
        ("/", "list", WORKSPACES),
        (f"/organizations/{ACME}/provisioner-jobs", "cancel", JOBS),
        (f"/organizations/{ACME}/provisioner-jobs", "patch", JOBS),
        (JOB, "cancel", JOBS),
        (JOB, "patch", JOBS),
        (JOB, "delete", JOBS),
        (JOB, "create", JOBS),
        (JOB, "impersonate", JOBS),
        (JOB, "patch", WORKSPACES),
        (JOB, "impersonate", WORKSPACES),
        (JOB, "patch", TEMPLATES),
        (JOB, "list", DAEMONS),
        (f"/organizations/{ACME}/provisioners", "list", JOBS),
        (f"/organizations/{ACME}/provisioners", "patch", DAEMONS),
        (f"/organizations/{ACME}/workspaces", "list", JOBS),
        (f"/organizations/{ACME}/workspaces", "patch", WORKSPACES),
        (f"/organizations/{ACME}/workspaces", "impersonate", WORKSPACES),
        (f"/organizations/{ACME}/workspaces/dev", "list", JOBS),
        (f"/organizations/{ACME}/workspaces/dev", "delete", WORKSPACES),
    ],
)
def test_threat_11_a_page_connects_again_when_a_part_of_it_may_not_be_seen(path: str, verb: str, resource: str) -> None:
    events = read_to_the_end(a_world(WithdrawnAtOnce(verb, resource)), path)
    assert events == "event: end\ndata: reload\n\n"


@pytest.mark.parametrize("resource", ["pods", "configmaps"])
def test_threat_11_a_followed_log_ends_with_the_right_to_read_it(
    resource: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(_caller: Caller, org: str, name: str) -> ObjectRef:
        return ObjectRef(org, name, uid(JOBS, name))

    monkeypatch.setattr(log_routes, "_target", found)
    rights = WithdrawnAtOnce("get", resource)
    assert read_to_the_end(a_world(rights), f"{JOB}/logs") == "event: end\ndata: forbidden\n\n"
    assert Question("get", "pods", ACME, "busy", "log", group="") in rights.asked


async def messages_of(world: ApiWorld, path: str) -> list[Message]:
    """Open a WebSocket, and return what it sends until the server is done with it."""
    coming: asyncio.Queue[Message] = asyncio.Queue()
    coming.put_nowait({"type": "websocket.connect"})
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"coder-session-token", b"sam-token")]
    scope = {"type": "websocket", "path": path, "query_string": b"follow", "headers": headers, "subprotocols": []}
    async with asyncio.timeout(10):
        await world.app(scope, coming.get, send)
    return sent


@pytest.mark.parametrize("resource", ["pods", "configmaps"])
def test_threat_11_a_socket_closes_with_the_right_to_read_its_log(resource: str) -> None:
    path = f"/api/v2/workspacebuilds/{uid(JOBS, 'dev-2')}/logs"
    accepted, closed = asyncio.run(messages_of(a_world(WithdrawnAtOnce("get", resource)), path))
    assert accepted["type"] == "websocket.accept"
    assert (closed["code"], closed["reason"]) == (1008, "forbidden")
