"""People at a shell: print each command line, run it with `sh` exactly as printed, and check its output.

Used by the installation and the story. Knows nothing of jobs.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from demo import narration

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[1]

# More than any `--timeout` of the story: kubectl's own message says what it was waiting for.
LONGEST_COMMAND = 120


class UnexpectedResultError(Exception):
    """Unexpected result of a command; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a kubeconfig, in the repository's root directory."""

    name: str
    kubeconfig: Path
    programs: Path
    """The directory of the `kubectl` and the `api` to use."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the person's own."""

    def types(self, line: str, *, shows: str = "") -> str:
        """Run a command line that must succeed and print `shows`; return its output."""
        return self._run(line, shows=shows, refused=False)

    def is_refused(self, line: str, *, shows: str) -> str:
        """Run a command line that must fail and print `shows`; return its output."""
        return self._run(line, shows=shows, refused=True)

    def tries(self, line: str) -> str:
        """Run a command line without printing it; return its output, whether it succeeded or not."""
        return _sh(line, self._environment())[1]

    def _run(self, line: str, *, shows: str, refused: bool) -> str:
        narration.command(f"{self.name}$", line)
        code, answer = _sh(line, self._environment())
        narration.output(answer)
        if refused != (code != 0):
            raise UnexpectedResultError(
                f"Expected the command to {'fail' if refused else 'succeed'}; its exit code is {code}."
            )
        if shows not in answer:
            raise UnexpectedResultError(f"Expected the output to contain {shows!r}.")
        return answer

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            # Not in the home directory, because the demo must leave no files behind.
            "KUBECACHEDIR": str(self.kubeconfig.with_name("kubectl-cache")),
            "PATH": f"{self.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            **self.settings,
        }


def _sh(line: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a shell command in the repository's root; return its exit code and its output."""
    process = subprocess.Popen(
        ["sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=REPOSITORY,
        # A process group of its own, so that a whole pipeline can be killed.
        start_new_session=True,
    )
    try:
        answer, _ = process.communicate(timeout=LONGEST_COMMAND)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise UnexpectedResultError(f"Expected the command to end within {LONGEST_COMMAND} s.") from None
        raise
    return process.returncode, answer
