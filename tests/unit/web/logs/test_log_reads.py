"""Whole logs are read a few at a time, and one user does not take all places."""

import asyncio

import pytest

from provisioner_operator.web.logs.log_reads import MOST_PER_USER, MOST_READS, LogReads
from provisioner_operator.web.problems import Problem
from support.virtual_time import now, virtual_time


async def read(reads: LogReads, user: str) -> float:
    async with reads.place(user):
        await asyncio.sleep(1)
        return now()


@virtual_time
async def test_threat_22_further_readers_wait_for_their_turn() -> None:
    reads = LogReads()
    ended = await asyncio.gather(*(read(reads, f"user-{number}") for number in range(MOST_READS + 1)))

    assert ended == [1.0] * MOST_READS + [2.0]


@virtual_time
async def test_threat_22_one_user_reads_a_few_logs_at_a_time() -> None:
    reads = LogReads()
    reading = [asyncio.create_task(read(reads, "ada")) for _ in range(MOST_PER_USER)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await read(reads, "ada")
    assert refused.value.status == 429
    assert await read(reads, "sam") == 1.0

    await asyncio.gather(*reading)
    assert await read(reads, "ada") == 2.0
