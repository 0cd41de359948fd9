"""People at a shell: each command line is shown, run by `sh` exactly as shown, and its answer held against what was told.

Used by the stage to install and by the story. Knows no jobs.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo import narration

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[1]

# More than any `--timeout` of the story: kubectl itself says best what it waited for in vain.
LONGEST_COMMAND = 120


class NotAsToldError(Exception):
    """A command did not do what the demo says it does."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a kubeconfig, in the repository's root directory."""

    name: str
    kubeconfig: Path
    programs: Path
    """The directory of the `kubectl` that is used."""

    def types(self, line: str, *, shows: str = "") -> str:
        """Run a command line that must succeed and whose answer must hold the text; return the answer."""
        return self._run(line, shows=shows, refused=False)

    def is_refused(self, line: str, *, shows: str) -> str:
        """Run a command line that must fail with this text; return the answer."""
        return self._run(line, shows=shows, refused=True)

    def tries(self, line: str) -> str:
        """Run a command line unseen, whatever comes of it; return the answer."""
        return _sh(line, self._environment())[1]

    def _run(self, line: str, *, shows: str, refused: bool) -> str:
        narration.command(f"{self.name}$", line)
        code, answer = _sh(line, self._environment())
        narration.output(answer)
        if refused != (code != 0):
            raise NotAsToldError(
                f"Expected the command to be {'refused' if refused else 'carried out'}; its exit code is {code}."
            )
        if shows not in answer:
            raise NotAsToldError(f"Expected the answer to hold {shows!r}; it does not.")
        return answer

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            # Not in the home directory: the demo leaves nothing behind.
            "KUBECACHEDIR": str(self.kubeconfig.with_name("kubectl-cache")),
            "PATH": f"{self.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }


def _sh(line: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a line of shell in the repository's root; return its exit code and all it printed."""
    process = subprocess.Popen(
        ["sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=REPOSITORY,
        # A group of its own, so that all of a pipeline can be ended.
        start_new_session=True,
    )
    try:
        answer, _ = process.communicate(timeout=LONGEST_COMMAND)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise NotAsToldError(f"Expected an answer within {LONGEST_COMMAND} s; none came.") from None
        raise
    return process.returncode, answer
