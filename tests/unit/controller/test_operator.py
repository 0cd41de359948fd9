"""The controller lists everything before it decides anything, and releases the Lease after its last write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from prometheus_client import CollectorRegistry

from provisioner_operator.api.v1alpha1.names import LEASE, RESTORED_ANNOTATION
from provisioner_operator.controller import operator as operator_module
from provisioner_operator.controller.operator import DRAIN_SECONDS, Operator, StartupError
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.telemetry.endpoints import application
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube import paths
from provisioner_operator.kube.connect import Connection
from provisioner_operator.kube.errors import ForbiddenError, InternalError, NotFoundError, UnreachableError
from provisioner_operator.kube.logins.login import LoginError
from support.builders.controller import stored
from support.builders.manifests import a_job_manifest
from support.scripted_client import Answer, Hang, Request, ScriptedClient, Slow, a_page
from support.virtual_time import now, virtual_time

if TYPE_CHECKING:
    import aiohttp

    from provisioner_operator.kube.logins.credential import CurrentCredential

pytestmark = pytest.mark.usefixtures("virtual_clock", "quiet_collector")

KINDS = ("pools", "queues", "jobs", "pods", "daemons", "templates", "workspaces")
STATUS = paths.job_status("acme", "job")
LEASE_PATH = paths.lease("system", LEASE)
OVERDUE = dict(stored(a_job_manifest(pendingTimeoutSeconds=1), phase="Pending")) | {
    "metadata": dict(stored(a_job_manifest())["metadata"]) | {"creationTimestamp": "2020-01-01T00:00:00Z"}
}
TIMED_OUT = OVERDUE | {
    "metadata": dict(OVERDUE["metadata"]) | {"resourceVersion": "2"},
    "status": {"phase": "Failed", "reason": "PendingTimeout", "finishedAt": "2027-01-15T08:00:00Z"},
}


@pytest.fixture
def quiet_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the collector of the process that runs the tests alone."""
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)


class Cluster:
    """A script of what an API server answers at the start, and the operator that is started against it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, lease_namespace: str | None = None) -> None:
        self.client = ScriptedClient()
        self.opened = self.closed = 0
        self.asked_to_end: list[float] = []
        self.probes: dict[str, Callable[[], str | None]] = {}
        self.registry = CollectorRegistry()
        self._application = application
        monkeypatch.setattr(operator_module, "connect", self._connect)
        monkeypatch.setattr(operator_module, "application", self._note_probes)
        self.operator = Operator(
            Settings(
                http_host="127.0.0.1", http_port=0, writers=2, daemon_image="image", lease_namespace=lease_namespace
            ),
            end_process=lambda: self.asked_to_end.append(now()),
        )
        for kind in KINDS:
            self.has(kind, a_page(OVERDUE) if kind == "jobs" else a_page())
        self.client.answers("PATCH", STATUS, TIMED_OUT)
        self.client.answers("POST", paths.events("acme"), {})
        lease = {"metadata": {"resourceVersion": "5"}, "spec": {"holderIdentity": self._identity}}
        self.client.answers("GET", LEASE_PATH, NotFoundError(404, "none"))
        self.client.answers("POST", paths.leases("system"), lease)
        self.client.answers("PATCH", LEASE_PATH, lease)

    def has(self, kind: str, *answers: Answer) -> None:
        """Let lists of a kind be answered so."""
        path = getattr(paths, kind)(None)
        self.client._answers.pop(("GET", path), None)  # noqa: SLF001 - in place of what it had
        self.client.answers("GET", path, *answers)

    def sent(self) -> list[str]:
        """The requests in their order, each as a method and the last part of its path."""
        return [f"{request.method} {request.path.rpartition('/')[2]}" for request in self.client.requests]

    def is_leader(self) -> float | None:
        """Whether the process says that it leads, as a metric."""
        return self.registry.get_sample_value("provisioner_leader")

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Operator]:
        await self.operator.start()
        try:
            yield self.operator
        finally:
            await self.operator.stop()

    @property
    def _identity(self) -> str:
        candidacy = self.operator._candidacy  # noqa: SLF001 - it is unique to each process
        return "" if candidacy is None else candidacy.identity

    @asynccontextmanager
    async def _connect(self, kubeconfig: Path | None, *, connections: int) -> AsyncIterator[Connection]:
        assert kubeconfig is None
        assert connections > 2, "writers, watches and lists"
        self.opened += 1
        session, credential = cast("aiohttp.ClientSession", None), cast("CurrentCredential", None)
        yield Connection("https://scripted.invalid", session, self.client, credential, lambda: session)
        self.closed += 1

    def _note_probes(self, registry: Any, **probes: Callable[[], str | None]) -> Any:
        self.registry, self.probes = registry, probes
        return self._application(registry, **probes)


@virtual_time
async def test_everything_is_listed_before_anything_is_watched_elected_or_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    async with cluster.started() as operator:
        assert all(request.method == "GET" for request in cluster.client.requests)
        assert len(cluster.client.requests) == len(KINDS)
        await asyncio.sleep(1)
        assert operator.leads()
        sent = cluster.sent()
        assert sent.count("WATCH provisionerjobs") == 1
        assert sent.index(f"GET {LEASE}") >= len(KINDS)
        assert sent.index("POST leases") < sent.index("PATCH status"), "only the leader writes"


@virtual_time
async def test_while_a_list_is_under_way_nothing_is_decided_and_the_probes_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch)
    cluster.has("workspaces", Hang())
    starting = asyncio.create_task(cluster.operator.start())
    await asyncio.sleep(600)
    assert not starting.done()
    assert {request.method for request in cluster.client.requests} == {"GET"}
    assert cluster.probes["started"]() == cluster.probes["ready"]() == "the initial lists are not complete"
    assert cluster.probes["alive"]() is None
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await cluster.operator.stop()
    assert cluster.closed == 1


@virtual_time
async def test_without_a_lease_it_leads_at_once_and_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    async with cluster.started() as operator:
        assert (operator.leads(), operator.tenure()) == (True, float("inf"))
        await asyncio.sleep(1)
        assert "PATCH status" in cluster.sent()
        assert [probe() for probe in cluster.probes.values()] == [None, None, None]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"pools", "pods"}])
@virtual_time
async def test_while_a_watch_is_cut_nothing_is_decided_or_written(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.has("jobs", a_page())
    cluster.has(kind, a_page(), Slow(5, a_page()))
    news = ("ADDED", OVERDUE)
    cut = UnreachableError("cut")
    if kind == "jobs":
        cluster.client.watched(paths.jobs(None), 1.0, news, cut)
    else:
        cluster.client.watched(paths.jobs(None), 3.0, news, Hang())
        cluster.client.watched(getattr(paths, kind)(None), 1.0, cut)
    async with cluster.started() as operator:
        await asyncio.sleep(5)
        assert (operator.leads(), operator.term(), operator.tenure()) == (True, None, 0)
        assert cluster.client.sent("PATCH") == []
        await asyncio.sleep(5)
        assert (operator.term(), operator.tenure()) == (0, float("inf"))
        assert len(cluster.client.sent("PATCH", STATUS)) == 1, "the resumed watch wakes the loop"


@virtual_time
async def test_a_cut_that_lasts_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.has("queues", a_page(), *[UnreachableError("away")] * 30, a_page())
    cluster.client.watched(paths.queues(None), 1.0, UnreachableError("cut"))
    async with cluster.started() as operator:
        await asyncio.sleep(25)
        assert cluster.probes["ready"]() is None, "an API server that restarts is no problem"
        assert cluster.is_leader() == 0
        await asyncio.sleep(15)
        assert cluster.probes["ready"]() == f"nothing is decided until {paths.queues(None)} can be followed again"
        assert cluster.probes["alive"]() is None
        await asyncio.sleep(200)
        assert (operator.term(), cluster.probes["ready"](), cluster.is_leader()) == (0, None, 1)


@virtual_time
async def test_a_standby_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    held = {"metadata": {"resourceVersion": "5"}, "spec": {"holderIdentity": "other", "renewTime": "noon"}}
    cluster.client._answers["GET", LEASE_PATH].clear()  # noqa: SLF001 - in place of no Lease
    cluster.client.answers("GET", LEASE_PATH, held)
    async with cluster.started() as operator:
        await asyncio.sleep(10)
        assert (operator.leads(), operator.tenure()) == (False, 0)
        assert cluster.client.sent("PATCH") == []
        assert cluster.probes["ready"]() is None


@pytest.mark.parametrize("error", [UnreachableError("refused"), InternalError(500, "etcd")])
@virtual_time
async def test_it_waits_for_an_api_server_and_begins_again_from_the_login(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch)
    cluster.has("jobs", error, error, a_page())
    async with cluster.started():
        assert now() > 0
        assert (cluster.opened, cluster.closed) == (3, 2)
        assert cluster.probes["started"]() is None
    assert cluster.closed == 3


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NotFoundError(404, "no such kind"), "kubectl apply -k crds"),
        (ForbiddenError(403, "no"), "Bind the ClusterRole"),
    ],
)
@virtual_time
async def test_a_cluster_that_lacks_something_is_refused_with_the_remedy(
    error: Exception, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch)
    cluster.has("jobs", error)
    with pytest.raises(StartupError, match=remedy) as raised:
        await cluster.operator.start()
    assert (cluster.opened, cluster.closed) == (1, 1)
    assert cluster.operator.failure is raised.value


@virtual_time
async def test_a_login_that_fails_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)

    def refuse(*_: Any, **__: Any) -> None:
        cluster.opened += 1
        raise LoginError("no cluster")

    monkeypatch.setattr(operator_module, "connect", refuse)
    with pytest.raises(LoginError):
        await cluster.operator.start()
    assert cluster.opened == 1


@pytest.mark.parametrize(
    ("answer", "released"), [(Slow(4, TIMED_OUT), 4), (Hang(), 1 + DRAIN_SECONDS)], ids=["it ends", "it hangs"]
)
@virtual_time
async def test_the_lease_is_released_after_the_writes_under_way(
    answer: Answer, released: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    cluster.client._answers["PATCH", STATUS].clear()  # noqa: SLF001 - in place of an immediate answer
    cluster.client.answers("PATCH", STATUS, answer)
    async with cluster.started() as operator:
        await asyncio.sleep(1)
        assert len(cluster.client.sent("PATCH", STATUS)) == 1
        await operator.resign()
        assert now() == pytest.approx(released, abs=0.1)
        release = cluster.client.sent("PATCH", LEASE_PATH)[-1]
        assert {"op": "remove", "path": "/spec/holderIdentity"} in release.body
        assert release.at == now()
        assert not operator.leads()
        await asyncio.sleep(600)
        assert cluster.client.sent("PATCH", LEASE_PATH)[-1] is release
        assert len(cluster.client.sent("WATCH", paths.jobs(None))) == 1, "observation goes on"


def _annotated(request: Request) -> bool:
    return "metadata" in request.body


@virtual_time
async def test_a_restore_that_a_watch_shows_is_recorded_before_the_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    cluster.has("daemons", a_page(version=20), a_page(version=10))
    cluster.client.watched(paths.daemons(None), 2.0, UnreachableError("cut"))
    async with cluster.started() as operator:
        await asyncio.sleep(30)
        (recorded,) = filter(_annotated, cluster.client.sent("PATCH", LEASE_PATH))
        assert cluster.asked_to_end == [recorded.at]
        assert "etcd was restored from a backup" in str(operator.failure)
        await operator.resign()
        release = cluster.client.sent("PATCH", LEASE_PATH)[-1]
        assert {"op": "remove", "path": "/spec/holderIdentity"} in release.body


@virtual_time
async def test_a_process_that_ends_with_kopf_first_finds_out_whether_etcd_was_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    undefined = NotFoundError(404, "page not found")
    cluster.has("daemons", a_page(version=20), undefined, undefined, a_page(version=10))
    cluster.client.watched(paths.daemons(None), 2.0, UnreachableError("cut"))
    async with cluster.started() as operator:
        await asyncio.sleep(2.1)
        await operator.resign()
        recorded, release = cluster.client.sent("PATCH", LEASE_PATH)[-2:]
        assert _annotated(recorded)
        assert {"op": "remove", "path": "/spec/holderIdentity"} in release.body


@virtual_time
async def test_what_the_lease_records_of_a_restore_is_known_before_the_first_decision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    free = {"metadata": {"resourceVersion": "5", "annotations": {RESTORED_ANNOTATION: "2027-01-15T08:00:00Z"}}}
    held = free | {"spec": {"holderIdentity": cluster.operator._candidacy.identity}}  # type: ignore[union-attr]  # noqa: SLF001 - it is unique
    for method in ("GET", "PATCH"):
        cluster.client._answers[method, LEASE_PATH].clear()  # noqa: SLF001 - in place of no Lease
    cluster.client.answers("GET", LEASE_PATH, free)
    cluster.client.answers("PATCH", LEASE_PATH, held)
    known: list[float | None] = []
    monkeypatch.setattr(Reconcilers, "leadership_gained", lambda _, __, restored: known.append(restored))
    async with cluster.started():
        await asyncio.sleep(1)
    assert known == [1_800_000_000.0]


@virtual_time
async def test_the_probes_name_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    cluster.client._answers["POST", paths.leases("system")].clear()  # noqa: SLF001 - in place of a success
    cluster.client.answers("POST", paths.leases("system"), ForbiddenError(403, "no"))
    async with cluster.started() as operator:
        await asyncio.sleep(1)
        ready, alive = cluster.probes["ready"], cluster.probes["alive"]
        assert "Bind the Role" in str(ready())
        assert alive() is None
        operator.observer.contact_lost(UnreachableError("refused"))
        assert ready() == "the API server does not answer"


@pytest.mark.parametrize(
    "name",
    [
        "decision loop",
        "elector",
        "watch of the Lease",
        "events",
        "writer 1",
        "watch of jobs",
        "watch of daemons",
        "watch of templates",
        "watch of workspaces",
        "resync",
        "list of ended jobs",
        "one of Kopf's",
    ],
)
@virtual_time
async def test_no_task_ends_unnoticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    kopfs = asyncio.create_task(asyncio.sleep(3600), name="one of Kopf's")
    await cluster.operator.start(kopf_tasks=[kopfs])
    await asyncio.sleep(5)
    assert cluster.probes["alive"]() is None
    next(task for task in asyncio.all_tasks() if task.get_name() == name).cancel()
    await asyncio.sleep(1)
    ended = f"The task '{name}' has ended (it was canceled); the controller has to start anew"
    assert cluster.probes["alive"]() == cluster.probes["ready"]() == str(cluster.operator.failure) == ended
    assert len(cluster.asked_to_end) == 1
    await cluster.operator.stop()
    kopfs.cancel()
    assert len(cluster.asked_to_end) == 1


@virtual_time
async def test_a_stop_that_was_asked_for_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lease_namespace="system")
    async with cluster.started():
        await asyncio.sleep(5)
    assert (cluster.operator.failure, cluster.asked_to_end) == (None, [])


@virtual_time
async def test_a_start_that_is_canceled_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.has("jobs", Hang())
    starting = asyncio.create_task(cluster.operator.start())
    await asyncio.sleep(5)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert (cluster.opened, cluster.closed, cluster.operator.failure) == (1, 1, None)


@virtual_time
async def test_a_decision_loop_that_comes_round_no_more_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    async with cluster.started() as operator:
        await asyncio.sleep(1)
        monkeypatch.setattr(operator.observer.wake, "waiting", lambda _: 61.0)
        assert cluster.probes["alive"]() == cluster.probes["ready"]() == "the decision loop is stuck"


def test_before_the_start_there_is_nothing_to_share() -> None:
    operator = Operator(Settings())
    for name in ("connection", "observer"):
        with pytest.raises(StartupError):
            getattr(operator, name)
