"""Define a provisioner: it turns a job into commands, and interprets their output and exit codes.

Implemented by `terraform` and `echo`, carried out by `run`. A provisioner starts no process itself and does not know how a
run is stopped.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Output, ResourceChange
from provisioner_operator.core.model.records import Job


@dataclass(frozen=True, slots=True)
class Task:
    """A job that is to be run now, as its daemon acknowledged it."""

    job: Job
    model: ProvisionerJob
    """The same job with the fields that only its run needs: source and variables."""


Wait = Callable[[str], Awaitable[bool]]
"""Called again and again while a run waits, with a line for its log; returns whether it goes on waiting."""
Keep = Callable[[], Awaitable[None]]
"""Called when a stage has succeeded, to keep what it has made."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One command of a run; the next one follows only if it exits with 0."""

    name: str
    arguments: tuple[str, ...]
    folder: str = "."
    """The working directory, relative to the run's directory. An earlier stage may create it."""
    environment: Mapping[str, str] | None = None
    """Its whole environment, if not the program's: secrets go only to the command that needs them."""
    around: Callable[[Wait], AbstractAsyncContextManager[Keep]] | None = None
    """Context that is entered before each try, perhaps after waiting for other runs, and left after it."""
    before: Callable[[Wait], Awaitable["StageEnd"]] | None = None
    """Awaited before its first try, perhaps for long; a failure that it returns ends the run."""
    after: Callable[[], Awaitable["StageEnd"]] | None = None
    """Awaited when it has succeeded; a failure that it returns ends the run."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The cause of a run's own failure; the message names what failed, where, and what to do next."""

    reason: EndReason
    message: str


@dataclass(frozen=True, slots=True)
class StageEnd:
    """The interpretation of a stage's end: further lines for the log, and the failure if it failed."""

    lines: tuple[str, ...] = ()
    failure: Failure | None = None
    again_in: float | None = None
    """Seconds after which the same stage is run once more, instead of the next one; None if it is over."""


class UnpreparedError(Exception):
    """The job cannot be run as it is."""

    def __init__(self, reason: EndReason, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(reason, message)


class Program(Protocol):
    """A job made ready to run, and the reader of its output."""

    @property
    def stages(self) -> Iterable[Stage]:
        """The commands to run, in order; one may depend on the end of those before it."""

    @property
    def notices(self) -> Sequence[str]:
        """Lines for the log about the preparation."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The whole environment of each command that has none of its own."""

    @property
    def secrets(self) -> Sequence[str]:
        """Values that must not be shown."""

    @property
    def summary(self) -> str | None:
        """The result of a run that completed, in words; None if there is nothing to say about it."""

    @property
    def outputs(self) -> Sequence[Output]:
        """The output values so far."""

    @property
    def resources(self) -> Sequence[ResourceChange]:
        """The changes made to resources so far."""

    @property
    def variables(self) -> Sequence[DeclaredVariable]:
        """The input variables that a template was found to declare."""

    @property
    def plan_digest(self) -> str | None:
        """The digest of the plan that was kept."""

    @property
    def commit(self) -> str | None:
        """The commit that was fetched from a git source."""

    def read(self, stage: str, stream: str, line: str) -> Sequence[str] | None:
        """Interpret a line of output and return the lines that the log shows for it.

        None if the line shows no progress: it does not keep the run from counting as stalled.
        """

    def end_stage(self, stage: str, code: int) -> StageEnd:
        """Interpret the exit code of a stage."""

    async def finish(self, *, completed: bool) -> Sequence[str]:
        """Give back what the run has taken, whatever ended it, and return lines for the log; no command runs any more."""


class Provisioner(Protocol):
    """Makes programs of jobs."""

    async def prepare(self, task: Task, directory: Path) -> Program:
        """Make the job ready to run in this directory. Raises UnpreparedError."""
