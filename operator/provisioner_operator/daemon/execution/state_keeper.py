"""Define what a run needs of whoever looks after states that Terraform could not save. Implemented by `saving`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provisioner_operator.daemon.execution.provisioner import Failure, Task


@dataclass(frozen=True, slots=True)
class Handover:
    """The fate of a state that a run could not save."""

    is_saved: bool
    message: str


class StateKeeper(Protocol):
    """Saves what runs could not save."""

    async def recover(self, task: Task, lines: list[str]) -> Failure | None:
        """Save the state that an earlier run of the job's workspace left, before the job's own run reads it.

        Returns the reason why the job cannot run. Adds what the log is to show to `lines`.
        """

    async def take_over(self, directory: Path, *, breaches: int) -> Handover | None:
        """Look after the state that a run left in its directory; None if there is none that the daemon can save.

        Returns once the state is saved, or kept elsewhere, or cannot be for now although the API server answers. `breaches` are
        those of the contact when the run started.
        """
