"""The gate admits as many requests as the API server can take, first come, first served."""

import asyncio

import pytest

from provisioner_operator.controller import clock
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.core.concurrency_limit import GROWTH_SECONDS
from provisioner_operator.kube.errors import BusyError
from support.virtual_time import now, virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")


class Requests:
    """Requests that enter the gate one after the other and take some seconds each."""

    def __init__(self, gate: WriteGate) -> None:
        self._gate = gate
        self._tasks: list[asyncio.Task[None]] = []
        self.entered: list[tuple[int, float]] = []
        self.inside = 0
        self.most_inside = 0

    def start(self, count: int, *, seconds: float) -> None:
        for number in range(count):
            self._tasks.append(asyncio.create_task(self._send(number, seconds)))

    async def finish(self) -> None:
        await asyncio.gather(*self._tasks)

    def cancel(self, number: int) -> None:
        self._tasks[number].cancel()

    async def _send(self, number: int, seconds: float) -> None:
        await self._gate.enter()
        self.entered.append((number, now()))
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await asyncio.sleep(seconds)
        self.inside -= 1
        self._gate.leave()


def refuse(gate: WriteGate, *, retry_after: float | None = None) -> None:
    gate.refused(BusyError("too many", retry_after), sent=clock.read().monotonic)


@virtual_time
async def test_no_more_than_the_limit_are_inside_and_the_others_follow_in_order() -> None:
    requests = Requests(WriteGate(2))
    requests.start(5, seconds=10)
    await requests.finish()
    assert requests.entered == [(0, 0), (1, 0), (2, 10), (3, 10), (4, 20)]
    assert requests.most_inside == 2


@virtual_time
async def test_after_a_refusal_nobody_enters_before_the_time_that_it_names() -> None:
    gate = WriteGate(8)
    refuse(gate, retry_after=7)
    requests = Requests(gate)
    requests.start(1, seconds=0)
    await requests.finish()
    assert requests.entered == [(0, 7)]


@virtual_time
async def test_after_a_refusal_half_as_many_are_admitted() -> None:
    gate = WriteGate(4)
    refuse(gate)
    requests = Requests(gate)
    requests.start(4, seconds=1)
    await requests.finish()
    assert requests.most_inside == 2


@virtual_time
async def test_a_refusal_that_came_while_a_request_waited_holds_it_back_too() -> None:
    gate = WriteGate(1)
    requests = Requests(gate)
    requests.start(2, seconds=1)
    await asyncio.sleep(0.5)
    refuse(gate, retry_after=5)
    await requests.finish()
    assert requests.entered == [(0, 0), (1, 5.5)]


@virtual_time
async def test_a_limit_that_has_grown_admits_several_at_once() -> None:
    gate = WriteGate(4)
    for _ in range(2):
        await asyncio.sleep(1)
        refuse(gate, retry_after=0)  # at most 2, then 1
    requests = Requests(gate)
    requests.start(3, seconds=10)
    for _ in range(3):
        await asyncio.sleep(GROWTH_SECONDS)
        gate.answered()
    await requests.finish()
    times = [at - 2 for _, at in requests.entered]
    assert times == [0, 10, 10]


@virtual_time
async def test_a_request_that_no_longer_waits_takes_nobodys_turn() -> None:
    requests = Requests(WriteGate(1))
    requests.start(3, seconds=10)
    await asyncio.sleep(1)
    requests.cancel(1)
    await asyncio.sleep(30)
    assert requests.entered == [(0, 0), (2, 10)]


@virtual_time
async def test_a_lower_limit_is_logged_once_for_a_burst_of_refusals(caplog: pytest.LogCaptureFixture) -> None:
    gate = WriteGate(8)
    await asyncio.sleep(1)
    sent = clock.read().monotonic - 0.5
    for _ in range(3):
        gate.refused(BusyError("too many", None), sent=sent)
    assert [record.getMessage().split(". ")[1] for record in caplog.records] == [
        "At most 4 writes at a time until it has capacity again"
    ]
