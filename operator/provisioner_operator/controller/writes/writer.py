"""Decisions become requests: one conditional write each, a bounded number at a time, fewer when the API server is busy.

A failed precondition is news: the object is read again and decided anew. No write is ever repeated blindly: what could
not be sent is settled after a pause, and the loop decides again from what is then true. Each write is made only while
this process leads, asked anew at that moment (it may have been frozen since it was decided), and given up before another
process may lead. Who stands by only reads.
"""

import asyncio
import logging
from collections.abc import Callable

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.pools import PoolWrites
from provisioner_operator.controller.writes.workspaces import WorkspaceWrites
from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    MarkOffline,
    PodDecision,
    RegisterDaemon,
    RemoveDaemon,
    ReshapeDaemon,
)
from provisioner_operator.core.jobs.decisions import CheckJob, Expire
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.pools import decisions as pool_decisions
from provisioner_operator.core.pools.decisions import PoolDecision
from provisioner_operator.core.reconcilers.decisions import Decision, subject
from provisioner_operator.core.workspaces import decisions as workspace_decisions
from provisioner_operator.core.workspaces.decisions import WorkspaceDecision
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)

_logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
"""How long a writer waits after it found no API server: short enough to notice its return, long enough not to storm."""
_REFUSED_PAUSE_SECONDS = 60.0
"""How long a decision rests that the API server refuses as such (a missing right, an object it calls invalid)."""


_PASSING_PAUSE_SECONDS = 5.0
"""How long one rests that may pass: an API server that has just come up has yet to read the roles, or has lost etcd."""


class RefusedError(Exception):
    """A precondition is said to have failed, yet the object is as it was: something else refuses the write."""


class Departed:
    """A job is missing from a list: it ended or was deleted, and a read tells which."""

    __slots__ = ("name", "namespace", "uid")

    def __init__(self, namespace: str, name: str, uid: str) -> None:
        self.namespace, self.name, self.uid = namespace, name, uid


Work = Decision | PoolDecision | WorkspaceDecision | Departed


class Writer:
    """A queue of work and the tasks that do it."""

    def __init__(
        self,
        client: KubeClient,
        observer: Observer,
        pool_writes: PoolWrites,
        workspace_writes: WorkspaceWrites,
        metrics: Metrics,
        tenure: Callable[[], float],
        admission: WriteGate,
    ) -> None:
        self._admission = admission
        self._tenure = tenure
        self._pool_writes = pool_writes
        self._workspace_writes = workspace_writes
        self._client = client
        self._observer = observer
        self._metrics = metrics
        self._queue: asyncio.Queue[Work] = asyncio.Queue()
        self._pause = _FIRST_PAUSE_SECONDS

    def submit(self, work: Work) -> None:
        """Have this done."""
        self._queue.put_nowait(work)

    async def drained(self) -> None:
        """Return once all that was submitted is done."""
        await self._queue.join()

    async def run(self) -> None:
        """Do work until canceled. Several of these run side by side."""
        while True:
            work = await self._queue.get()
            try:
                await self._admission.enter()
                try:
                    await self._do(work)
                finally:
                    self._admission.leave()
            finally:
                self._queue.task_done()

    async def _do(self, work: Work) -> None:
        tenure, sent = self._tenure(), clock.read().monotonic
        if not isinstance(work, Departed) and tenure <= 0:
            self._count(work, "dropped")
            self._settle(work)  # as not done: whoever leads decides it from what is true
            return
        try:
            await self._request(work, tenure)
        except BusyError as error:
            self._observer.contact()
            self._count(work, "busy")
            self._admission.refused(error, sent=sent)
            self._again(work)  # it waits at the gate
        except TimeoutError:
            # The tenure ended meanwhile, which says nothing about the API server: this process may have been frozen.
            self._count(work, "expired")
            self._again(work)
        except UnreachableError as error:
            self._observer.contact_lost(error)
            self._count(work, "unreachable")
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(self._pause)
            self._again(work)
        except Exception as error:  # noqa: BLE001 - one strange object must not stop the others
            self._count(work, "refused")
            _explain_refusal(work, error)
            if isinstance(work, RegisterDaemon | ReshapeDaemon) and isinstance(error, InvalidError):
                self._observer.pod_refused(work.pod, error)
            if isinstance(error, KubeError | RefusedError):
                self._observer.contact()
            passing = isinstance(error, ForbiddenError | InternalError)
            pause = _PASSING_PAUSE_SECONDS if passing else _REFUSED_PAUSE_SECONDS
            asyncio.get_running_loop().call_later(pause, self._again, work)
        else:
            self._pause = _FIRST_PAUSE_SECONDS
            self._observer.contact()
            self._admission.answered()
            if not isinstance(work, Departed):
                self._settle(work)

    async def _request(self, work: Work, tenure: float) -> None:
        if isinstance(work, Departed):
            await self._read_job(work.namespace, work.name, work.uid)
            return
        async with asyncio.timeout(tenure if tenure < float("inf") else None):
            if isinstance(work, PoolDecision):
                self._count(work, await self._pool_writes.carry_out(work))
            elif isinstance(work, WorkspaceDecision):
                self._count(work, await self._workspace_writes.carry_out(work))
            else:
                await self._carry_out(work)

    def _again(self, work: Work) -> None:
        if isinstance(work, Departed):
            self.submit(work)
        else:
            self._settle(work)

    def _settle(self, decision: Decision | PoolDecision | WorkspaceDecision) -> None:
        if isinstance(decision, PoolDecision):
            self._observer.pool_settled(decision)
        elif isinstance(decision, WorkspaceDecision):
            self._observer.workspace_settled(decision)
        else:
            self._observer.settled(subject(decision))

    async def _carry_out(self, decision: Decision) -> None:
        match decision:
            case CheckJob(job):
                await self._read_job(job.namespace, job.name, job.uid)
            case CheckDaemon(daemon):
                await self._read_daemon(daemon.namespace, daemon.name, daemon.uid)
            case RegisterDaemon() | ReshapeDaemon() | RemoveDaemon():
                await self._keep_daemon(decision)
            case MarkOffline(daemon):
                path = paths.daemon_status(daemon.namespace, daemon.name)
                await self._patch_daemon(decision, path, decision.patch(clock.read().wall))
            case Expire(job):
                try:
                    path = paths.job(job.namespace, job.name)
                    await self._client.delete(path, uid=job.uid, resource_version=job.resource_version)
                    self._count(decision, "ok")
                    self._observer.job_deleted(job.uid)
                except (ConflictError, NotFoundError):
                    self._count(decision, "conflict")
                    await self._read_job(job.namespace, job.name, job.uid)
            case _:
                job = decision.job
                try:
                    path = paths.job_status(job.namespace, job.name)
                    body = await self._client.json_patch(path, decision.patch(clock.read().wall))
                    self._count(decision, "ok")
                    self._observer.job(body)
                except (PreconditionFailedError, NotFoundError) as error:
                    self._count(decision, "conflict")
                    version = await self._read_job(job.namespace, job.name, job.uid)
                    _require_news(job.resource_version, version, error)

    async def _keep_daemon(self, decision: PodDecision) -> None:
        """Make, change or remove the ProvisionerDaemon of a Pod."""
        match decision:
            case RegisterDaemon(pod):
                try:
                    body = await self._client.create(paths.daemons(pod.namespace), decision.body())
                    self._count(decision, "ok")
                except ConflictError:
                    self._count(decision, "conflict")
                    body = await self._client.get(paths.daemon(pod.namespace, pod.name))
                self._observer.daemon(body)
            case ReshapeDaemon(_, daemon):
                path = paths.daemon(daemon.namespace, daemon.name)
                await self._patch_daemon(decision, path, decision.patch())
            case RemoveDaemon(_, daemon):
                try:
                    await self._client.delete(paths.daemon(daemon.namespace, daemon.name), uid=daemon.uid)
                    self._count(decision, "ok")
                    self._observer.daemon_deleted(daemon.uid)
                except (ConflictError, NotFoundError):
                    self._count(decision, "conflict")
                    await self._read_daemon(daemon.namespace, daemon.name, daemon.uid)

    async def _patch_daemon(self, decision: MarkOffline | ReshapeDaemon, path: str, patch: JsonPatch) -> None:
        daemon = decision.daemon
        try:
            body = await self._client.json_patch(path, patch)
            self._count(decision, "ok")
            self._observer.daemon(body)
        except (PreconditionFailedError, NotFoundError) as error:
            self._count(decision, "conflict")
            version = await self._read_daemon(daemon.namespace, daemon.name, daemon.uid)
            _require_news(daemon.resource_version, version, error)

    async def _read_job(self, namespace: str, name: str, uid: str) -> int | None:
        """Learn what is true of the job; the version read, None if it is gone."""
        try:
            body = await self._client.get(paths.job(namespace, name))
        except NotFoundError:
            self._observer.job_deleted(uid)
            return None
        if body["metadata"]["uid"] != uid:
            self._observer.job_deleted(uid)
        self._observer.job(body)
        return int(body["metadata"]["resourceVersion"])

    async def _read_daemon(self, namespace: str, name: str, uid: str) -> int | None:
        """Learn what is true of the daemon; the version read, None if it is gone."""
        try:
            body = await self._client.get(paths.daemon(namespace, name))
        except NotFoundError:
            self._observer.daemon_deleted(uid)
            return None
        if body["metadata"]["uid"] != uid:
            self._observer.daemon_deleted(uid)
        self._observer.daemon(body, fresh=True)
        return int(body["metadata"]["resourceVersion"])

    def _count(self, work: Work, result: str) -> None:
        if not isinstance(work, CheckDaemon | CheckJob | Departed):
            self._metrics.writes.labels(type(work).__name__, result).inc()


def _require_news(known: int, found: int | None, error: KubeError) -> None:
    if found == known:
        raise RefusedError(f"{error}. The object has not changed: does another admission policy refuse the write?")


def _explain_refusal(work: Work, error: Exception) -> None:
    what = f"{type(work).__name__} of {_name_of(work)}"
    if isinstance(error, ForbiddenError):
        _logger.error("%s: %s. Give the operator's ServiceAccount the ClusterRole provisioner-operator.", what, error)
    elif isinstance(error, KubeError | RefusedError):
        _logger.error("%s was refused and is tried again later: %s", what, error)
    else:
        _logger.error("%s failed and is tried again later", what, exc_info=error)


def _name_of(work: Work) -> str:
    match work:
        case Departed():
            return f"{work.namespace}/{work.name}"
        case CheckDaemon(daemon) | MarkOffline(daemon):
            return daemon.display_name
        case RegisterDaemon(pod) | ReshapeDaemon(pod) | RemoveDaemon(pod):
            return pod.display_name
        case _ if isinstance(work, PoolDecision):
            return pool_decisions.display_name(work)
        case _ if isinstance(work, WorkspaceDecision):
            return workspace_decisions.display_name(work)
        case _:
            return work.job.display_name
