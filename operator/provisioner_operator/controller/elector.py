"""Leader election: carries out the steps that `core.leadership` decides on, and logs each change of leadership.

Leadership gates decisions and writes, never observation: a standby knows as much as the leader. A watch of the Lease
reports changes at once; the requests that are due in any case find what the watch misses. No error of the network ends
it. Started by `operator`; it must not know jobs or daemons.
"""

import asyncio
import logging
import os
import socket
import uuid

from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.core.leadership import (
    RETRY_SECONDS,
    STEP_DOWN_SECONDS,
    Candidacy,
    Create,
    Read,
    Renew,
    Step,
    TakeOver,
    Wait,
    recorded_restore,
)
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    PASSING,
    ApiError,
    BusyError,
    ConflictError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
)
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import lease_record

_logger = logging.getLogger(__name__)

_REQUEST_SECONDS = 3.0
"""The timeout of a request for the Lease: short enough to retry a renewal before the time to step down."""
_WATCH_PAUSE_SECONDS = 1.0
"""The pause between two watches of the Lease."""


def identity() -> str:
    """Make a name for this process that is unique forever and that an admin recognizes."""
    return f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4()}"


class Elector:
    """Runs one candidate for the Lease of a namespace."""

    def __init__(self, client: KubeClient, candidacy: Candidacy, namespace: str, observer: Observer) -> None:
        self._client = client
        self._candidacy = candidacy
        self._namespace = namespace
        self._observer = observer
        self._lease_changed = asyncio.Event()
        self._was_leading = False
        self._last_holder: str | None = None
        self._contact_at = clock.since_boot()
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """The reason for which this process can never lead until an admin acts; None if there is none."""
        return self._problem

    async def run(self) -> None:
        """Take part in the election until canceled."""
        while True:
            await self._take(self._candidacy.next_step(clock.since_boot()))
            self._report_change()

    async def watch(self) -> None:
        """Watch the Lease for changes by others until canceled."""
        while True:
            try:
                await self._follow()
            except (KubeError, OSError) as error:
                _logger.debug("The watch of the Lease ended: %s", error)
            await asyncio.sleep(_WATCH_PAUSE_SECONDS)

    async def release(self) -> None:
        """Give the Lease back, so that a standby can lead at once.

        To be called after `run` was canceled and no write is under way: the next leader decides from what it observes.
        """
        if self._candidacy.resign():
            try:
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await self._client.json_patch(self._path, self._candidacy.releasing(clock.read().wall))
                _logger.info("Released the Lease %s", self._name)
            except (KubeError, TimeoutError) as error:
                _logger.warning("The Lease %s was not released and will expire: %r", self._name, error)
        self._was_leading = False

    async def record_restore(self) -> None:
        """Record that etcd was restored, for whoever leads once this process has ended; try until there is an answer.

        Also as a standby: the leader may not live to notice.
        """
        wall = clock.read().wall
        while True:
            try:
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await self._client.merge_patch(self._path, recorded_restore(wall))
            except (*PASSING, TimeoutError):
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except KubeError as error:
                # Nothing is left to try: without its Lease, or the right to change it, no controller leads either.
                _logger.error("The restore of etcd cannot be recorded in the Lease %s: %s", self._name, error)  # noqa: TRY400
            else:
                _logger.warning("Recorded in the Lease %s that etcd was restored", self._name)
            return

    async def _take(self, step: Step) -> None:
        if isinstance(step, Wait):
            await self._sleep(step.until)
            return
        # Before the request: the Lease is surely held only from the moment at which the renewal was sent.
        sent = clock.since_boot()
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._request(step, sent)
            self._contacted()
            self._problem = None
        except ApiError as error:
            self._contacted()
            if _is_overtaken(step, error):
                self._candidacy.refused(clock.since_boot())
            else:
                self._candidacy.failed(clock.since_boot())
                self._report_refusal(error)
        except BusyError:
            self._contacted()
            self._candidacy.failed(clock.since_boot())
        except (KubeError, TimeoutError) as error:
            self._candidacy.failed(clock.since_boot())
            if clock.since_boot() - self._contact_at >= STEP_DOWN_SECONDS:
                self._observer.contact_lost(error)
        except Exception:
            # An error in the code must not end the elector: this process would never lead again.
            _logger.exception("The election failed unexpectedly and is retried")
            self._candidacy.failed(clock.since_boot())

    async def _request(self, step: Read | Create | TakeOver | Renew, sent: float) -> None:
        client, candidacy, wall = self._client, self._candidacy, clock.read().wall
        match step:
            case Read():
                try:
                    body = await client.get(self._path)
                except NotFoundError:
                    candidacy.saw_none()
                else:
                    candidacy.saw(lease_record(body), clock.since_boot())
                return
            case Create():
                body = await client.create(paths.leases(self._namespace), self._new_lease(wall))
            case TakeOver(lease):
                body = await client.json_patch(self._path, candidacy.taking_over(lease, wall))
            case _:
                body = await client.json_patch(self._path, candidacy.renewing(wall))
        candidacy.renewed(lease_record(body), sent=sent, now=clock.since_boot())

    async def _follow(self) -> None:
        # Without a version the watch begins with the Lease as it is.
        lease = self._client.watch(
            paths.leases(self._namespace), resource_version="", field_selector=f"metadata.name={LEASE}"
        )
        async for kind, body in lease:
            self._contacted()
            if kind == "DELETED":
                self._candidacy.saw_none(object_meta(body).version)
            elif kind != "BOOKMARK":
                self._candidacy.saw(lease_record(body), clock.since_boot())
            self._lease_changed.set()

    async def _sleep(self, until: float) -> None:
        try:
            async with asyncio.timeout(max(until - clock.since_boot(), 0)):
                await self._lease_changed.wait()
        except TimeoutError:
            pass  # the time has come
        self._lease_changed.clear()

    def _contacted(self) -> None:
        self._contact_at = clock.since_boot()
        self._observer.contact()

    def _report_refusal(self, error: ApiError) -> None:
        """Log a refusal that an admin has to fix, once, and report it as the problem."""
        remedy = "The request is retried."
        if isinstance(error, ForbiddenError):
            remedy = f"Bind the Role provisioner-operator of namespace {self._namespace} to this user."
        elif isinstance(error, NotFoundError):
            remedy = f"Create the namespace {self._namespace}, or name another by --lease-namespace."
        problem = f"The Lease {self._name} cannot be acquired: {error}. {remedy}"
        if problem != self._problem:
            _logger.error("%s", problem)
        self._problem = problem

    def _report_change(self) -> None:
        """Log a change of leadership, and wake the decision loop."""
        leads, holder = self._candidacy.leads(clock.since_boot()), self._candidacy.holder
        if leads != self._was_leading:
            self._was_leading = leads
            extra = {"leader": leads, "identity": self._candidacy.identity}
            if leads:
                _logger.info("Leads: acquired the Lease %s", self._name, extra=extra)
            else:
                _logger.warning("Lost the leadership; decides and writes nothing until it is regained", extra=extra)
            self._observer.wake.set()
        elif holder != self._last_holder and not leads and holder not in (None, self._candidacy.identity):
            _logger.info("Stands by: %s holds the Lease %s", holder, self._name, extra={"leader": False})
        self._last_holder = holder

    def _new_lease(self, wall: float) -> JsonObject:
        meta = {"name": LEASE, "namespace": self._namespace}
        spec = self._candidacy.content(wall)
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}

    @property
    def _name(self) -> str:
        return f"{self._namespace}/{LEASE}"

    @property
    def _path(self) -> str:
        return paths.lease(self._namespace, LEASE)


def _is_overtaken(step: Step, error: ApiError) -> bool:
    """Whether another candidate was faster, so that the Lease has to be read again."""
    # A 404 for a creation means that the namespace is missing, not that another was faster.
    if isinstance(step, Create):
        return isinstance(error, ConflictError)
    return isinstance(error, PreconditionFailedError | NotFoundError)
