"""A caller sees the namespaces whose objects the API server lets this user list."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.web.access.caller import Caller, Question, User, user_id
from support.virtual_time import virtual_time


class Rights:
    """Allows what it is made of, and notes what it was asked."""

    def __init__(self, *allowed: Question) -> None:
        self._allowed = frozenset(allowed)
        self.asked: list[Question] = []

    async def __call__(self, question: Question) -> bool:
        self.asked.append(question)
        return question in self._allowed


def a_caller(rights: Rights, namespaces: Collection[str] = ("red", "blue")) -> Caller:
    client = KubeClient.__new__(KubeClient)  # sends nothing
    return Caller(User("ada"), client, None, "digest", rights, lambda: namespaces)


@virtual_time
async def test_a_right_for_all_namespaces_is_one_question() -> None:
    rights = Rights(Question("list", "provisionerjobs"))

    assert await a_caller(rights).visible("provisionerjobs") == {"red", "blue"}
    assert len(rights.asked) == 1


@virtual_time
async def test_otherwise_each_namespace_is_asked_for() -> None:
    rights = Rights(Question("list", "provisionerjobs", "red"))

    assert await a_caller(rights).visible("provisionerjobs") == {"red"}
    assert await a_caller(rights).visible("workspaces") == frozenset()


@virtual_time
async def test_only_the_namespaces_that_matter_are_asked_for() -> None:
    rights = Rights(Question("list", "provisionerjobs", "red"), Question("list", "provisionerjobs", "gone"))

    assert await a_caller(rights).visible("provisionerjobs", {"red", "gone"}) == {"red"}
    asked = {each.namespace for each in rights.asked}
    assert asked == {"", "red", "gone"}, "also one that does not exist: a quicker answer would tell which do"


@virtual_time
async def test_all_namespaces_are_asked_for_once_by_requests_at_the_same_time() -> None:
    rights = Rights(Question("list", "provisionerjobs", "red"))
    first = a_caller(rights)
    second, other = replace(first), replace(first, key="another digest")

    found = await asyncio.gather(*(each.visible("provisionerjobs") for each in (first, second)))
    assert found == [{"red"}, {"red"}]
    assert len(rights.asked) == 3
    await asyncio.gather(*(each.visible("provisionerjobs") for each in (first, other)))
    assert len(rights.asked) == 9


@virtual_time
async def test_an_action_on_one_object_is_one_question() -> None:
    rights = Rights(Question("get", "pods", "red", "daemon", "log", ""))
    caller = a_caller(rights)

    assert await caller.may("get", "pods", "red", "daemon", "log", group="")
    assert not await caller.may("get", "pods", "red", "daemon", "log")


def test_a_user_has_the_same_id_everywhere() -> None:
    assert User("ada").id == user_id("ada")
    assert User("ada").id != user_id("sam")


@virtual_time
async def test_what_is_known_is_answered_without_giving_way_to_others() -> None:
    """On a busy server, each time a request gives way it waits for all that the others have to do."""
    others: list[None] = []
    caller = a_caller(Rights(Question("list", "provisionerjobs", "red")))
    waiting = asyncio.create_task(asyncio.sleep(0))
    waiting.add_done_callback(lambda _: others.append(None))

    assert await caller.visible("provisionerjobs", {"red"}) == {"red"}
    assert await caller.allowed_in("patch", "provisionerjobs", {"red"}) == frozenset()

    assert not others
    await waiting
