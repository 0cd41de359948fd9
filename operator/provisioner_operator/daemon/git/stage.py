"""Define the stage `fetch` of a run whose files come from git: its command, and the reader of its output.

Used by `terraform`. The command is `fetch_program`, so that no code of a git client is loaded into the daemon.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.child_environment import LOCALE, NETWORK, passed_on
from provisioner_operator.daemon.execution.guard import SIGNALED
from provisioner_operator.daemon.execution.provisioner import Failure, Stage
from provisioner_operator.daemon.git.request import COMMIT_PREFIX, FAILED, REQUEST, GitRequest

FETCH = "fetch"
_PROGRAM = "provisioner_operator.daemon.git.fetch_program"
_COMMIT_LINE = re.compile(re.escape(COMMIT_PREFIX) + r"([0-9a-f]{40})")


def fetch_stage(request: GitRequest, directory: Path) -> Stage:
    """Return the command; the request, with its password, is in its environment and nowhere else."""
    environment = passed_on(LOCALE, NETWORK) | {"HOME": str(directory), "TMPDIR": str(directory)}
    return Stage(FETCH, (sys.executable, "-I", "-m", _PROGRAM), environment=environment | {REQUEST: request.encode()})


class FetchReader:
    """Reads the program's output."""

    def __init__(self, request: GitRequest) -> None:
        self._request = request
        self._last_error = ""
        self.commit: str | None = None
        """The commit that was fetched."""

    def read(self, stream: str, line: str) -> Sequence[str]:
        """Interpret a line and return the lines that the log shows for it."""
        if stream == "stderr":
            self._last_error = line
        elif found := _COMMIT_LINE.fullmatch(line):
            self.commit = found[1]
        return (line,)

    def failure(self, code: int) -> Failure | None:
        """Return the failure that the exit code means; None if the program succeeded."""
        if code == 0 and self.commit is not None:
            return None
        if code == FAILED and self._last_error:
            return Failure(EndReason.SOURCE_UNAVAILABLE, self._last_error)
        how = (
            f"was killed by signal {code - SIGNALED}, perhaps by a memory limit"
            if code > SIGNALED
            else f"exited with code {code}"
        )
        return Failure(
            EndReason.SOURCE_UNAVAILABLE,
            f"The fetch of {self._request.where} {how}. Read the last lines of its log, then submit the job again.",
        )
