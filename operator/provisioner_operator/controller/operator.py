"""The controller put together, and its start and stop.

Order at the start: log in, list, stand as a candidate, and once elected decide; our watches go on from the lists, Kopf's
follow and only confirm.
The tasks are fixed in number and begin before Kopf, which cancels what is born under it. At the stop: decide no more,
finish the writes under way, release the Lease, end the watches, close.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import AsyncExitStack

import stamina

from provisioner_operator import __version__
from provisioner_operator.controller import clock, gc_tuning
from provisioner_operator.controller.elector import Elector, identity
from provisioner_operator.controller.loop import DecisionLoop
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.own_image import DEFAULT_IMAGE, own_image
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.sources.initial_list import Lister
from provisioner_operator.controller.telemetry.endpoints import application, serve
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import Admission
from provisioner_operator.controller.writes.families import families
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.leadership import Candidacy
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube.connect import Connection, LoginError, connect
from provisioner_operator.kube.errors import PASSING, ForbiddenError, NotFoundError

_logger = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
"""How long the writes under way may take at the stop; what is left is decided anew by the next controller."""


_FURTHER_CONNECTIONS = 16


class StartupError(Exception):
    """The controller cannot serve this cluster; the message says what to do."""


class Operator:
    """One controller process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()
        self._deciding: list[asyncio.Task[None]] = []
        self._electing: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._connection: Connection | None = None
        self._primed = False
        self._candidacy = Candidacy(identity()) if settings.lease_namespace else None
        self._reconcilers = Reconcilers.create(DEFAULT_IMAGE)
        self._metrics = Metrics(self._reconcilers, self.leads)
        self._observer: Observer | None = None
        self._writer: Writer | None = None
        self._recorder: EventRecorder | None = None
        self._elector: Elector | None = None
        self._loop: DecisionLoop | None = None

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

    def leads(self) -> bool:
        """Whether this process may decide and write at this moment: it holds the Lease, or needs none."""
        return self._candidacy is None or self._candidacy.leads(clock.since_boot())

    def tenure(self) -> float:
        """For how many seconds more nobody else can decide; 0 if this process may not."""
        return float("inf") if self._candidacy is None else self._candidacy.tenure(clock.since_boot())

    async def start(self) -> None:
        """Log in, serve the endpoints, list everything, decide once elected; waits for an API server that is not there yet.

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
        # Beside the writers: our watches (four for a namespace) and Kopf's (two), its listings, a resync, events.
        connections = settings.writers + 6 * len(settings.namespaces) + _FURTHER_CONNECTIONS
        connection = await self._stack.enter_async_context(connect(settings.kubeconfig, connections=connections))
        self._connection = connection
        client = connection.client
        admission = Admission(settings.writers)
        recorder = self._recorder = EventRecorder(client, self._metrics, self.leads, admission)
        reconcilers = self._reconcilers
        observer = self._observer = Observer(reconcilers, self._metrics, recorder, self.leads)
        writer = self._writer = Writer(
            families(client, observer, reconcilers),
            JobExecutor(client, observer),
            observer,
            self._metrics,
            self.tenure,
            admission,
            settings.writers,
        )
        listers = [
            Lister(client, observer, reconcilers, writer, namespace) for namespace in settings.namespaces or (None,)
        ]
        loop = self._loop = DecisionLoop(reconcilers, observer, writer, self._metrics, self.leads)
        app = application(
            self._metrics.registry,
            started=self._wrong_with_start,
            alive=self._wrong_with_life,
            ready=self._wrong_with_readiness,
        )
        runner, port = await serve(app, settings.http_host, settings.http_port)
        self._stack.push_async_callback(runner.cleanup)
        reconcilers.pools.use_image(settings.daemon_image or await own_image(client) or DEFAULT_IMAGE)
        with gc_tuning.gc_paused():
            await self._prime(listers)
        self._deciding = [asyncio.create_task(loop.run(), name="decision loop")]
        self._tasks = [
            *(asyncio.create_task(work, name=name) for lister in listers for name, work in lister.tasks()),
            asyncio.create_task(recorder.run(), name="events"),
            *(asyncio.create_task(writer.run(), name=f"writer {number}") for number in range(settings.writers)),
        ]
        if self._candidacy is not None and settings.lease_namespace is not None:
            elector = self._elector = Elector(client, self._candidacy, settings.lease_namespace, observer)
            self._electing = [
                asyncio.create_task(elector.run(), name="elector"),
                asyncio.create_task(elector.watch(), name="watch of the Lease"),
            ]
        _logger.info(
            "provisioner-operator %s serves %s at %s; endpoints on port %d",
            __version__,
            ", ".join(settings.namespaces) or "all namespaces",
            connection.server,
            port,
            extra={"port": port},
        )

    async def resign(self) -> None:
        """Decide no more, let the writes under way end, release the Lease; go on to watch."""
        if self._deciding and self._writer is not None and self._recorder is not None:
            await _cancel(self._deciding)
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._writer.drained()
                    await self._recorder.drained()
            except TimeoutError:
                _logger.warning("Some writes did not end in time; whoever leads next decides them anew")
        if self._electing and self._elector is not None:
            await _cancel(self._electing)
            await self._elector.release()

    async def stop(self) -> None:
        """Resign, unless that is done, and close everything."""
        await self.resign()
        await _cancel(self._tasks)
        await self._stack.aclose()

    async def _prime(self, listers: Iterable[Lister]) -> None:
        try:
            for lister in listers:
                await lister.prime()
        except NotFoundError as error:
            raise StartupError(
                "This cluster does not know ProvisionerJobs: install the definitions first (kubectl apply -k crds)."
            ) from error
        except ForbiddenError as error:
            raise StartupError(f"{error}. Bind the ClusterRole provisioner-operator to this user.") from error
        self._primed = True

    def _wrong_with_start(self) -> str | None:
        return None if self._primed else "still listing jobs and daemons"

    def _wrong_with_life(self) -> str | None:
        for task in (*self._deciding, *self._electing, *self._tasks):
            if task.done():
                return f"the task '{task.get_name()}' has ended"
        if self._deciding and self._loop is not None and self._loop.is_stuck:
            return "the decision loop is stuck"
        return None

    def _wrong_with_readiness(self) -> str | None:
        if (wrong := self._wrong_with_start()) is not None:
            return wrong
        if not self.observer.in_contact:
            return "the API server does not answer"
        if self._elector is not None and self._elector.trouble is not None:
            return self._elector.trouble
        return self._wrong_with_life()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """End the tasks, and forget them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks.clear()
