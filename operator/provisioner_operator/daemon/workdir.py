"""The private directory of a run: nobody else may read it, and it is gone afterwards.

One thing is never thrown away: `errored.tfstate`, which Terraform writes when it cannot save its state to the backend
(the API server is away). It is all that knows of resources that exist. Used by `run`.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.core.records import Job
from provisioner_operator.daemon.guard import UNSAVED_STATE

PREFIX = "provisioner-run-"


@dataclass(frozen=True, slots=True)
class Workdir:
    """The directory of one run."""

    path: Path

    @property
    def holds_unsaved_state(self) -> bool:
        """Whether Terraform left a state here that it could not save."""
        return (self.path / UNSAVED_STATE).exists()

    def how_to_save_state(self, job: Job) -> str:
        """Tell an admin where that state is and what to do with it."""
        return (
            f"Terraform could not save its state; it is kept in {self.path / UNSAVED_STATE} on the daemon's machine. "
            f"Push it (`terraform state push`) before the next job of workspace {job.workspace}, or resources are forgotten."
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
    if not workdir.holds_unsaved_state:
        shutil.rmtree(workdir.path, ignore_errors=True)
        return
    for entry in workdir.path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != UNSAVED_STATE:
            entry.unlink(missing_ok=True)
