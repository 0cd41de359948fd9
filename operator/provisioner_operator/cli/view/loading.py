"""Read jobs, daemons and pools from the API server into the core's records.

An object that the models refuse is left out with a warning; the rest is shown.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.cli.api.client import NONE, Cluster, Params
from provisioner_operator.cli.errors import CliError, ExpiredError, ForbiddenError, NotFoundError
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.object_states import Body, meta_of
from provisioner_operator.kube.parsing import UnparseableObjectError, job_record, parse_daemon, parse_job_model

ENDED_RUNS = 500
"""Ended jobs, one page, from which starts and runs are estimated."""

Warn = Callable[[str], None]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, with fields that only people need."""

    job: Job
    initiator: str | None
    template: str | None
    stage: str | None


def job_view(model: ProvisionerJob) -> JobView:
    """Return the view of a parsed job."""
    spec = model.spec
    template = spec.template_ref.name if spec.template_ref else None
    return JobView(job_record(model), spec.initiator, template, model.status.stage)


def read_job(cluster: Cluster, namespace: str, name: str) -> tuple[Body, ProvisionerJob]:
    """Read one job. Raises NotFoundError, or CliError if this version cannot read it."""
    body = cluster.get(paths.job(namespace, name))
    try:
        return body, parse_job_model(body)
    except UnparseableObjectError as error:
        raise CliError(_unreadable("job", name, error)) from error


def read_daemon(cluster: Cluster, namespace: str, name: str) -> tuple[Body, Daemon]:
    """Read one daemon. Raises NotFoundError, or CliError if this version cannot read it."""
    body = cluster.get(paths.daemon(namespace, name))
    try:
        return body, parse_daemon(body)
    except UnparseableObjectError as error:
        raise CliError(_unreadable("daemon", name, error)) from error


def job_views(cluster: Cluster, scope: str | None, warn: Warn, params: Params = NONE) -> Iterator[tuple[Body, JobView]]:
    """Yield jobs page by page, as JSON and as views."""
    for body in bodies(cluster, paths.jobs(scope), params):
        view = _parsed(body, lambda each: job_view(parse_job_model(each)), warn)
        if view is not None:
            yield body, view


def bodies(cluster: Cluster, path: str, params: Params = NONE) -> Iterator[Body]:
    """Yield the objects of a collection page by page; lists again, without repetitions, if a page token has expired."""
    seen: set[str] = set()
    while True:
        try:
            for items, _ in cluster.pages(path, params):
                for item in items:
                    uid = meta_of(item).uid
                    if uid not in seen:
                        seen.add(uid)
                        yield item
        except ExpiredError:
            continue
        return


def daemons(cluster: Cluster, scope: str | None, warn: Warn) -> list[tuple[Body, Daemon]]:
    """Read all daemons."""
    return _all(cluster.list(paths.daemons(scope)), parse_daemon, warn)


def pools(cluster: Cluster, scope: str | None, warn: Warn) -> list[tuple[Body, Pool]]:
    """Read all pools; none if the kind is not installed or the user may not list it."""
    try:
        return pools_of(cluster.list(paths.pools(scope)), warn)
    except (NotFoundError, ForbiddenError):
        return []


def pools_of(found: Iterable[Body], warn: Warn) -> list[tuple[Body, Pool]]:
    """Parse these pools."""
    if not (items := list(found)):
        return []
    from provisioner_operator.kube.pool_parsing import parse_pool  # noqa: PLC0415 - most clusters have no pools

    return _all(items, parse_pool, warn)


def queues(cluster: Cluster, scope: str | None, warn: Warn) -> list[Queue]:
    """Read all queues' policies; none if the kind is not installed or the user may not list it."""
    try:
        found = cluster.list(paths.queues(scope))
    except (NotFoundError, ForbiddenError):
        return []
    return queues_of(found, warn)


def queues_of(found: Iterable[Body], warn: Warn) -> list[Queue]:
    """Parse these queues."""
    if not (items := list(found)):
        return []
    from provisioner_operator.kube.queue_parsing import parse_queue  # noqa: PLC0415 - most clusters have none

    return [queue for _, queue in _all(items, parse_queue, warn)]


def unfinished(cluster: Cluster, scope: str | None, warn: Warn) -> list[tuple[Body, JobView]]:
    """Read the jobs that have not ended."""
    return list(job_views(cluster, scope, warn, {"fieldSelector": selectors.UNFINISHED_JOBS}))


def snapshot(cluster: Cluster, scope: str | None, warn: Warn) -> Snapshot:
    """Read the queue: unfinished jobs, daemons, pools and policies, all at the same time."""
    with ThreadPoolExecutor(4) as threads:
        jobs = threads.submit(unfinished, cluster, scope, warn)
        fleet = threads.submit(daemons, cluster, scope, warn)
        supply = threads.submit(pools, cluster, scope, warn)
        policies = threads.submit(queues, cluster, scope, warn)
        found = (view.job for _, view in jobs.result())
        return snapshot_of(found, fleet.result(), supply.result(), policies.result(), cluster)


def snapshot_of(
    jobs: Iterable[Job],
    fleet: Iterable[tuple[Body, Daemon]],
    supply: Iterable[tuple[Body, Pool]],
    policies: Iterable[Queue],
    cluster: Cluster,
) -> Snapshot:
    """Return the snapshot of these objects at the server's present time."""
    return Snapshot(jobs, [daemon for _, daemon in fleet], [pool for _, pool in supply], policies, now=cluster.now())


def run_history(cluster: Cluster, scope: str | None, warn: Warn) -> RunHistory:
    """Read some ended jobs, for the duration of their runs."""
    path = paths.jobs(scope)
    items, _ = next(cluster.pages(path, {"fieldSelector": selectors.ENDED_JOBS}, page=ENDED_RUNS))
    found = (_parsed(item, lambda each: job_view(parse_job_model(each)), warn) for item in items)
    return RunHistory(view.job for view in found if view is not None)


def _all(items: Iterable[Body], parse: Callable[[Body], Record], warn: Warn) -> list[tuple[Body, Record]]:
    found = ((item, _parsed(item, parse, warn)) for item in items)
    return [(item, record) for item, record in found if record is not None]


def _parsed(body: Body, parse: Callable[[Body], Record], warn: Warn) -> Record | None:
    try:
        return parse(body)
    except UnparseableObjectError as error:
        meta = meta_of(body)
        warn(f"Left out: {_unreadable(body['kind'], f'{meta.namespace}/{meta.name}', error)}")
        return None


def _unreadable(kind: str, name: str, error: UnparseableObjectError) -> str:
    return f"{kind} {name} does not fit the API of this version: {error}. Update this program, or correct the object."
