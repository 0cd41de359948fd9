import asyncio

import pytest

from provisioner_operator.controller.writes.fair_queue import FairQueue
from support.virtual_time import run_in_virtual_time


async def got(queue: FairQueue[int], count: int) -> list[tuple[str, int]]:
    return [await queue.get() for _ in range(count)]


def test_namespaces_are_served_in_turn_each_in_its_order() -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(100)
        for number in range(3):
            queue.put("busy", number)
        queue.put("other", 10)
        queue.put("third", 20)
        assert await got(queue, 5) == [("busy", 0), ("other", 10), ("third", 20), ("busy", 1), ("busy", 2)]

    run_in_virtual_time(main())


def test_the_lowest_rank_of_a_namespace_goes_first_and_earns_it_no_turn() -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(100)
        for number, rank in enumerate((3, 1, 3, 0, 1)):
            queue.put("busy", number, rank)
        queue.put("other", 10, 3)
        assert await got(queue, 6) == [("busy", 3), ("other", 10), ("busy", 1), ("busy", 4), ("busy", 0), ("busy", 2)]

    run_in_virtual_time(main())


def test_one_namespace_never_has_all_the_room() -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(2)
        for number in range(3):
            queue.put("busy", number)
        assert await got(queue, 2) == [("busy", 0), ("busy", 1)]
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        assert not waiting.done()
        queue.put("other", 10)
        assert await waiting == ("other", 10)
        queue.done("busy")
        assert await queue.get() == ("busy", 2)

    run_in_virtual_time(main())


def test_work_that_comes_wakes_who_waits() -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(5)
        waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(1)
        for number in range(3):
            queue.put("a", number)
        assert sorted(await asyncio.gather(*waiting)) == [("a", 0), ("a", 1), ("a", 2)]

    run_in_virtual_time(main())


@pytest.mark.parametrize("after", [0, 1], ids=["while it waits", "as it is woken"])
def test_who_is_canceled_takes_no_work_with_it(after: int) -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(5)
        first, second = (asyncio.create_task(queue.get()) for _ in range(2))
        await asyncio.sleep(1)
        if not after:
            first.cancel()
            await asyncio.sleep(1)
        queue.put("a", 1)
        first.cancel()
        assert await second == ("a", 1)

    run_in_virtual_time(main())


def test_who_is_canceled_just_before_work_comes_is_canceled() -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(5)
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        waiting.cancel()
        queue.put("a", 1)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await queue.get() == ("a", 1)

    run_in_virtual_time(main())


def test_it_is_drained_once_all_work_is_done() -> None:
    async def main() -> None:
        queue: FairQueue[int] = FairQueue(5)
        await queue.drained()
        queue.put("a", 1)
        drained = asyncio.create_task(queue.drained())
        await queue.get()
        await asyncio.sleep(1)
        assert not drained.done()
        queue.done("a")
        await drained

    run_in_virtual_time(main())
