"""Holds the Lease, or waits for it: carries out what `core.leadership` says, and tells of each change.

Leadership gates the decisions and the writes, never the watching: who stands by knows as much as who leads. A watch of
the Lease tells at once what changed; whatever it misses, a request finds out in time. No error of the network ends it.
Started by `operator`; knows neither jobs nor daemons.
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
    STEP_DOWN_SECONDS,
    Candidacy,
    Create,
    Read,
    Renew,
    Step,
    TakeOver,
    Wait,
)
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    ApiError,
    BusyError,
    ConflictError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
)
from provisioner_operator.kube.parsing import lease_record

_logger = logging.getLogger(__name__)

_REQUEST_SECONDS = 3.0
"""How long a request for the Lease may take: a renewal can be tried again before it is time to step down."""
_WATCH_PAUSE_SECONDS = 1.0
"""No two watches of the Lease begin within this time."""


def identity() -> str:
    """A name for this process that no other has or will have, and that an admin recognizes."""
    return f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4()}"


class Elector:
    """One candidate for the Lease of a namespace."""

    def __init__(self, client: KubeClient, candidacy: Candidacy, namespace: str, observer: Observer) -> None:
        self._client = client
        self._candidacy = candidacy
        self._namespace = namespace
        self._observer = observer
        self._news = asyncio.Event()
        self._led = False
        self._holder: str | None = None
        self._contact_at = clock.since_boot()
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """What keeps this process from ever leading; None if nothing does."""
        return self._trouble

    async def run(self) -> None:
        """Stand as a candidate until canceled."""
        while True:
            await self._take(self._candidacy.next_step(clock.since_boot()))
            self._tell()

    async def watch(self) -> None:
        """Hear of what others do with the Lease, until canceled."""
        while True:
            try:
                await self._follow()
            except (KubeError, OSError) as error:
                _logger.debug("The watch of the Lease ended: %s", error)
            await asyncio.sleep(_WATCH_PAUSE_SECONDS)

    async def release(self) -> None:
        """Lead no more, and let the next one lead at once. To be called once `run` is canceled and no write is under way."""
        if self._candidacy.resign():
            try:
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await self._client.json_patch(self._path, self._candidacy.releasing(clock.read().wall))
                _logger.info("Released the Lease %s", self._name)
            except (KubeError, TimeoutError) as error:
                _logger.warning("The Lease %s was not released and runs out by itself: %r", self._name, error)
        self._led = False

    async def _take(self, step: Step) -> None:
        if isinstance(step, Wait):
            await self._rest(step.until)
            return
        asked = clock.since_boot()
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._request(step, asked)
            self._contacted()
            self._trouble = None
        except ApiError as error:
            self._contacted()
            if _is_news(step, error):
                self._candidacy.refused(clock.since_boot())
            else:
                self._candidacy.failed(clock.since_boot())
                self._complain(error)
        except BusyError:
            self._contacted()
            self._candidacy.failed(clock.since_boot())
        except (KubeError, TimeoutError) as error:
            self._candidacy.failed(clock.since_boot())
            if clock.since_boot() - self._contact_at >= STEP_DOWN_SECONDS:
                self._observer.contact_lost(error)
        except Exception:
            # Whatever it is, a process without its elector would be worse.
            _logger.exception("The elector stumbled and tries again")
            self._candidacy.failed(clock.since_boot())

    async def _request(self, step: Read | Create | TakeOver | Renew, asked: float) -> None:
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
        candidacy.renewed(lease_record(body), sent=asked, now=clock.since_boot())

    async def _follow(self) -> None:
        # Without a version the watch begins with what is.
        lease = self._client.watch(
            paths.leases(self._namespace), resource_version="", field_selector=f"metadata.name={LEASE}"
        )
        async for kind, body in lease:
            self._contacted()
            if kind == "DELETED":
                self._candidacy.saw_none(int(body["metadata"]["resourceVersion"]))
            elif kind != "BOOKMARK":
                self._candidacy.saw(lease_record(body), clock.since_boot())
            self._news.set()

    async def _rest(self, until: float) -> None:
        try:
            async with asyncio.timeout(max(until - clock.since_boot(), 0)):
                await self._news.wait()
        except TimeoutError:
            pass  # it is time
        self._news.clear()

    def _contacted(self) -> None:
        self._contact_at = clock.since_boot()
        self._observer.contact()

    def _complain(self, error: ApiError) -> None:
        """The API server refuses, and will go on to: say so, once."""
        remedy = "It is tried again."
        if isinstance(error, ForbiddenError):
            remedy = f"Bind the Role provisioner-operator of namespace {self._namespace} to this user."
        elif isinstance(error, NotFoundError):
            remedy = f"Create the namespace {self._namespace}, or name another by --lease-namespace."
        trouble = f"The Lease {self._name} cannot be had: {error}. {remedy}"
        if trouble != self._trouble:
            _logger.error("%s", trouble)
        self._trouble = trouble

    def _tell(self) -> None:
        """Log what changed, and have the loop look at it."""
        leads, holder = self._candidacy.leads(clock.since_boot()), self._candidacy.holder
        if leads != self._led:
            self._led = leads
            extra = {"leader": leads, "identity": self._candidacy.identity}
            if leads:
                _logger.info("Leads: holds the Lease %s", self._name, extra=extra)
            else:
                _logger.warning("No longer leads; decides and writes nothing until it does again", extra=extra)
            self._observer.wake.set()
        elif holder != self._holder and not leads and holder not in (None, self._candidacy.identity):
            _logger.info("Stands by: %s holds the Lease %s", holder, self._name, extra={"leader": False})
        self._holder = holder

    def _new_lease(self, wall: float) -> dict[str, object]:
        meta = {"name": LEASE, "namespace": self._namespace}
        spec = self._candidacy.content(wall)
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}

    @property
    def _name(self) -> str:
        return f"{self._namespace}/{LEASE}"

    @property
    def _path(self) -> str:
        return paths.lease(self._namespace, LEASE)


def _is_news(step: Step, error: ApiError) -> bool:
    """Whether somebody else was first; that there is nothing where a Lease is to be made lacks the namespace."""
    if isinstance(step, Create):
        return isinstance(error, ConflictError)
    return isinstance(error, PreconditionFailedError | NotFoundError)
