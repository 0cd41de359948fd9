"""A controller's process that runs while it is measured; its end before that is a failed measurement."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.client import BenchError
from provisioner_devcluster.errors import tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_END_SECONDS = 10


@contextmanager
def running(name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a command without a shell and yield its pid; the environment is added to that of this process.

    Raises BenchError, with the last lines of its output, if it does not start or exits while it is measured.
    """
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".log") as log:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment_with(environment or {}),
            )
        except OSError as error:
            raise BenchError(f"The command of {name} does not start: {error}") from None
        try:
            yield process.pid
            _require_running(name, process, Path(log.name))
        except BenchError:
            # Nothing is accepted by a controller that is gone; its own words say more than that.
            _require_running(name, process, Path(log.name))
            raise
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environment_with(additions: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process with additions."""
    return {**os.environ, **additions}


def _require_running(name: str, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        raise BenchError(f"{name} exited unexpectedly, with exit code {process.returncode}: {tail(log)}")
