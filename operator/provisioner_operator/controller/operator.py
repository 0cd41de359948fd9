"""The controller put together, and its start and stop.

Order at the start: log in, list, then decide; Kopf's watches follow and only confirm. The tasks are fixed in number and
begin before Kopf, which cancels what is born under it. At the stop: decide no more, finish the writes under way, close.
"""

import asyncio
import logging
from contextlib import AsyncExitStack

import stamina

from provisioner_operator import __version__
from provisioner_operator.controller.endpoints import application, serve
from provisioner_operator.controller.events import EventRecorder
from provisioner_operator.controller.loop import DecisionLoop
from provisioner_operator.controller.metrics import Metrics
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.priming import Lister
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.writer import Departed, Writer
from provisioner_operator.core.mirror import Mirror
from provisioner_operator.kube.connect import Connection, LoginError, connect
from provisioner_operator.kube.errors import PASSING, ForbiddenError, NotFoundError

_logger = logging.getLogger(__name__)

_DRAIN_SECONDS = 10.0
"""How long the writes under way may take at the stop; what is left is decided anew by the next controller."""


_FURTHER_CONNECTIONS = 16


class StartupError(Exception):
    """The controller cannot serve this cluster; the message says what to do."""


class Operator:
    """One controller process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._connection: Connection | None = None
        self._primed = False
        self._mirror = Mirror()
        self._metrics = Metrics(self._mirror)
        self._observer: Observer | None = None
        self._writer: Writer | None = None

    @property
    def connection(self) -> Connection:
        """The session that Kopf shares. Raises StartupError before `start`."""
        if self._connection is None:
            raise StartupError("The controller has not started.")
        return self._connection

    @property
    def observer(self) -> Observer:
        """Where what is observed goes. Raises StartupError before `start`."""
        if self._observer is None:
            raise StartupError("The controller has not started.")
        return self._observer

    async def start(self) -> None:
        """Log in, serve the endpoints, list everything, begin to decide; waits for an API server that is not there yet.

        Raises StartupError and LoginError.
        """
        try:
            async for attempt in stamina.retry_context(on=PASSING, attempts=None, timeout=None):
                with attempt:
                    await self._start_once()
        except (StartupError, LoginError):
            await self.stop()
            raise

    async def _start_once(self) -> None:
        await self.stop()
        settings = self.settings
        # Beside the writers: Kopf's watches (three for each namespace), its listings, a resync, events.
        connections = settings.writers + 3 * len(settings.namespaces) + _FURTHER_CONNECTIONS
        connection = await self._stack.enter_async_context(connect(settings.kubeconfig, connections=connections))
        self._connection = connection
        client = connection.client
        recorder = EventRecorder(client, self._metrics)
        observer = self._observer = Observer(self._mirror, self._metrics, recorder)
        writer = self._writer = Writer(client, observer, self._metrics)
        lister = Lister(client, observer, self._mirror, writer, settings.namespaces)
        loop = DecisionLoop(self._mirror, observer, writer, self._metrics)
        app = application(self._metrics.registry, self._wrong_with_life, self._wrong_with_readiness)
        runner, port = await serve(app, settings.http_host, settings.http_port)
        self._stack.push_async_callback(runner.cleanup)
        await self._prime(lister)
        self._tasks = [
            asyncio.create_task(loop.run(), name="decision loop"),
            asyncio.create_task(lister.run(), name="resync"),
            asyncio.create_task(recorder.run(), name="events"),
            *(asyncio.create_task(writer.run(), name=f"writer {number}") for number in range(settings.writers)),
        ]
        _logger.info(
            "provisioner-operator %s serves %s at %s; endpoints on port %d",
            __version__,
            ", ".join(settings.namespaces) or "all namespaces",
            connection.server,
            port,
            extra={"port": port},
        )

    async def stop(self) -> None:
        """Decide no more, let the writes under way end, close everything."""
        if self._tasks and self._writer is not None:
            self._tasks[0].cancel()  # the loop: no new decisions
            try:
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await self._writer.drained()
            except TimeoutError:
                _logger.warning("Some writes did not end in time; they are decided anew at the next start")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._stack.aclose()

    def departed(self, namespace: str, name: str, uid: str) -> None:
        """A job left the watch: have it read once, to learn whether it ended or was deleted."""
        if self._writer is not None and self._mirror.job(uid) is not None:
            self._writer.submit(Departed(namespace, name, uid))
        else:
            self.observer.job_left(uid)

    async def _prime(self, lister: Lister) -> None:
        try:
            await lister.prime()
        except NotFoundError as error:
            raise StartupError(
                "This cluster does not know ProvisionerJobs: install the definitions first (kubectl apply -k crds)."
            ) from error
        except ForbiddenError as error:
            raise StartupError(f"{error}. Bind the ClusterRole provisioner-operator to this user.") from error
        self._primed = True

    def _wrong_with_life(self) -> str | None:
        for task in self._tasks:
            if task.done():
                return f"the task '{task.get_name()}' has ended"
        return None

    def _wrong_with_readiness(self) -> str | None:
        if not self._primed:
            return "still listing jobs and daemons"
        if not self.observer.in_contact:
            return "the API server does not answer"
        return self._wrong_with_life()
