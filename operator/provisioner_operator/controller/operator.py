"""The controller's life: start, probes, resignation and stop. Kopf calls both ends (`handlers`).

Start: log in, serve the probes, list everything, then follow, elect and decide; Kopf's watches begin after that and only
confirm what the lists brought. The number of tasks is fixed, and each must live (`supervisor`). Stop: end decisions, finish
the writes under way, release the Lease, end the watches, close.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

import stamina

from provisioner_operator import __version__
from provisioner_operator.controller import clock
from provisioner_operator.controller.elector import identity
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.own_image import DEFAULT_IMAGE, own_image
from provisioner_operator.controller.parts import Parts, assemble
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.supervisor import Supervisor
from provisioner_operator.controller.telemetry.endpoints import application, serve
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.telemetry.traces import EndTraces
from provisioner_operator.core.leadership import Candidacy
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube.connect import Connection, connect
from provisioner_operator.kube.errors import PASSING, ForbiddenError, NotFoundError
from provisioner_operator.kube.gc_tuning import gc_paused
from provisioner_operator.tracing.exporter import start_exporter

_logger = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
"""The time that the writes under way have at the stop; the next leader decides again on the others."""
_CONNECTIONS_PER_NAMESPACE = 8
"""Six watches of our own and two of Kopf's."""
_FURTHER_CONNECTIONS = 16
"""Kopf's lists, resyncs, Events and the Lease."""


class StartupError(Exception):
    """The controller cannot serve this cluster; the message says what to do."""


def _ask_to_stop() -> None:
    """Stop as at the kubelet's request: the one way that `kopf run` has, too."""
    signal.raise_signal(signal.SIGTERM)


class Operator:
    """One controller process."""

    def __init__(self, settings: Settings, *, end_process: Callable[[], None] = _ask_to_stop) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()
        self._deciding: list[asyncio.Task[None]] = []
        self._electing: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._connection: Connection | None = None
        self._parts: Parts | None = None
        self._is_listed = False
        self._supervisor = Supervisor(end_process)
        self._start_error: Exception | None = None
        self._candidacy = Candidacy(identity()) if settings.lease_namespace else None
        self._reconcilers = Reconcilers.create(DEFAULT_IMAGE, publish_supplies=settings.publish_supplies)
        self._metrics = Metrics(self._reconcilers, self.leads, lambda: self.term() is not None)

    @property
    def connection(self) -> Connection:
        """The connection that Kopf shares. Raises StartupError before `start`."""
        if self._connection is None:
            raise StartupError("The controller has not started.")
        return self._connection

    @property
    def observer(self) -> Observer:
        """The observer of the current connection. Raises StartupError before `start`."""
        if self._parts is None:
            raise StartupError("The controller has not started.")
        return self._parts.observer

    @property
    def failure(self) -> Exception | None:
        """The reason for which the start failed or the process has to start anew; None if there is none."""
        return self._start_error or self._supervisor.failure

    def leads(self) -> bool:
        """Whether this process may decide and write at this moment: it holds the Lease, or needs none."""
        return self._candidacy is None or self._candidacy.leads(clock.since_boot())

    def term(self) -> int | None:
        """Return the number of the term of leadership; None unless this process leads, and sees what it decides on."""
        if not self.leads() or self._is_cut:
            return None
        return 0 if self._candidacy is None else self._candidacy.term

    def tenure(self) -> float:
        """Return the seconds for which this process may write, and no other can lead; 0 if it may not."""
        if self._is_cut:
            return 0.0
        return float("inf") if self._candidacy is None else self._candidacy.tenure(clock.since_boot())

    def restored(self) -> float | None:
        """Return the wall-clock time of the last restore of etcd that the Lease records; None without either."""
        return None if self._candidacy is None else self._candidacy.restored

    @property
    def _is_cut(self) -> bool:
        """Whether etcd may have been restored since the last observation: then nothing that was observed may be acted on."""
        return self._parts is not None and any(lister.is_cut for lister in self._parts.listers)

    async def start(self, *, kopf_tasks: Iterable[asyncio.Task[None]] = ()) -> None:
        """Log in, list everything and begin to decide; waits for an API server that cannot be reached yet.

        `kopf_tasks` are those without which Kopf does nothing. Raises StartupError and LoginError.
        """
        self._supervisor.require_kopf(kopf_tasks)
        try:
            async for attempt in stamina.retry_context(on=PASSING, attempts=None, timeout=None):
                with attempt:
                    await self._start_once()
        except BaseException as error:
            # Also when it is canceled: Kopf does not clean up after a start that did not end.
            self._start_error = error if isinstance(error, Exception) else None
            await self.stop()
            raise

    async def resign(self) -> None:
        """Stop deciding, let the writes under way end, release the Lease; observation goes on."""
        if self._parts is None:
            return
        if self._deciding:
            await self._cancel(self._deciding)
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    # The writes before the Events: each write may add some.
                    await self._parts.writer.drained()
                    await self._parts.recorder.drained()
            except TimeoutError:
                _logger.warning("Some writes did not end in time; the next leader decides on them again")
        # The Lease after the writes: none may be under way once another process leads.
        if self._electing and self._parts.elector is not None:
            await self._parts.restore.settled()
            await self._cancel(self._electing)
            await self._parts.elector.release()

    async def stop(self) -> None:
        """Resign, unless that is done, and close everything."""
        await self.resign()
        await self._cancel(self._tasks)
        # The session last: everything above may still send requests.
        await self._stack.aclose()

    async def _start_once(self) -> None:
        # A failed attempt leaves a session and endpoints behind.
        await self.stop()
        settings = self.settings
        connections = settings.writers + _CONNECTIONS_PER_NAMESPACE * len(settings.namespaces) + _FURTHER_CONNECTIONS
        connection = await self._stack.enter_async_context(connect(settings.kubeconfig, connections=connections))
        self._connection = connection
        parts = self._parts = self._assemble(connection)
        # The endpoints before the lists: these may take minutes, and the probes ask meanwhile.
        port = await self._serve_endpoints()
        # The image before the pools: with another one each pool would replace its daemons.
        self._reconcilers.pools.use_image(settings.daemon_image or await own_image(connection.client) or DEFAULT_IMAGE)
        # The lists before the tasks: a decision on a part of the cluster would take running jobs for lost ones.
        with gc_paused():
            await self._list_all(parts)
        self._start_tasks(parts)
        _logger.info(
            "provisioner-operator %s serves %s at %s; endpoints on port %d",
            __version__,
            ", ".join(settings.namespaces) or "all namespaces",
            connection.server,
            port,
            extra={"port": port},
        )

    def _assemble(self, connection: Connection) -> Parts:
        return assemble(
            self.settings,
            connection.client,
            self._reconcilers,
            self._metrics,
            self._start_traces(),
            candidacy=self._candidacy,
            leads=self.leads,
            term=self.term,
            tenure=self.tenure,
            restored=self.restored,
        )

    def _start_traces(self) -> EndTraces:
        exporter = start_exporter("provisioner-operator", os.environ)
        if exporter is None:
            return EndTraces(None, self.leads)
        self._stack.push_async_callback(asyncio.to_thread, exporter.close)
        return EndTraces(exporter.send, self.leads)

    async def _serve_endpoints(self) -> int:
        """Serve probes and metrics; returns the port."""
        app = application(
            self._metrics.registry,
            started=self._startup_problem,
            alive=self._liveness_problem,
            ready=self._readiness_problem,
        )
        runner, port = await serve(app, self.settings.http_host, self.settings.http_port)
        self._stack.push_async_callback(runner.cleanup)
        return port

    async def _list_all(self, parts: Parts) -> None:
        try:
            for lister in parts.listers:
                await lister.list_all()
        except NotFoundError as error:
            raise StartupError(
                "This cluster lacks definitions of provisioner.dev: install them first (kubectl apply -k crds); that of "
                "ProvisionerSupply comes with the component match-warnings."
            ) from error
        except ForbiddenError as error:
            raise StartupError(f"{error}. Bind the ClusterRole provisioner-operator to this user.") from error
        self._is_listed = True

    def _start_tasks(self, parts: Parts) -> None:
        # Three groups, since they end one after the other: deciding, electing, and everything else.
        self._deciding = [asyncio.create_task(parts.loop.run(), name="decision loop")]
        self._tasks = [
            *(
                asyncio.create_task(parts.restore.follow(work), name=name)
                for lister in parts.listers
                for name, work in lister.tasks()
            ),
            asyncio.create_task(parts.recorder.run(), name="events"),
            *(asyncio.create_task(parts.writer.run(), name=f"writer {n}") for n in range(self.settings.writers)),
        ]
        if parts.elector is not None:
            self._electing = [
                asyncio.create_task(parts.elector.run(), name="elector"),
                asyncio.create_task(parts.elector.watch(), name="watch of the Lease"),
            ]
        self._supervisor.require((*self._deciding, *self._electing, *self._tasks))

    def _startup_problem(self) -> str | None:
        return None if self._is_listed else "the initial lists are not complete"

    def _liveness_problem(self) -> str | None:
        if (failure := self._supervisor.failure) is not None:
            return str(failure)
        if self._deciding and self._parts is not None and self._parts.loop.is_stuck:
            return "the decision loop is stuck"
        return None

    def _readiness_problem(self) -> str | None:
        if (problem := self._startup_problem()) is not None:
            return problem
        if not self.observer.in_contact:
            return "the API server does not answer"
        if self._parts is not None and self._parts.elector is not None and self._parts.elector.problem is not None:
            return self._parts.elector.problem
        return self._cut_problem() or self._liveness_problem()

    def _cut_problem(self) -> str | None:
        """Describe the watch for which this process decides nothing, even if it leads; None if there is none for long."""
        for lister in () if self._parts is None else self._parts.listers:
            if (path := lister.lasting_cut) is not None:
                return f"nothing is decided until {path} can be followed again"
        return None

    async def _cancel(self, tasks: list[asyncio.Task[None]]) -> None:
        """Cancel the tasks, wait for their end, and empty the list."""
        self._supervisor.dismiss(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tasks.clear()
