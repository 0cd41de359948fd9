"""Send the daemon's heartbeats: patches of its own status that list its runs and keep those runs alive.

Each heartbeat that succeeds renews the fence of every run with the time at which it was sent, and its answer brings the
current spec. Run by `agent`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.core.jobs.timeouts import interrupt_after
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.reporting.pace import Pace
from provisioner_operator.daemon.reporting.registration import roles_of_an_outside_daemon
from provisioner_operator.daemon.reporting.report import Report, Tally, status_content
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError, PreconditionFailedError

if TYPE_CHECKING:
    from provisioner_operator.core.model.json_value import JsonObject

logger = logging.getLogger(__name__)

FASTEST_SECONDS = 0.3
"""The shortest pause between two heartbeats, however short `lostAfterSeconds` is."""
BATCH_SECONDS = 2.0
"""A change of the jobs (one started, one ended) waits until the last heartbeat is this old, for others to join it."""
BATCH_FRACTION = 0.2
"""The same where heartbeats come faster than usual, as a part of their interval."""
RETRY_SECONDS = 2.0
"""The longest pause after a heartbeat that failed."""
_TIMEOUTS_PER_LOSS = 10
"""A request may take this part of `lostAfterSeconds`, so that several fit before the fence."""
_SHORTEST_TIMEOUT = 1.0


class TakenOverError(Exception):
    """Another process reports as this daemon: this process must stop, and its runs at once."""


class DaemonDeletedError(Exception):
    """The daemon's object was deleted or recreated: this process must stop, its runs by the fence at the latest."""


class Heartbeat:
    """Reports as one instance of one ProvisionerDaemon."""

    def __init__(
        self,
        client: KubeClient,
        body: Mapping[str, Any],
        *,
        instance: str,
        report: Callable[[], Report],
        clock: Callable[[], float] = now,
    ) -> None:
        """Take the daemon's object as last read, and the clock that contact and fence are measured by."""
        self._client = client
        self._instance = instance
        self._report = report
        self._has_status = "status" in body
        self.registered = asyncio.Event()
        """Set once the API server knows this instance; no job may be taken before."""
        self._clock = clock
        self._news = asyncio.Event()
        self._at_once = False
        self._failing = False
        self._unreadable = False
        """Whether the last answer could not be parsed."""
        self.daemon = ProvisionerDaemon.model_validate(body)
        """The object as the last answer showed it."""
        self.tally = Tally.of(self.daemon.status)
        self._reported_lost_after = self.daemon.spec.lost_after_seconds
        self.contact = Contact(clock(), float(self._reported_lost_after), clock)
        self._in_flight: asyncio.Task[None] | None = None
        self._last: str | None = None
        """Time of the last heartbeat as the API server has it."""
        self._pace = Pace()
        self._begun = 0
        """Number of heartbeats that were begun."""
        self._awaiting: list[tuple[int, asyncio.Future[None]]] = []
        """Callers that wait until the heartbeat of this number, or a later one, has succeeded."""

    def notify(self, *, at_once: bool = False) -> None:
        """Send a heartbeat soon, or at once, because something has changed."""
        self._at_once = self._at_once or at_once
        self._news.set()

    async def keep_beating(self) -> None:
        """Send heartbeats until canceled. Raises TakenOverError or DaemonDeletedError."""
        try:
            while True:
                await self.beat()
                await self._pause()
        finally:
            for _, shown in self._awaiting:
                shown.cancel()

    async def show_runs(self) -> None:
        """Wait until the API server no longer shows the daemon at rest, if it does: a heartbeat with its present runs is sent.

        Canceled when there are no more heartbeats.
        """
        if self._pace.may_seem_at_rest:
            shown = asyncio.get_running_loop().create_future()
            self._awaiting.append((self._begun + 1, shown))
            self.notify(at_once=True)
            await shown

    async def beat(self) -> None:
        """Send one heartbeat, which may fail. Raises TakenOverError or DaemonDeletedError.

        A caller that is canceled leaves its request running, and the next call waits for that request.
        """
        # One at a time: an older report that arrives last would bring back what the newer one has replaced.
        if self._in_flight is not None:
            await asyncio.wait([self._in_flight])
        self._in_flight = asyncio.create_task(self._send())
        await asyncio.shield(self._in_flight)

    async def _send(self) -> None:
        # Before the report is made: what changes after that needs a heartbeat of its own.
        self._news.clear()
        self._at_once = False
        self._begun += 1
        # The time of sending, not of the answer: the controller counts from no earlier time.
        sent, reported, number = self._clock(), self._reported_lost_after, self._begun
        try:
            async with asyncio.timeout(max(reported / _TIMEOUTS_PER_LOSS, _SHORTEST_TIMEOUT)):
                body = await self._client.json_patch(self._path, self._patch())
        except NotFoundError as error:
            raise self._deleted() from error
        except PreconditionFailedError as error:
            if (end := await self._end()) is not None:
                raise end from error
            self._log_failure(error)
            return
        except (KubeError, TimeoutError) as error:
            self._log_failure(error)
            return
        self._failing = False
        self.registered.set()
        self._take_in(body)
        self._last = body["status"].get("lastHeartbeatTime")
        self._pace.accepted(body["status"].get("idleHeartbeatSeconds", 0), is_deleted=self._is_deleted)
        self._note_shown(number)
        wanted = self.daemon.spec.lost_after_seconds
        # A shorter time applies at once, a longer one only once it was reported: until then the controller counts by the
        # shorter one.
        self.contact.renew(sent, float(min(reported, wanted)))
        if wanted != reported:
            self._reported_lost_after = wanted
            self.notify()

    def _note_shown(self, number: int) -> None:
        for awaited, shown in self._awaiting:
            if awaited <= number and not shown.done():
                shown.set_result(None)
        self._awaiting = [each for each in self._awaiting if not each[1].done()]

    def _take_in(self, body: Mapping[str, Any]) -> None:
        try:
            self.daemon = ProvisionerDaemon.model_validate(body)
        except ValidationError as error:
            # The API server was reached, so the runs may go on: with the spec as it was last read.
            if not self._unreadable:
                logger.error("Cannot parse this daemon's object, so its former spec applies: %s", error)  # noqa: TRY400 - no traceback needed
            self._unreadable = True
        else:
            self._unreadable = False

    async def _end(self) -> Exception | None:
        """Read the object afresh and return the error that ends this process if the object is no longer its own.

        None also when it cannot be read now: an admission policy, too, may have refused the heartbeat.
        """
        try:
            body = await self._client.get(self._daemon_path)
        except NotFoundError:
            return self._deleted()
        except KubeError:
            return None
        found = ProvisionerDaemon.model_validate(body)
        if found.metadata.uid != self.daemon.metadata.uid:
            return self._deleted()
        # A heartbeat of its own whose answer was lost, or a restore of etcd, may have changed the time.
        self._last = body["status"].get("lastHeartbeatTime")
        instance = self._instance if self.registered.is_set() else found.status.instance
        return None if found.status.instance == instance else self._taken_over()

    async def _pause(self) -> None:
        interval = max(self._pace.interval(self.contact.lost_after), FASTEST_SECONDS)
        batch = max(min(BATCH_SECONDS, interval * BATCH_FRACTION), FASTEST_SECONDS)
        clock = asyncio.get_running_loop().time
        started = clock()
        wait = min(interval, RETRY_SECONDS) if self._failing else interval
        while (rest := started + wait - clock()) > 0:
            try:
                async with asyncio.timeout(rest):
                    await self._news.wait()
            except TimeoutError:
                return
            if self._at_once:
                return
            self._news.clear()
            wait = min(wait, batch)

    def _patch(self) -> JsonPatch:
        report, lost_after = self._report(), self._reported_lost_after
        content = status_content(
            report,
            self.tally,
            self.daemon,
            instance=self._instance,
            lost_after_seconds=lost_after,
            idle_heartbeat_seconds=self._pace.announce(report, lost_after, is_deleted=self._is_deleted),
            now=time.time(),
        )
        uid = ("/metadata/uid", self.daemon.metadata.uid)
        fields = tuple((f"/status/{name}", value) for name, value in content.items())
        if self.registered.is_set():
            # The time too: a heartbeat that is given up may still arrive, and must not bring back what a later one replaced.
            last = (("/status/lastHeartbeatTime", self._last),) if self._last is not None else ()
            return JsonPatch(tests=(uid, ("/status/instance", self._instance), *last), sets=fields)
        empty: JsonObject = {}
        return JsonPatch(tests=(uid,), sets=fields if self._has_status else (("/status", empty), *fields))

    def _log_failure(self, error: Exception) -> None:
        level = logging.DEBUG if self._failing else logging.WARNING
        remedy = f" {self._roles()}" if isinstance(error, ForbiddenError) else ""
        logger.log(
            level,
            "Heartbeats fail: %r.%s The daemon stops its runs %.0f s after the last heartbeat that succeeded.",
            error,
            remedy,
            interrupt_after(self.contact.lost_after),
        )
        self._failing = True

    def _roles(self) -> str:
        namespace = self.daemon.metadata.namespace
        if any(owner.kind == "Pod" for owner in self.daemon.metadata.owner_references):
            return f"Bind the ClusterRole provisioner-daemon to the Pod's ServiceAccount in namespace {namespace}."
        return roles_of_an_outside_daemon(namespace)

    def _taken_over(self) -> TakenOverError:
        meta = self.daemon.metadata
        return TakenOverError(
            f"ProvisionerDaemon {meta.namespace}/{meta.name} was taken over by another process of the same name. This process "
            "has stopped its runs. Give each daemon a name of its own."
        )

    def _deleted(self) -> DaemonDeletedError:
        meta = self.daemon.metadata
        return DaemonDeletedError(
            f"ProvisionerDaemon {meta.namespace}/{meta.name} was deleted or recreated. This process has stopped its runs. "
            "Start it again if the daemon is still needed."
        )

    @property
    def _is_deleted(self) -> bool:
        return self.daemon.metadata.deletion_timestamp is not None

    @property
    def _path(self) -> str:
        return paths.daemon_status(self.daemon.metadata.namespace, self.daemon.metadata.name)

    @property
    def _daemon_path(self) -> str:
        return paths.daemon(self.daemon.metadata.namespace, self.daemon.metadata.name)
