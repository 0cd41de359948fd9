"""The private directory of a run: nobody else may read it, and it is gone afterwards.

One thing is never thrown away: `errored.tfstate`, which Terraform writes where it runs when it cannot save its state to
the backend (the API server is away). It is all that knows of resources that exist. Used by `run`.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.guard import unsaved_states

PREFIX = "provisioner-run-"


@dataclass(frozen=True, slots=True)
class Workdir:
    """The directory of one run."""

    path: Path

    def unsaved_states(self) -> Sequence[Path]:
        """The states that Terraform left here because it could not save them."""
        return unsaved_states(self.path)

    def how_to_save_state(self, job: Job) -> str:
        """Tell an admin where that state is and what to do with it."""
        return (
            f"Terraform could not save its state; it is kept in {' and '.join(map(str, self.unsaved_states()))} on the "
            f"daemon's machine. Push it (`terraform state push`) before the next job of workspace {job.workspace}, or "
            "resources are forgotten."
        )


@asynccontextmanager
async def private_directory(parent: Path) -> AsyncIterator[Workdir]:
    """Make a directory of mode 0700 and remove it afterwards, but for a state that could not be saved."""
    workdir = await asyncio.to_thread(_make, parent)
    try:
        yield workdir
    finally:
        await asyncio.to_thread(_remove, workdir)


def _make(parent: Path) -> Workdir:
    return Workdir(Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve())


def _remove(workdir: Workdir) -> None:
    kept = workdir.unsaved_states()
    if not kept:
        shutil.rmtree(workdir.path, ignore_errors=True)
        return
    for folder, folders, files in os.walk(workdir.path, topdown=False):
        for path in (Path(folder, name) for name in (*files, *folders)):
            if path in kept:
                continue
            # A folder that is not empty by now leads to the state: it stays.
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
