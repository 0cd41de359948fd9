"""Hold the lock of a workspace's state for a whole run, from before its plan until its end. Used by `provisioner`.

Terraform could lock the state itself, but nobody could tell then whose lock is left when it dies. The lock of a run names the
run, so the next run of the workspace takes it over if that run is certainly over, and waits for it otherwise. Each write depends
on the Lease as it was read. The stage `init` comes before the lock: for a new workspace, Terraform takes and releases it there.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.enums import EndReason, Transition
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.states.lock import (
    LOCK_RELEASED,
    HoldingRun,
    LockHolder,
    StateLock,
    lock_id,
    lock_info,
    lock_lease,
    new_lock,
    over_since,
    release_patch,
    take_patch,
)
from provisioner_operator.daemon.execution.provisioner import Failure, StageEnd, Wait
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.daemon.terraform.state import explain_lock
from provisioner_operator.daemon.terraform.state_removal import remove_state
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import (
    ConflictError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
)
from provisioner_operator.kube.event_objects import Notice, event_body
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon, parse_job
from provisioner_operator.kube.state_locks import parse_state_lock

LOCK_WAIT_SECONDS = 60.0
"""Time for which a run waits for a lock whose holder may live: somebody who looks at the state by hand is done by then."""
UNLOCKED = "-lock=false"
LOCKED_BY_TERRAFORM = f"-lock-timeout={LOCK_WAIT_SECONDS:.0f}s"
"""Options of commands that work on a state, by who locks it."""
POLL_SECONDS = 2.0
REQUEST_SECONDS = 20.0
"""Time for all tries of one request: at the end of a run, its job waits for them."""
REPORTER = "provisioner.dev/provisioner-daemon"
"""Name of daemons in Events; the policy on their Events knows it too."""

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Client(Protocol):
    """The part of the API server's client that locks need."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""

    async def create(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Create an object."""

    async def json_patch(self, path: str, patch: JsonPatch, /) -> dict[str, Any]:
        """Change an object."""

    async def delete(self, path: str, /, *, uid: str, resource_version: int | None = None) -> dict[str, Any] | None:
        """Delete an object."""


@dataclass(frozen=True, slots=True)
class StateLocks:
    """Takes the locks of states for the runs of one process of a daemon."""

    client: Client
    daemon: str
    instance: str
    site: str
    """Place whose lock file the process holds (`predecessor_lock`)."""

    def lock_for(self, job: Job) -> "RunLock":
        """Return the lock of the job's workspace for the job's run; it is not taken yet."""
        assignment = "" if job.assignment is None else job.assignment.id
        run = HoldingRun(job.name, job.uid, self.daemon, self.instance, self.site)
        return RunLock(self.client, job, job.workspace or "", run, assignment)


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Holder that keeps a run from taking the lock."""

    holder: LockHolder
    over_at: float | None
    """Time from which the holder is certainly dead; None if it may live for all that is known."""

    def describe(self) -> str:
        """Return the line that the run's log shows while it waits."""
        line = f"Waiting for the lock of the state: {self.holder.who} holds it since {self.holder.created}."
        if self.over_at is None:
            return line
        return f"{line} At {timestamp(self.over_at)} that run is certainly over, and this one takes the lock."


@dataclass(slots=True)
class RunLock:
    """The lock of one workspace's state, as one run takes and releases it."""

    client: Client
    job: Job
    workspace: str
    run: HoldingRun
    assignment: str
    clock: Callable[[], float] = time.time
    _tried: bool = False
    """Whether a request was sent that may have taken it."""
    _notes: list[str] = field(default_factory=list)

    async def acquire(self, wait: Wait) -> StageEnd:
        """Take the lock, after its holder's release or death; the failure if that does not come soon.

        It is not taken, and nothing failed, if the run is asked to stop meanwhile.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + LOCK_WAIT_SECONDS
        while True:
            try:
                obstacle = await self._take()
            except (ConflictError, NotFoundError, PreconditionFailedError) as changed:
                # Somebody else was faster; as a rule, the next look shows whom.
                if loop.time() >= end:
                    return StageEnd(failure=self._unavailable(changed))
                await asyncio.sleep(POLL_SECONDS)
                continue
            except (KubeError, UnparseableObjectError) as error:
                return StageEnd(failure=self._unavailable(error))
            if obstacle is None:
                return StageEnd(tuple(self._notes))
            if obstacle.over_at is None and loop.time() >= end:
                message = explain_lock(obstacle.holder, namespace=self.job.namespace, workspace=self.workspace)
                return StageEnd(failure=Failure(EndReason.STATE_LOCKED, message))
            if not await wait(obstacle.describe()):
                return StageEnd()
            await asyncio.sleep(POLL_SECONDS)

    async def release(self, *, completed: bool) -> Sequence[str]:
        """Release the lock if this run holds it, and return lines for the log.

        After a completed destroy, an empty state is removed together with its lock.
        """
        if not self._tried:
            return ()
        try:
            lock = await self._read()
            if lock is None or lock.holder is None or lock.holder.id != self._id:
                return ()
            lines: tuple[str, ...] = ()
            if completed and self.job.transition is Transition.DELETE:
                removal = await remove_state(
                    self.client, namespace=self.job.namespace, workspace=self.workspace, lock=lock
                )
                if removal.lock_is_gone:
                    return removal.lines
                lines = removal.lines
            await self._patch(release_patch(lock))
        except KubeError as error:
            return (
                f"The lock of the state could not be released: {error}. The next run of this workspace takes it over.",
            )
        return lines

    async def _take(self) -> _Obstacle | None:
        """Take the lock if it is free or its holder is dead; otherwise return who holds it."""
        lock = await self._read()
        info = lock_info(self.run, self.assignment, self.clock(), __version__)
        if lock is None:
            lease = new_lock(self.workspace, self._id, info)
            self._tried = True
            await _answered(lambda: self.client.create(paths.leases(self.job.namespace), lease))
            return None
        holder = lock.holder
        if holder is not None and holder.id == self._id:
            return None  # by a request whose answer was lost
        if holder is not None:
            over_at = await self._over_since(holder)
            if over_at is None or over_at > self.clock():
                return _Obstacle(holder, over_at)
        self._tried = True
        await self._patch(take_patch(lock, self._id, info))
        if holder is not None:
            await self._report_takeover(holder)
        return None

    async def _over_since(self, holder: LockHolder) -> float | None:
        run = holder.run
        if run is None:
            return None
        return over_since(run, await self._job_of(run), await self._daemon_of(run), site=self.run.site)

    async def _job_of(self, run: HoldingRun) -> Job | None:
        body = await self._found(paths.job(self.job.namespace, run.job))
        return parse_job(body) if body is not None and body["metadata"]["uid"] == run.uid else None

    async def _daemon_of(self, run: HoldingRun) -> Daemon | None:
        body = await self._found(paths.daemon(self.job.namespace, run.daemon))
        return None if body is None else parse_daemon(body)

    async def _report_takeover(self, holder: LockHolder) -> None:
        note = (
            f"The state of workspace {self.workspace} was still locked by {holder.who} since {holder.created}. That run is "
            "certainly over, so this one has taken the lock. Its plan shows what the other has left behind."
        )
        self._notes.append(note)
        notice = Notice(
            "ProvisionerJob",
            self.job.namespace,
            self.job.name,
            self.job.uid,
            LOCK_RELEASED,
            note,
            "Lock",
            warning=False,
        )
        try:
            await self.client.create(
                paths.events(self.job.namespace), event_body(notice, REPORTER, timestamp(self.clock()))
            )
        except KubeError as error:
            logger.warning("The Event %s was not written: %s", notice.display_name, error)

    async def _read(self) -> StateLock | None:
        body = await self._found(self._path)
        return None if body is None else parse_state_lock(body)

    async def _found(self, path: str) -> dict[str, Any] | None:
        try:
            return await _answered(lambda: self.client.get(path))
        except NotFoundError:
            return None

    async def _patch(self, patch: JsonPatch) -> None:
        await _answered(lambda: self.client.json_patch(self._path, patch))

    def _unavailable(self, error: Exception) -> Failure:
        remedy = (
            "Bind the ClusterRole provisioner-daemon to the daemon"
            if isinstance(error, ForbiddenError)
            else "Remove the cause, then submit the job again"
        )
        message = f"The lock of the state of workspace {self.workspace} could not be taken: {error}. {remedy}."
        return Failure(EndReason.RUN_FAILED, message)

    @property
    def _id(self) -> str:
        return lock_id(self.assignment)

    @property
    def _path(self) -> str:
        return paths.lease(self.job.namespace, lock_lease(self.workspace))


async def _answered(request: Callable[[], Awaitable[T]]) -> T:
    return await until_answered(request, seconds=REQUEST_SECONDS)
