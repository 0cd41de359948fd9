"""Start one command of a run under its guard, forward the daemon's requests to it, and read its output as lines.

Used by `run`. Does not decide when the command stops: the run and the guard do.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from provisioner_operator.daemon.execution import guard
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.line_splitter import LineSplitter
from provisioner_operator.daemon.execution.orphans import GUARDS

logger = logging.getLogger(__name__)

_CHUNK = 65_536
_LAST_OUTPUT_SECONDS = 10.0
"""The time to read on after the command has ended: only a process that escaped the guard (not on Linux) holds a pipe open."""

OnLines = Callable[[str, list[str]], Awaitable[None]]
"""Called with each batch of lines and the name of its stream, `stdout` or `stderr`."""


class Command:
    """A started command; `wait` must be awaited."""

    def __init__(
        self, process: asyncio.subprocess.Process, contact: Contact, readers: list[asyncio.Task[None]]
    ) -> None:
        self._process = process
        self._contact = contact
        self._readers = readers
        self._stop_listening = contact.listen(self._pass_contact)
        # A heartbeat may have succeeded between the guard's start and the subscription.
        self._pass_contact()

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        *,
        directory: Path,
        folder: str = ".",
        environment: Mapping[str, str],
        contact: Contact,
        grace: float,
        on_lines: OnLines,
        lock: int | None = None,
    ) -> "Command":
        """Start the command under a guard, which inherits the daemon's lock, in a folder of the run's directory.

        Raises OSError when even the guard cannot start.
        """
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        fence = (repr(contact.sent), repr(contact.lost_after), repr(grace))
        try:
            process = await _start_guard(
                (*fence, str(out), str(err), str(directory), *arguments),
                outputs=(out_end, err_end),
                inherited=(out, err) if lock is None else (out, err, lock),
                folder=directory / folder,
                environment=environment,
            )
        except BaseException:
            os.close(out)
            os.close(err)
            raise
        finally:
            # The guard has copies of its own; with ours open, the pipes would never end.
            os.close(out_end)
            os.close(err_end)
        readers = [_read_lines(out, "stdout", on_lines), _read_lines(err, "stderr", on_lines)]
        return cls(process, contact, [asyncio.create_task(reader) for reader in readers])

    def interrupt(self) -> None:
        """Ask the command to stop; does nothing if it has ended."""
        self._send("interrupt")

    def kill(self) -> None:
        """Kill the command and all that it started."""
        self._send("kill")

    @property
    def ended(self) -> bool:
        """True once the command and all that it started have ended."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Wait until the command has ended and its output is read; return the exit code, 128+n for signal n."""
        try:
            code = await self._process.wait()
        finally:
            self._stop_listening()
        GUARDS.discard(self._process.pid)
        if code < 0:
            # The guard itself was killed, by the kernel for want of memory or by hand, and the command with it.
            logger.error("A guard was killed by signal %d: killing what its command started", -code)
            await GUARDS.end_orphans()
            code = guard.SIGNALED - code
        _, unfinished = await asyncio.wait(self._readers, timeout=_LAST_OUTPUT_SECONDS)
        for reader in unfinished:
            reader.cancel()
        for result in await asyncio.gather(*self._readers, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        return code

    def _pass_contact(self) -> None:
        self._send(f"contact {self._contact.sent!r} {self._contact.lost_after!r}")

    def _send(self, message: str) -> None:
        lifeline = self._process.stdin
        if self._process.returncode is None and lifeline is not None and not lifeline.is_closing():
            with contextlib.suppress(OSError):
                lifeline.write(message.encode() + b"\n")


async def _start_guard(
    arguments: Sequence[str],
    *,
    outputs: tuple[int, int],
    inherited: Sequence[int],
    folder: Path,
    environment: Mapping[str, str],
) -> asyncio.subprocess.Process:
    with GUARDS.starting():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", guard.__file__, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=outputs[0],
            stderr=outputs[1],
            pass_fds=inherited,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        GUARDS.add(process.pid)
    return process


async def _read_lines(descriptor: int, stream: str, on_lines: OnLines) -> None:
    """Read to the end even if a line cannot be handled: a pipe that is not read would block the command."""
    reader = asyncio.StreamReader(limit=_CHUNK)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    failure: Exception | None = None
    lines = LineSplitter()
    try:
        while chunk := await reader.read(_CHUNK):
            if failure is None and (complete := lines.feed(chunk)):
                try:
                    await on_lines(stream, complete)
                except Exception as error:  # noqa: BLE001 - raised once the pipe is drained
                    failure = error
        if failure is None and (last := lines.rest()):
            await on_lines(stream, last)
    finally:
        transport.close()
    if failure is not None:
        raise failure
