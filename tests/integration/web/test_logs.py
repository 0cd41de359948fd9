"""Logs of real runs, read and followed by users with and without the right to read them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from integration.conftest import ROLES
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, NotFoundError
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.logs.follow import follow_log
from provisioner_operator.web.logs.lines import LogLine
from provisioner_operator.web.logs.log import Log, LogSource, read_log
from support.builders.manifests import role_binding
from support.cluster.pods import a_daemon_pod, daemon_binding, runs, service_account
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.programs.kubelet_logs import kubelet_logs
from support.programs.user_clients import UserClients, user_clients
from support.test_namespace import ProductNamespace, a_product_namespace
from support.unique import unique

HERE = {"place": "here"}
POD = {"place": "pod"}


@pytest.fixture(scope="module")
def busy(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace with an operator and a daemon that is no Pod."""
    with (
        a_product_namespace(cluster, module_namespace) as product,
        product.operator(),
        product.daemon("d1", tags=HERE, capacity=4),
    ):
        yield product


@pytest.fixture(scope="module")
def daemon_pods(busy: ProductNamespace) -> None:
    """Let Pods of the namespace be daemons."""
    busy.admin.create(service_account())
    busy.admin.create_all(daemon_binding(busy.namespace))


@pytest.fixture(scope="module")
def users(busy: ProductNamespace) -> Iterator[UserClients]:
    """Users of the module's namespace; `reader` may also read ConfigMaps and the output of Pods."""
    with user_clients(busy.admin, ROLES | {"reader": "provisioner-viewer"}) as users:
        grant_roles(busy.admin, [role_binding(users.name("reader"), "view", namespace=busy.namespace)])
        yield users


def ref(product: ProductNamespace, name: str) -> ObjectRef:
    return ObjectRef(product.namespace, name, product.admin.get("pj", name)["metadata"]["uid"])


def read(users: UserClients, user: str, job: ObjectRef) -> Log:
    return users.act(user, lambda client: read_log(client, job))


async def soon(_uid: str, _version: int) -> None:
    """The job may have changed: there is no index here that would say when."""
    await asyncio.sleep(0.1)


def follow(users: UserClients, user: str, job: ObjectRef, after: int = 0) -> list[LogLine]:
    """Follow the log to the end of the run."""

    async def lines(client: KubeClient) -> list[LogLine]:
        followed: AsyncIterator[LogLine] = follow_log(client, job, soon, after)
        return [line async for line in followed]

    return users.act(user, lines)


@pytest.fixture
def following() -> Iterator[ThreadPoolExecutor]:
    """Threads in which logs are followed."""
    with ThreadPoolExecutor() as pool:
        yield pool


def archived_lines(product: ProductNamespace, job: ObjectRef) -> list[str]:
    text: str = product.admin.get("configmap", f"{job.name}-log")["data"]["log"]
    return text.splitlines()


def test_the_log_of_an_ended_run_is_read_from_its_archive_line_by_line(
    busy: ProductNamespace, users: UserClients
) -> None:
    name = unique("talks")
    busy.submit(name, lines=20, tags=HERE)
    busy.jobs.until(name, "Completed")
    job = ref(busy, name)

    log = read(users, "reader", job)

    assert (log.source, log.name, log.truncated, log.is_complete) == (LogSource.ARCHIVE, f"{name}-log", False, True)
    assert [f"{line.time} {line.stage}: {line.text}" for line in log.lines] == archived_lines(busy, job)
    assert [line.number for line in log.lines] == list(range(1, len(log.lines) + 1))
    assert len(log.lines) >= 20


def test_a_user_who_may_not_read_config_maps_reads_no_log(busy: ProductNamespace, users: UserClients) -> None:
    name = unique("secret")
    busy.submit(name, lines=1, tags=HERE)
    busy.jobs.until(name, "Completed")
    job = ref(busy, name)
    for user in ("viewer", "submitter", "namespace-admin"):
        with pytest.raises(ForbiddenError, match="configmaps"):
            read(users, user, job)
        with pytest.raises(ForbiddenError, match="configmaps"):
            follow(users, user, job)
    for user in ("nobody",):
        with pytest.raises(ForbiddenError, match="provisionerjobs"):
            read(users, user, job)


def test_a_log_is_followed_from_before_its_start_to_the_end_of_the_run(
    busy: ProductNamespace, users: UserClients, following: ThreadPoolExecutor
) -> None:
    name = unique("followed")
    busy.submit(name, lines=10, hold="true", tags=HERE, suspend=True)
    job = ref(busy, name)
    whole: Future[list[LogLine]] = following.submit(follow, users, "reader", job)
    busy.admin.patch("pj", name, {"spec": {"suspend": False}})
    busy.ledger.await_run(name)
    from_the_middle = following.submit(follow, users, "reader", job, 5)
    busy.ledger.release(name)

    lines = whole.result(timeout=120)

    assert tuple(lines) == read(users, "reader", job).lines
    assert from_the_middle.result(timeout=120) == lines[5:]
    assert len(lines) >= 10


def test_a_job_that_is_canceled_before_its_start_has_no_log(
    busy: ProductNamespace, users: UserClients, following: ThreadPoolExecutor
) -> None:
    name = unique("mute")
    busy.submit(name, tags={"place": "nowhere"})
    job = ref(busy, name)
    lines = following.submit(follow, users, "reader", job)
    busy.cancel(name)
    assert lines.result(timeout=120) == []
    log = read(users, "reader", job)
    assert (log.source, log.missing, log.is_complete) == (LogSource.NONE, Cause.NO_LOG, True)
    assert "never started" in log.message


def test_another_job_of_the_name_has_another_log(busy: ProductNamespace, users: UserClients) -> None:
    name = unique("again")
    busy.submit(name, lines=3, tags=HERE)
    busy.jobs.until(name, "Completed")
    earlier = ref(busy, name)
    busy.admin.run("delete", "pj", name)
    busy.submit(name, tags={"place": "nowhere"})

    with pytest.raises(NotFoundError):
        read(users, "reader", earlier)
    assert read(users, "reader", ref(busy, name)).missing is Cause.NO_LOG


@pytest.mark.usefixtures("daemon_pods")
def test_a_run_whose_pod_has_no_output_is_followed_by_its_archive(
    busy: ProductNamespace, users: UserClients, following: ThreadPoolExecutor
) -> None:
    busy.admin.create(a_daemon_pod("in-pod", tags=POD))
    runs(busy.admin, "in-pod")
    name = unique("pod")
    with busy.daemon_in(busy.admin.get("pod", "in-pod")):
        busy.submit(name, lines=5, hold="true", tags=POD)
        busy.ledger.await_run(name)
        job = ref(busy, name)
        lines = following.submit(follow, users, "reader", job)
        busy.ledger.release(name)
        assert tuple(lines.result(timeout=120)) == read(users, "reader", job).lines


@pytest.mark.usefixtures("daemon_pods")
def test_a_run_in_a_pod_is_read_and_followed_live(
    busy: ProductNamespace, users: UserClients, following: ThreadPoolExecutor, tmp_path: Path
) -> None:
    name, pod, node = unique("live"), unique("daemon"), unique("node")
    arrived: SimpleQueue[LogLine] = SimpleQueue()

    async def watch(client: KubeClient) -> None:
        async for line in follow_log(client, ref(busy, name), soon):
            arrived.put(line)

    with kubelet_logs(busy.admin, node, tmp_path) as kubelet:
        manifest = a_daemon_pod(pod, tags={"place": "node"})
        busy.admin.create({**manifest, "spec": {**manifest["spec"], "nodeName": node}})
        runs(busy.admin, pod)
        with busy.daemon_in(busy.admin.get("pod", pod)) as program:
            kubelet.programs[pod] = program
            busy.submit(name, lines=5, hold="true", tags={"place": "node"})
            whole = following.submit(users.act, "reader", watch)
            first = arrived.get(timeout=120)
            job = ref(busy, name)
            log = read(users, "reader", job)
            assert (log.source, log.name, log.is_complete) == (LogSource.POD, pod, False)
            assert log.lines[0] == first
            with pytest.raises(ForbiddenError, match="configmaps"):
                read(users, "namespace-admin", job)
            busy.ledger.release(name)
            whole.result(timeout=120)
            followed = [first, *(arrived.get_nowait() for _ in range(arrived.qsize()))]
            assert tuple(followed) == read(users, "reader", job).lines
            assert len(followed) >= 5
