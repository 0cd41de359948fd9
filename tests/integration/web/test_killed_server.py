"""A server is killed in the middle of its streams: readers notice, go on at another one, and learn nothing false."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from integration.conftest import ROLES
from support.builders.manifests import role_binding
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.programs.event_reader import EventReader, ServerEvent
from support.programs.web_server import WebProgram, WebUsers, a_web_server
from support.test_namespace import ProductNamespace, a_serving_namespace
from support.unique import unique

HERE, NOWHERE = {"place": "here"}, {"place": "nowhere"}
USER = "reader"
Jobs = Mapping[str, str]
"""Status of each job by its uid, as a reader knows it."""


@pytest.fixture(scope="module")
def product(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace with a controller and a daemon."""
    with a_serving_namespace(cluster, module_namespace, tags=HERE) as product:
        yield product


@pytest.fixture
def doomed(cluster: Cluster) -> Iterator[WebProgram]:
    """A web server to be killed."""
    with a_web_server(cluster.kubeconfig) as program:
        yield program


@pytest.fixture(scope="module")
def users(product: ProductNamespace, web_server: WebProgram) -> Iterator[WebUsers]:
    """The users of a server that goes on; `reader` may also read logs."""
    users = WebUsers(product.admin, web_server.url, ROLES | {USER: "provisioner-viewer"})
    users.token(USER)
    grant_roles(product.admin, [role_binding(users.name(USER), "view", namespace=product.namespace)])
    yield users
    users.close()


@contextmanager
def a_client(users: WebUsers, server: WebProgram) -> Iterator[httpx.Client]:
    """The reader's client of one server."""
    with httpx.Client(base_url=server.url, headers={"Coder-Session-Token": users.token(USER)}, timeout=60) as client:
        yield client


def uid(product: ProductNamespace, name: str) -> str:
    return str(product.admin.get("pj", name)["metadata"]["uid"])


def listed(client: httpx.Client, namespace: str) -> dict[str, str]:
    found = client.get(f"/api/v2/organizations/{namespace}/provisionerjobs", params={"limit": "500"}).json()
    return {each["id"]: each["status"] for each in found}


def after(known: Jobs, event: ServerEvent) -> Jobs:
    """Return the statuses that a reader knows after a change."""
    change = json.loads(event.data)
    rest = {key: status for key, status in known.items() if key != change["id"]}
    return rest if change["object"] is None else rest | {change["id"]: change["object"]["status"]}


def test_whoever_follows_changes_misses_none(
    product: ProductNamespace, users: WebUsers, doomed: WebProgram, web_server: WebProgram
) -> None:
    namespace, first, second = product.namespace, unique("first"), unique("second")
    reader = EventReader("/api/provisioner/v1/events", organization=namespace, kind="provisionerjobs")
    with a_client(users, doomed) as client, reader.connected(client) as events:
        assert next(events).name == "ready"
        known: Jobs = listed(client, namespace)
        product.submit(first, tags=NOWHERE)
        while uid(product, first) not in known:
            known = after(known, next(events))
        place = reader.last_id
        doomed.kill()
        with pytest.raises(httpx.TransportError):
            # Nothing says that the stream has ended as it should, or that anything has changed.
            assert [each for each in events if each.name != "change"] == []

    product.submit(second, tags=NOWHERE)
    gone = uid(product, first)
    product.admin.delete("pj", first)
    reader.last_id = place
    with a_client(users, web_server) as client, reader.connected(client) as events:
        assert next(events).name == "reset"
        known = listed(client, namespace)
        while gone in known or uid(product, second) not in known:
            known = after(known, next(events))
        assert known[uid(product, second)] == "pending"
        assert reader.last_id.rpartition("-")[0] != place.rpartition("-")[0]


@contextmanager
def a_socket(server: WebProgram, users: WebUsers, job: str, after: int = 0) -> Iterator[ClientConnection]:
    """The log of a build, as Coder's client follows it."""
    address = f"{server.url.replace('http', 'ws', 1)}/api/v2/workspacebuilds/{job}/logs?follow&after={after}"
    headers = {"Coder-Session-Token": users.token(USER)}
    with connect(address, additional_headers=headers, compression=None, open_timeout=60) as socket:
        yield socket


def numbers_of(event: ServerEvent) -> list[int]:
    return [int(each) for each in re.findall(r'data-line="(\d+)"', event.data)]


def test_whoever_follows_a_log_gets_each_line_once(
    product: ProductNamespace, users: WebUsers, doomed: WebProgram, web_server: WebProgram
) -> None:
    name = unique("talks")
    product.submit_held(name, tags=HERE, lines=5)
    job = uid(product, name)
    page = EventReader(f"/organizations/{product.namespace}/provisioner-jobs/{name}/logs")
    numbers: list[int] = []
    followed: list[Mapping[str, object]] = []
    with (
        a_client(users, doomed) as client,
        page.connected(client) as events,
        a_socket(doomed, users, job) as socket,
    ):
        # The daemon is no Pod, so its lines come with the archive, which it saves first after ten seconds.
        while "line 3 of 5" not in (event := next(events)).data:
            numbers += numbers_of(event)
        numbers += numbers_of(event)
        while "line 3 of 5" not in (line := json.loads(socket.recv()))["output"]:
            followed.append(line)
        followed.append(line)
        doomed.kill()
        with pytest.raises(httpx.TransportError):
            numbers.extend(each for event in events for each in numbers_of(event))
        with pytest.raises(ConnectionClosedError):
            followed.extend(json.loads(each) for each in socket)
        # A client would take a close with 1000 for the end of the log.
        assert socket.protocol.close_code == 1006

    with (
        a_client(users, web_server) as client,
        page.connected(client) as events,
        a_socket(web_server, users, job, int(str(followed[-1]["id"]))) as socket,
    ):
        product.ledger.release(name)
        for event in takewhile(lambda each: each.name == "lines", events):
            numbers += numbers_of(event)
        followed += map(json.loads, socket)
        assert socket.protocol.close_code == 1000

    whole = users.client(USER).get(f"/api/v2/workspacebuilds/{job}/logs").json()
    assert followed == whole
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == 6, "the five of the program, and the daemon's"
