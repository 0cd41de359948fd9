"""Push a state into the product's backend, by Terraform itself, under a guard, and only over a state that it may replace.

In a directory of its own with nothing but the backend's configuration: what the run's directory had is gone, and neither
providers nor variables are needed. While the run's own lock is left, it protects the state until this is saved; only then it is
released.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.execution.child_environment import LOCALE, NETWORK, passed_on
from provisioner_operator.daemon.execution.unsaved_state import RunRecord
from provisioner_operator.daemon.execution.workdir import private_directory
from provisioner_operator.daemon.saving.guarded_command import Ended, GuardedCommands
from provisioner_operator.daemon.saving.precedence import may_replace, version_of
from provisioner_operator.daemon.saving.state_lock import StateLock, lock_in
from provisioner_operator.daemon.terraform import state
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import PASSING, KubeError, NotFoundError, PreconditionFailedError

logger = logging.getLogger(__name__)

LONGEST_REASON = 500
"""Characters of Terraform's error in a message."""
_IN_CLUSTER = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
_DECORATION = re.compile(r"\x1b\[[0-9;]*m|[│╷╵]")


class LeaseClient(Protocol):
    """The part of the client that locks need."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""

    async def json_patch(self, path: str, patch: JsonPatch, /) -> dict[str, Any]:
        """Change an object by a JSON Patch."""


class NotSavedError(Exception):
    """The state was not saved; the message is the reason."""


class AwayError(NotSavedError):
    """The API server cannot be reached: nothing is known yet."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Pushes states of one daemon."""

    client: LeaseClient
    commands: GuardedCommands
    access: state.ClusterAccess
    parent: Path
    """The parent of the directories in which Terraform runs."""
    prefix: str

    async def push(self, run: RunRecord, file: Path, *, ended: float, is_alone: bool) -> None:
        """Save the state in this file. Raises NotSavedError, or AwayError if it is worth another try.

        `ended` is the time at which the run wrote it; the run `is_alone` if no other one can have written since.
        """
        if not run.in_cluster:
            raise NotSavedError("its template has a backend of its own")
        lock = await self._lock(run)
        is_own = lock is not None and lock.is_of_run(run.started, ended)
        if lock is not None and not is_own:
            raise NotSavedError(f"the stored one is locked by {lock.who} (lock id {lock.id})")
        async with private_directory(self.parent, self.prefix) as workdir:
            terraform = _Terraform(self.commands, run.binary, workdir.path)
            state.write_kubernetes_backend(
                workdir.path, namespace=run.namespace, workspace=run.workspace, access=self.access
            )
            await self._require(
                run, terraform, "init", "-input=false", f"-backend-config={state.BACKEND_SETTINGS_FILE}"
            )
            pulled = await self._require(run, terraform, "state", "pull")
            self._check(run, file, pulled.output, is_alone=is_alone or is_own)
            without_lock = ["-lock=false"] if is_own else []
            await self._require(run, terraform, "state", "push", *without_lock, str(file))
        await self.release_lock(run, ended=ended)

    async def release_lock(self, run: RunRecord, *, ended: float) -> None:
        """Release the lock that the run left, if it did: its state is safe. Raises AwayError."""
        if (lock := await self._lock(run)) is not None and lock.is_of_run(run.started, ended):
            lease = paths.lease(run.namespace, state.lock_lease(run.workspace))
            try:
                await self.client.json_patch(lease, lock.release())
            except PreconditionFailedError:
                return  # it is another's by now
            except PASSING as error:
                raise AwayError(str(error)) from error
            except KubeError as error:
                logger.warning("The lock that job %s/%s left cannot be released: %s", run.namespace, run.job, error)

    def _check(self, run: RunRecord, file: Path, stored: str, *, is_alone: bool) -> None:
        try:
            version, unsaved = version_of(stored), version_of(file.read_bytes())
        except (OSError, ValueError) as error:
            raise NotSavedError(f"it cannot be compared with the stored one: {error}") from error
        if unsaved is None or not may_replace(version, unsaved, run.base, is_alone=is_alone):
            raise NotSavedError(f"another run has written since: stored is {version}, unsaved {unsaved}")

    async def _lock(self, run: RunRecord) -> StateLock | None:
        """Return the lock of the workspace's state. Raises AwayError."""
        if self.commands.contact.is_overdue:
            raise AwayError("the daemon has no contact with the API server")
        try:
            return lock_in(await self.client.get(paths.lease(run.namespace, state.lock_lease(run.workspace))))
        except NotFoundError:
            return None
        except PASSING as error:
            raise AwayError(str(error)) from error
        except KubeError as error:
            raise NotSavedError(f"the lock of the state cannot be read: {error}") from error

    async def _require(self, run: RunRecord, terraform: "_Terraform", *arguments: str) -> Ended:
        ended = await terraform.run(arguments)
        if ended.code != 0:
            await self._lock(run)  # raises AwayError if it failed for that
            reason = " ".join(_DECORATION.sub("", ended.errors or ended.output).split())
            raise NotSavedError(f"`{' '.join(arguments[:2])}` failed: {reason[:LONGEST_REASON]}")
        return ended


@dataclass(frozen=True, slots=True)
class _Terraform:
    """The program in one directory."""

    commands: GuardedCommands
    binary: str
    directory: Path

    async def run(self, arguments: Sequence[str]) -> Ended:
        return await self.commands.run((self.binary, *arguments), self.directory, self._environment())

    def _environment(self) -> Mapping[str, str]:
        inherited = passed_on(LOCALE, NETWORK, _IN_CLUSTER)
        own = {"HOME": str(self.directory), "TMPDIR": str(self.directory)}
        return inherited | own | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
