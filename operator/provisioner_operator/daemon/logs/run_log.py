"""Log one run: redact and clean every line, keep it for the archive, and print it on the daemon's output.

Written by `run`, with the output of its commands; `last_output` decides whether the run has stalled.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic

from provisioner_operator.core.model.printable_text import printable
from provisioner_operator.daemon.logs.console import Console
from provisioner_operator.daemon.logs.log_buffer import JobLog, cut_line
from provisioner_operator.daemon.logs.redaction import Redactor

LONGEST_INLINE = 4096
"""Characters that are masked without a thread."""


class RunLog:
    """The lines of one job's run, redacted before they are kept or printed."""

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
        # Masking a long text may take a while, in which the heartbeat must not wait; for a short one, a thread takes longer.
        if sum(map(len, lines)) > LONGEST_INLINE:
            safe = await asyncio.to_thread(self._safe, lines)
        else:
            safe = self._safe(lines)
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for line in safe:
            self.kept.append(f"{time} {stage}: {line}")
        await self._console.write(self._namespace, self._job, stage, safe)

    def _safe(self, lines: Sequence[str]) -> list[str]:
        return [cut_line(printable(line)) for text in lines for line in self.redact(text).split("\n")]
