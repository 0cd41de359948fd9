"""The log of one run: every line is made safe, kept in memory for the archive and shown on the daemon's output.

Written by `run` and by what it runs; `last_output` is what the stall clock looks at.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic

from provisioner_operator.daemon.logs.console import Console
from provisioner_operator.daemon.logs.log_buffer import JobLog, cut_line, printable
from provisioner_operator.daemon.logs.redaction import Redactor


class RunLog:
    """Lines of one job's run, redacted before anybody sees them."""

    def __init__(self, namespace: str, job: str, console: Console) -> None:
        self._namespace = namespace
        self._job = job
        self._console = console
        self.kept = JobLog()
        self.redact = Redactor()
        self.last_output = monotonic()

    async def write(self, stage: str, lines: Sequence[str]) -> None:
        """Add lines of a stage."""
        self.last_output = monotonic()
        safe = [cut_line(printable(line)) for text in lines for line in self.redact(text).split("\n")]
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for line in safe:
            self.kept.append(f"{time} {stage}: {line}")
        await self._console.write(self._namespace, self._job, stage, safe)
