"""Create a run's private directory, and remove it afterwards. Used by `run`.

One file is never removed: `errored.tfstate`, which Terraform writes where it runs when it cannot save its state to the
backend (the API server is unreachable). It is the only record of resources that exist. The record of its run stays with it,
until `saving` has put the state in a safe place and removes both.
"""

import asyncio
import contextlib
import glob
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.guard import RUN_RECORD, open_folders, unsaved_states

PREFIX = "provisioner-run-"
"""Begins the name of each run's directory; what follows tells the daemons apart that share a parent."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workdir:
    """The directory of one run."""

    path: Path

    def unsaved_states(self) -> Sequence[Path]:
        """Return the states that Terraform left here because it could not save them; opens folders that the run has closed."""
        open_folders(self.path)
        return [Path(each) for each in unsaved_states(self.path)]

    def how_to_save_state(self, job: Job) -> str:
        """Return the message that directs an admin to that state and its recovery."""
        return (
            f"Terraform could not save its state; it is kept in {' and '.join(map(str, self.unsaved_states()))} on the "
            f"daemon's machine. Push it (`terraform state push`) before the next job of workspace {job.workspace}; "
            "otherwise the workspace loses track of its resources."
        )


@asynccontextmanager
async def private_directory(parent: Path, prefix: str = PREFIX) -> AsyncIterator[Workdir]:
    """Create a directory of mode 0700 and remove it afterwards, except a state that could not be saved."""
    workdir = await asyncio.to_thread(_make, parent, prefix)
    try:
        yield workdir
    finally:
        await asyncio.to_thread(_remove, workdir)


def sweep(parent: Path, prefix: str) -> None:
    """Remove the directories that runs of a former process left behind, except states that could not be saved.

    Only for a prefix of which certainly no run lives any more (`predecessor_lock`).
    """
    for path in run_directories(parent, prefix):
        _remove(workdir := Workdir(path))
        if kept := workdir.unsaved_states():
            logger.warning(
                "A former run of this daemon could not save its state; it is kept in %s", " and ".join(map(str, kept))
            )
        else:
            logger.info("Removed %s of a former process", path)


def run_directories(parent: Path, prefix: str) -> Iterator[Path]:
    """Return the directories that runs of a former process left behind."""
    for path in sorted(parent.glob(f"{glob.escape(prefix)}*")):
        # Another user of the machine may have made one of that name.
        if not path.is_symlink() and path.is_dir() and path.lstat().st_uid == os.geteuid():
            yield path.resolve()


def remove(directory: Path) -> None:
    """Remove a run's directory with everything in it: its state is safe elsewhere."""
    open_folders(directory)
    shutil.rmtree(directory, ignore_errors=True)


def _make(parent: Path, prefix: str) -> Workdir:
    return Workdir(Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve())


def _remove(workdir: Workdir) -> None:
    kept = [*workdir.unsaved_states()]
    if not kept:
        shutil.rmtree(workdir.path, ignore_errors=True)
        return
    kept.append(workdir.path / RUN_RECORD)
    for folder, folders, files in os.walk(workdir.path, topdown=False):
        for path in (Path(folder, name) for name in (*files, *folders)):
            if path in kept:
                continue
            # A folder that is not empty by now leads to the state: it stays.
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
