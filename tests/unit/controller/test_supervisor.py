"""The first task that ends although it must live is named, logged, and ends the process; nothing that was let go does."""

import asyncio
import logging

import pytest

from provisioner_operator.controller.supervisor import Supervisor
from support.virtual_time import virtual_time


class Ended:
    """A supervisor that counts how often it asks the process to end."""

    def __init__(self) -> None:
        self.times = 0
        self.supervisor = Supervisor(self._end)

    def _end(self) -> None:
        self.times += 1

    @property
    def reason(self) -> str | None:
        return None if self.supervisor.failure is None else str(self.supervisor.failure)


async def work(seconds: float, error: Exception | None = None) -> None:
    await asyncio.sleep(seconds)
    if error is not None:
        raise error


def a_task(name: str, seconds: float, error: Exception | None = None) -> asyncio.Task[None]:
    return asyncio.create_task(work(seconds, error), name=name)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "without an error"), (RuntimeError("Session is closed"), "RuntimeError: Session is closed")],
)
@virtual_time
async def test_the_first_task_that_ends_is_the_reason(error: Exception | None, reason: str) -> None:
    ended = Ended()
    tasks = [a_task("watch", 5, error), a_task("writer", 6), a_task("loop", 60)]
    ended.supervisor.require(tasks)
    await asyncio.sleep(4)
    assert (ended.times, ended.reason) == (0, None)
    await asyncio.sleep(10)
    assert ended.times == 1
    assert ended.reason == f"The task 'watch' has ended ({reason}); the controller has to start anew"
    tasks[2].cancel()


@virtual_time
async def test_a_task_that_is_canceled_by_somebody_else_has_ended_too(caplog: pytest.LogCaptureFixture) -> None:
    ended = Ended()
    task = a_task("watch", 60)
    ended.supervisor.require([task])
    with caplog.at_level(logging.CRITICAL):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
    assert ended.reason == "The task 'watch' has ended (it was canceled); the controller has to start anew"
    assert [record.message for record in caplog.records] == [ended.reason]


@virtual_time
async def test_dismissed_tasks_may_end() -> None:
    ended = Ended()
    tasks = [a_task("watch", 5), a_task("writer", 5)]
    ended.supervisor.require(tasks)
    await asyncio.sleep(1)
    ended.supervisor.dismiss(tasks)
    await asyncio.sleep(10)
    assert (ended.times, ended.reason) == (0, None)


@pytest.mark.parametrize("flag", ["stop-flag checker", "stop-flag waiter"])
@virtual_time
async def test_kopfs_tasks_may_end_once_it_was_asked_to_stop(flag: str) -> None:
    ended = Ended()
    # The others end at the same moment, in Kopf's order: it cancels them because this one has ended.
    tasks = [a_task("orchestrator", 60), a_task(flag, 5), a_task("poster", 60)]
    ended.supervisor.require_kopf(tasks)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(1)
    assert (ended.times, ended.reason) == (0, None)


@virtual_time
async def test_the_end_of_one_of_kopfs_tasks_before_is_the_reason() -> None:
    ended = Ended()
    tasks = [a_task("stop-flag checker", 60), a_task("orchestrator", 5, ValueError("404"))]
    ended.supervisor.require_kopf(tasks)
    await asyncio.sleep(6)
    tasks[0].cancel()
    await asyncio.sleep(1)
    assert ended.times == 1
    assert ended.reason == "The task 'orchestrator' has ended (ValueError: 404); the controller has to start anew"
