"""The daemon's heartbeat: one patch of its own status, which says what it runs and keeps its runs alive.

Each heartbeat that gets through renews the fence of every run with the time at which it was sent, and its answer brings
the spec as it is now. Run by `agent`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.core.jobs.timeouts import heartbeat_interval
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.reporting.report import Report, Tally, status_content
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError, PreconditionFailedError

if TYPE_CHECKING:
    from provisioner_operator.core.model.json_value import JsonObject

logger = logging.getLogger(__name__)

FASTEST_SECONDS = 0.3
"""No heartbeat comes sooner than this after the last, however short `lostAfterSeconds` is."""
QUIET_SECONDS = 2.0
"""News of jobs (one started, one ended) waits until the last heartbeat is this old."""
QUIET_FRACTION = 0.2
"""Where heartbeats come faster than usual: this part of their interval."""
RETRY_SECONDS = 2.0
"""After one that did not get through, the next comes at the latest this much later."""
_TIMEOUTS_PER_LOSS = 10
"""A request may take this part of `lostAfterSeconds`: several fit before the fence."""
_SHORTEST_TIMEOUT = 1.0


class TakenOverError(Exception):
    """Another process reports as this daemon, or its object is gone or another: this process must stop."""


class Heartbeat:
    """Reports as one instance of one ProvisionerDaemon."""

    def __init__(
        self,
        client: KubeClient,
        body: Mapping[str, Any],
        *,
        instance: str,
        report: Callable[[], Report],
    ) -> None:
        self._client = client
        self._instance = instance
        self._report = report
        self._has_status = "status" in body
        self.registered = asyncio.Event()
        """Set once the API server knows of this instance; no job may be taken before."""
        self._news = asyncio.Event()
        self._at_once = False
        self._failing = False
        self.daemon = ProvisionerDaemon.model_validate(body)
        """The object as the last answer had it."""
        self.tally = Tally.of(self.daemon.status)
        self._reported_lost_after = self.daemon.spec.lost_after_seconds
        self.contact = Contact(now(), float(self._reported_lost_after))
        self._under_way: asyncio.Task[bool] | None = None

    def tell(self, *, at_once: bool = False) -> None:
        """There is news: send a heartbeat soon, or at once."""
        self._at_once = self._at_once or at_once
        self._news.set()

    async def keep(self) -> None:
        """Send heartbeats until canceled. Raises TakenOverError."""
        while True:
            await self.beat()
            await self._pause()

    async def beat(self) -> bool:
        """Send one heartbeat and tell whether it got through. Raises TakenOverError.

        Whoever is canceled meanwhile leaves it under way, and the next one waits for it: what is said last is heard last.
        """
        if self._under_way is not None:
            await asyncio.wait([self._under_way])
        self._under_way = asyncio.create_task(self._send())
        return await asyncio.shield(self._under_way)

    async def _send(self) -> bool:
        self._news.clear()
        self._at_once = False
        sent, reported = now(), self._reported_lost_after
        try:
            async with asyncio.timeout(max(reported / _TIMEOUTS_PER_LOSS, _SHORTEST_TIMEOUT)):
                body = await self._client.json_patch(self._path, self._patch())
        except NotFoundError as error:
            raise TakenOverError(self._taken_over()) from error
        except PreconditionFailedError as error:
            if await self._is_taken_over():
                raise TakenOverError(self._taken_over()) from error
            self._note_failure(error)
            return False
        except (KubeError, TimeoutError) as error:
            self._note_failure(error)
            return False
        self._failing = False
        self.registered.set()
        self.daemon = ProvisionerDaemon.model_validate(body)
        wanted = self.daemon.spec.lost_after_seconds
        # A shorter time holds at once, a longer one when the controller has been told that it does.
        self.contact.renew(sent, float(min(reported, wanted)))
        if wanted != reported:
            self._reported_lost_after = wanted
            self.tell()
        return True

    async def _is_taken_over(self) -> bool:
        """Whether that is what refused the heartbeat; another admission policy may have, or nobody can tell now."""
        try:
            found = ProvisionerDaemon.model_validate(await self._client.get(self._daemon_path))
        except NotFoundError:
            return True
        except KubeError:
            return False
        instance = self._instance if self.registered.is_set() else found.status.instance
        return found.metadata.uid != self.daemon.metadata.uid or found.status.instance != instance

    async def _pause(self) -> None:
        interval = max(heartbeat_interval(self.contact.lost_after), FASTEST_SECONDS)
        quiet = max(min(QUIET_SECONDS, interval * QUIET_FRACTION), FASTEST_SECONDS)
        started = time.monotonic()
        wait = min(interval, RETRY_SECONDS) if self._failing else interval
        while (rest := started + wait - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(rest):
                    await self._news.wait()
            except TimeoutError:
                return
            if self._at_once:
                return
            self._news.clear()
            wait = min(wait, quiet)

    def _patch(self) -> JsonPatch:
        content = status_content(
            self._report(),
            self.tally,
            self.daemon,
            instance=self._instance,
            lost_after_seconds=self._reported_lost_after,
            now=time.time(),
        )
        uid = ("/metadata/uid", self.daemon.metadata.uid)
        fields = tuple((f"/status/{name}", value) for name, value in content.items())
        if self.registered.is_set():
            return JsonPatch(tests=(uid, ("/status/instance", self._instance)), sets=fields)
        empty: JsonObject = {}
        return JsonPatch(tests=(uid,), sets=fields if self._has_status else (("/status", empty), *fields))

    def _note_failure(self, error: Exception) -> None:
        level = logging.DEBUG if self._failing else logging.WARNING
        remedy = " Grant the daemon patch on provisionerdaemons/status." if isinstance(error, ForbiddenError) else ""
        logger.log(
            level,
            "Heartbeats do not get through: %r.%s Without one for %.0f s the daemon stops its runs.",
            error,
            remedy,
            self.contact.lost_after,
        )
        self._failing = True

    def _taken_over(self) -> str:
        meta = self.daemon.metadata
        return (
            f"ProvisionerDaemon {meta.namespace}/{meta.name} was taken over by another process of the same name, deleted, or "
            "made anew. This process has stopped its runs. Give each daemon a name of its own."
        )

    @property
    def _path(self) -> str:
        return paths.daemon_status(self.daemon.metadata.namespace, self.daemon.metadata.name)

    @property
    def _daemon_path(self) -> str:
        return paths.daemon(self.daemon.metadata.namespace, self.daemon.metadata.name)
