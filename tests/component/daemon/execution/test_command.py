"""The output of a command: whoever takes its lines may fail, and the command still ends."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from provisioner_operator.daemon.execution.command import Command
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now

FLOOD = "print('x' * 1023 + '\\n', end='', flush=True); print(('x' * 1023 + '\\n') * 1024, end='', flush=True)"
"""A line, and then more than a pipe holds."""


def test_a_line_that_cannot_be_handled_fails_the_command_and_does_not_block_it(tmp_path: Path) -> None:
    batches: list[int] = []

    async def refuse(_: str, lines: list[str]) -> None:
        batches.append(len(lines))
        raise ValueError("cannot be handled")

    async def run() -> int:
        command = await Command.start(
            [sys.executable, "-c", FLOOD],
            directory=tmp_path,
            environment=dict(os.environ),
            contact=Contact(now(), 300.0),
            grace=1.0,
            on_lines=refuse,
        )
        async with asyncio.timeout(60):
            try:
                return await command.wait()
            finally:
                assert command.ended

    with pytest.raises(ValueError, match="cannot be handled"):
        asyncio.run(run())
    assert len(batches) == 1, "what follows is read and dropped"
