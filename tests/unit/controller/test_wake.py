"""The wake-up of the decision loop and how long it has been due."""

import asyncio

import pytest

from provisioner_operator.controller import clock
from provisioner_operator.controller.wake import Wake
from support.virtual_time import now, virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")


def waited(wake: Wake) -> float:
    return wake.waiting(clock.read().monotonic)


@virtual_time
async def test_it_waits_until_it_is_set_and_stays_set_until_it_is_cleared() -> None:
    wake = Wake()
    asyncio.get_running_loop().call_later(3, wake.set)
    await wake.wait()
    await wake.wait()
    assert now() == 3
    wake.clear()
    asyncio.get_running_loop().call_later(2, wake.set)
    await wake.wait()
    assert now() == 5


@virtual_time
async def test_the_first_of_several_calls_is_the_one_that_counts() -> None:
    wake = Wake()
    assert waited(wake) == 0
    wake.set()
    await asyncio.sleep(10)
    wake.set()
    await asyncio.sleep(5)
    assert waited(wake) == 15
    wake.clear()
    assert waited(wake) == 0
    wake.set()
    await asyncio.sleep(1)
    assert waited(wake) == 1
