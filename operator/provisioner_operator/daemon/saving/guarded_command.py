"""Run one short command under a guard and collect its output. Used by `pusher`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.daemon.execution.command import Command
from provisioner_operator.daemon.execution.contact import Contact


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a command."""

    code: int
    output: str
    """Its standard output."""
    errors: str
    """Its standard error."""


@dataclass(frozen=True, slots=True)
class GuardedCommands:
    """Runs commands of this daemon, which its guards stop when contact with the API server is lost."""

    contact: Contact
    grace: float
    lock: int | None = None
    """Inherited by the guards (`predecessor_lock`)."""

    async def run(self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Ended:
        """Run the command to its end."""
        lines: dict[str, list[str]] = {"stdout": [], "stderr": []}

        async def collect(stream: str, batch: list[str]) -> None:
            lines[stream] += batch

        command = await Command.start(
            arguments,
            directory=directory,
            environment=environment,
            contact=self.contact,
            grace=self.grace,
            on_lines=collect,
            lock=self.lock,
        )
        try:
            code = await command.wait()
        except BaseException:
            command.kill()
            raise
        return Ended(code, "\n".join(lines["stdout"]), "\n".join(lines["stderr"]))
