"""Whoever waits for a change learns of it, and can ask what changed since an earlier one."""

import asyncio

from provisioner_operator.web.index.changes import Change, Changes


def a_change(uid: str) -> Change:
    return Change("provisionerjobs", "acme", uid)


def test_each_changed_object_is_named_once() -> None:
    changes = Changes()
    for uid in ("a", "b", "a", "c"):
        changes.note(a_change(uid))

    assert changes.version == 4
    assert changes.since(0) == [a_change("a"), a_change("b"), a_change("c")]
    assert changes.since(3) == [a_change("c")]
    assert changes.since(4) == []


def test_what_changed_too_long_ago_is_unknown() -> None:
    changes = Changes()
    for number in range(5000):
        changes.note(a_change(str(number)))

    assert changes.since(0) is None
    assert changes.since(903) is None
    assert len(changes.since(904) or ()) == 4096


def test_after_a_change_of_everything_earlier_versions_know_nothing() -> None:
    changes = Changes()
    changes.note(a_change("a"))
    changes.start_over()
    changes.note(a_change("b"))

    assert changes.version == 3
    assert changes.since(1) is None
    assert changes.since(2) == [a_change("b")]


def test_a_version_that_was_never_reached_has_no_changes() -> None:
    assert Changes().since(7) == []


def test_those_who_wait_learn_of_the_next_change() -> None:
    async def run() -> list[int]:
        changes = Changes()
        waiting = [asyncio.create_task(changes.after(version)) for version in (0, 1)]
        await asyncio.sleep(0)
        changes.note(a_change("a"))
        first = await waiting[0]
        changes.note(a_change("b"))
        changes.note(a_change("c"))
        return [first, await waiting[1], await changes.after(2)]

    assert asyncio.run(run()) == [1, 3, 3]


def test_who_gives_up_waiting_is_forgotten() -> None:
    async def run() -> None:
        changes = Changes()
        waiting = asyncio.create_task(changes.after(0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        changes.note(a_change("a"))
        assert changes.version == 1

    asyncio.run(run())
