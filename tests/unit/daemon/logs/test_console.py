"""The daemon's output as JSON lines, with a real pipe that somebody reads, or nobody."""

import asyncio
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from provisioner_operator.daemon.logs import console, output_writer
from provisioner_operator.daemon.logs.console import JsonConsole, logging_to
from provisioner_operator.daemon.logs.output_writer import OutputWriter

FLOOD = ["x" * 1000] * 200
"""More than a pipe holds."""
SECONDS = 60.0


@dataclass
class Pipe:
    """The daemon's output and its reader's end."""

    read: int
    write: int

    def __post_init__(self) -> None:
        self.writer = OutputWriter(self.write)
        self.console = JsonConsole(self.writer)
        self._unread = b""

    def take(self, until: str) -> list[dict[str, object]]:
        """Read lines up to one whose message holds this text."""
        deadline = time.monotonic() + SECONDS
        found: list[dict[str, object]] = []
        while not any(until in str(line["message"]) for line in found):
            assert time.monotonic() < deadline
            *lines, self._unread = (self._unread + os.read(self.read, 65_536)).split(b"\n")
            found += map(json.loads, lines)
        return found


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    monkeypatch.setattr(console, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(console, "LAST_WORDS_SECONDS", 0.2)
    pipe = Pipe(*os.pipe())
    yield pipe
    # Without a reader, the thread soon ends its work; before that, it would write into whatever gets the descriptor's number.
    os.close(pipe.read)
    pipe.writer.flush(SECONDS)
    os.close(pipe.write)


def test_what_is_written_makes_room_for_more(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_writer, "MOST_PENDING_BYTES", 1000)
    for _ in range(10):
        written = pipe.writer.offer(b"x" * 399 + b"\n")
        assert written is not None
        written.result(SECONDS)


def test_lines_of_jobs_and_messages_of_the_daemon_come_in_order(pipe: Pipe) -> None:
    with logging_to(pipe.writer):
        logging.getLogger("a").info("before %s", "it")
        asyncio.run(pipe.console.write("acme", "dev-7", "apply", ["one", "two ü"]))
        asyncio.run(pipe.console.write("acme", "dev-7", "apply", []))
        logging.getLogger("a").info("after")
    lines = pipe.take("after")
    assert [line["message"] for line in lines] == ["before it", "one", "two ü", "after"]
    assert {key: lines[1][key] for key in ("level", "logger", "namespace", "job", "stage")} == {
        "level": "INFO",
        "logger": "job",
        "namespace": "acme",
        "job": "dev-7",
        "stage": "apply",
    }


def test_output_that_nobody_reads_stalls_no_run_and_no_thread_of_the_loop(pipe: Pipe) -> None:
    async def work() -> None:
        runs = [pipe.console.write("acme", f"dev-{number}", "apply", FLOOD) for number in range(50)]
        writing = asyncio.gather(*runs)
        # While all of these wait: the threads that look up names are free.
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), SECONDS) == 1
        await asyncio.wait_for(writing, SECONDS)
        before = time.monotonic()
        await asyncio.wait_for(pipe.console.write("acme", "dev-1", "apply", ["later"]), SECONDS)
        assert time.monotonic() - before < console.PATIENCE_SECONDS

    asyncio.run(work())


def test_lines_that_were_left_out_are_counted_once_somebody_reads_again(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_writer, "MOST_PENDING_BYTES", 400_000)
    with logging_to(pipe.writer):
        for _ in range(4):
            asyncio.run(pipe.console.write("acme", "dev-7", "apply", FLOOD))
        lines = pipe.take("Nobody read the output")
    counted = next(str(line["message"]) for line in lines if "Nobody" in str(line["message"]))
    shown = sum(line["logger"] == "job" for line in lines)
    left_out = int(counted.split()[4])
    assert left_out % len(FLOOD) == 0
    assert left_out > 0
    pipe.writer.flush(SECONDS)
    assert shown + left_out <= 4 * len(FLOOD)
    asyncio.run(pipe.console.write("acme", "dev-7", "apply", ["read"]))
    assert pipe.take("read")[-1]["message"] == "read"
    assert not pipe.writer.is_stuck


def test_a_reader_that_is_gone_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = OutputWriter(write)
    asyncio.run(JsonConsole(writer).write("acme", "dev-7", "apply", FLOOD))
    writer.flush(SECONDS)
    os.close(write)


def test_a_descriptor_that_does_not_block_is_written_to_the_end(pipe: Pipe) -> None:
    os.set_blocking(pipe.write, False)

    async def work() -> None:
        writing = asyncio.create_task(pipe.console.write("acme", "dev-7", "apply", [*FLOOD, "end"]))
        assert len(await asyncio.to_thread(pipe.take, "end")) == len(FLOOD) + 1
        await writing

    asyncio.run(work())
