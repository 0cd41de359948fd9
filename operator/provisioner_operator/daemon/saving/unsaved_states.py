"""Look after the states that Terraform could not save, until each is pushed or kept in Secrets. Made by `agent`.

Each is tried again for as long as the daemon lives; the daemon does not end by itself before. What the API server refuses to
store as the state, for its size or a quota, goes into Secrets; from there the next build of the workspace pushes it before it
does anything else. Only where these are refused too, the run's directory remains the one place of the state: the daemon reports
it, the controller starts no build of the workspace, and its pool keeps the Pod.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType, Provisioner
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.provisioner import Failure, Task
from provisioner_operator.daemon.execution.state_keeper import Handover
from provisioner_operator.daemon.execution.unsaved_state import UnsavedState
from provisioner_operator.daemon.execution.workdir import private_directory, remove
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.daemon.saving.kept_states import (
    DamagedError,
    KeptState,
    SecretStore,
    TakenError,
    chunk_name,
    discard,
    keep,
    read_kept,
)
from provisioner_operator.daemon.saving.leftovers import gather_evidence
from provisioner_operator.daemon.saving.pusher import AwayError, NotSavedError, Pusher
from provisioner_operator.daemon.terraform.binaries.binary import Binaries, MissingProgramError
from provisioner_operator.kube.errors import PASSING, KubeError

logger = logging.getLogger(__name__)

AWAY_SECONDS = 2.0
"""The pause between two tries while the API server cannot be reached."""
REFUSED_SECONDS = 30.0
"""The pause between two tries while it refuses the state: somebody has to act."""
SAVED_LATER = "Terraform could not save its state at first; the daemon has saved it since."
_RECOVERY_SECONDS = 60.0
"""The time in which the API server has to answer a build that has to save an earlier state."""


@dataclass(slots=True)
class WaitingState:
    """A state that is neither saved nor kept elsewhere yet."""

    state: UnsavedState
    breaches: int | None
    """Those of the contact when its run started; None for a run of a former process."""
    since: float
    reason: str = "the daemon has not tried yet"
    pause: float = AWAY_SECONDS
    """Seconds until it is tried again."""
    handover: "asyncio.Future[Handover]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, handover: Handover) -> None:
        """Tell the run, if it still waits."""
        if not self.handover.done():
            self.handover.set_result(handover)


class UnsavedStates:
    """The unsaved states of one process."""

    def __init__(
        self,
        store: SecretStore,
        pusher: Pusher,
        *,
        contact: Contact,
        on_change: Callable[[], None],
        leftovers: Sequence[UnsavedState] = (),
        binaries: Binaries,
    ) -> None:
        """Take over what a former process left; nothing is done before `begin`. Builds choose among `binaries`."""
        self._binaries = binaries
        self._store = store
        self._pusher = pusher
        self._contact = contact
        self._on_change = on_change
        self._waiting = [WaitingState(each, None, each.since) for each in leftovers]
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun = self._closed = False

    @property
    def waiting(self) -> Sequence[WaitingState]:
        """Those that only the daemon's disk has."""
        return self._waiting

    def begin(self) -> None:
        """Begin with those of a former process, once the API server knows this one."""
        if not self._begun:
            self._begun = True
            for entry in self._waiting:
                self._start(entry)

    async def close(self) -> None:
        """Stop trying, and let no run wait; what is left stays in its directory."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for entry in self._waiting:
            entry.settle(_left(entry))

    async def take_over(self, directory: Path, *, breaches: int) -> Handover | None:
        """Look after the state that a run left in its directory (`StateKeeper`)."""
        if (state := await asyncio.to_thread(gather_evidence, directory)) is None:
            return None
        logger.warning("Job %s/%s could not save its state", state.run.namespace, state.run.job)
        entry = WaitingState(state, breaches, state.since)
        self._waiting.append(entry)
        self._on_change()
        if self._closed:
            return _left(entry)
        self._start(entry)
        return await entry.handover

    async def recover(self, task: Task, lines: list[str]) -> Failure | None:
        """Save the state that an earlier run of the workspace left in Secrets (`StateKeeper`)."""
        job = task.job
        keeps_state = job.type is JobType.WORKSPACE_BUILD and job.demand.provisioner is Provisioner.TERRAFORM
        if job.workspace is None or not keeps_state:
            return None
        workspace = job.workspace
        try:
            kept = await until_answered(
                lambda: read_kept(self._store, job.namespace, workspace), seconds=_RECOVERY_SECONDS
            )
            if kept is None:
                return None
            await self._push_kept(kept, task.model.spec.terraform_version)
            lines.append(f"The state that job {kept.run.job} could not save is saved now")
        except (DamagedError, KubeError) as error:
            return Failure(EndReason.STATE_UNSAVED, f"A state that an earlier run could not save is not saved: {error}")
        except NotSavedError as error:
            return Failure(EndReason.STATE_UNSAVED, explain_kept(job.namespace, workspace, str(error)))
        return None

    async def _push_kept(self, kept: KeptState, constraint: str | None) -> None:
        try:
            # The build's own: the one that wrote the state may be on another machine, or be what could not save it.
            run = replace(kept.run, binary=await asyncio.to_thread(self._binaries.find, constraint))
        except MissingProgramError as error:
            raise NotSavedError(str(error)) from error
        async with private_directory(self._pusher.parent, self._pusher.prefix) as workdir:
            file = workdir.path / "unsaved.tfstate"
            await asyncio.to_thread(file.write_bytes, kept.content)
            await self._pusher.push(run, file, is_alone=False)
        await discard(self._store, kept)

    def _start(self, entry: WaitingState) -> None:
        task = asyncio.create_task(self._keep_trying(entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_trying(self, entry: WaitingState) -> None:
        while (handover := await self._try(entry)) is None:  # noqa: ASYNC110 - each try is another request
            await asyncio.sleep(entry.pause)
        logger.info("Job %s/%s: %s", entry.state.run.namespace, entry.state.run.job, handover.message)
        await asyncio.to_thread(remove, entry.state.directory)
        self._waiting.remove(entry)
        entry.settle(handover)
        self._on_change()

    async def _try(self, entry: WaitingState) -> Handover | None:
        """Try once; None if it has to be tried again after the entry's pause."""
        try:
            return await self._save(entry)
        except AwayError as error:
            entry.pause, entry.reason = AWAY_SECONDS, str(error)
        except NotSavedError as error:
            entry.pause, entry.reason = REFUSED_SECONDS, str(error)
            entry.settle(_left(entry))
            self._on_change()
        except Exception as error:
            # Whatever it is: the state must not be forgotten.
            logger.exception("Saving the state of job %s", entry.state.run.job)
            entry.pause, entry.reason = REFUSED_SECONDS, repr(error)
            entry.settle(_left(entry))
        return None

    async def _save(self, entry: WaitingState) -> Handover:
        state = entry.state
        is_alone = entry.breaches is not None and self._contact.breaches == entry.breaches
        try:
            await self._pusher.push(state.run, state.file, is_alone=is_alone)
        except AwayError:
            raise
        except NotSavedError as error:
            await self._keep(state, str(error))
            await self._pusher.release_lock(state.run)
            return Handover(is_saved=False, message=explain_kept(state.run.namespace, state.run.workspace, str(error)))
        return Handover(is_saved=True, message=SAVED_LATER)

    async def _keep(self, state: UnsavedState, reason: str) -> None:
        try:
            await keep(self._store, state.run, await asyncio.to_thread(state.file.read_bytes))
        except PASSING as error:
            raise AwayError(str(error)) from error
        except (KubeError, TakenError) as error:
            raise NotSavedError(f"{reason}; nor can it be kept in Secrets: {error}") from error


def explain_kept(namespace: str, workspace: str, reason: str) -> str:
    """Return the message about a state in Secrets, with what to do."""
    return (
        f"The state of workspace {workspace} could not be saved ({reason}). It is kept in the Secrets "
        f"{chunk_name(workspace, 0)} and following of namespace {namespace}; each build of the workspace tries to save it before "
        "anything else, and fails until that succeeds. Remove the cause, then build again; docs/state.md says how to save it "
        "by hand, or to give it up."
    )


def _left(entry: WaitingState) -> Handover:
    run = entry.state.run
    return Handover(
        is_saved=False,
        message=f"The state of workspace {run.workspace} could not be saved ({entry.reason}). The daemon keeps it in {entry.state.file} and "
        "goes on trying; until then no build of the workspace starts. Remove the cause; docs/state.md says more.",
    )
