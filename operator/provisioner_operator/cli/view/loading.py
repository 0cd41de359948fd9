"""From the API server to the core's records: jobs with what a person wants to know of them, daemons, pools, a scene.

An object that the models refuse is left out with a warning; the rest is shown.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import API_VERSION, DAEMONS, JOBS, POOLS
from provisioner_operator.cli.api.client import NONE, Body, Cluster, Params
from provisioner_operator.cli.errors import CliError, ExpiredError, ForbiddenError, NotFoundError
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.views.snapshot import Scene
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.parsing import UnparseableObjectError, job_record, parse_daemon, parse_job_model

ENDED_RUNS = 500
"""From so many ended jobs, one page, run times are taken."""

Warn = Callable[[str], None]
_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, and what the core does not need to know of it."""

    job: Job
    initiator: str | None
    template: str | None
    stage: str | None


def job_view(model: ProvisionerJob) -> JobView:
    """What is shown of a job that is already parsed."""
    spec = model.spec
    return JobView(
        job_record(model), spec.initiator, spec.template_ref.name if spec.template_ref else None, model.status.stage
    )


def read_job(cluster: Cluster, namespace: str, name: str) -> tuple[Body, ProvisionerJob]:
    """One job. Raises NotFoundError, or CliError if it cannot be understood."""
    body = cluster.get(paths.job(namespace, name))
    try:
        return body, parse_job_model(body)
    except UnparseableObjectError as error:
        raise CliError(f"The job {name!r} cannot be understood by this version: {error}.") from error


def job_views(cluster: Cluster, scope: str | None, warn: Warn, params: Params = NONE) -> Iterator[tuple[Body, JobView]]:
    """Jobs, page by page, each as it is written and as it is shown."""
    for body in bodies(cluster, paths.jobs(scope), params):
        view = _parsed(body, lambda each: job_view(parse_job_model(each)), warn)
        if view is not None:
            yield body, view


def bodies(cluster: Cluster, path: str, params: Params = NONE) -> Iterator[Body]:
    """The objects of a collection, page by page; begun anew, without repeating any, when the server forgot where it was."""
    seen: set[str] = set()
    while True:
        try:
            for items, _ in cluster.pages(path, params):
                for item in items:
                    uid = item["metadata"]["uid"]
                    if uid not in seen:
                        seen.add(uid)
                        yield item
        except ExpiredError:
            continue
        return


def daemons(cluster: Cluster, scope: str | None, warn: Warn) -> list[tuple[Body, Daemon]]:
    """All daemons."""
    return _all(cluster.list(paths.daemons(scope)), parse_daemon, warn)


def pools(cluster: Cluster, scope: str | None, warn: Warn) -> list[tuple[Body, Pool]]:
    """All pools; none if they are not installed, or not this user's to see."""
    try:
        return pools_of(cluster.list(paths.pools(scope)), warn)
    except (NotFoundError, ForbiddenError):
        return []


def pools_of(found: Iterable[Body], warn: Warn) -> list[tuple[Body, Pool]]:
    """These pools, parsed."""
    if not (items := list(found)):
        return []
    from provisioner_operator.kube.pool_parsing import parse_pool  # noqa: PLC0415 - where no pool is, nobody waits for it

    return _all(items, parse_pool, warn)


def live_views(cluster: Cluster, scope: str | None, warn: Warn) -> list[tuple[Body, JobView]]:
    """The jobs that have not ended."""
    return list(job_views(cluster, scope, warn, {"fieldSelector": selectors.UNFINISHED_JOBS}))


def scene(cluster: Cluster, scope: str | None, warn: Warn) -> Scene:
    """All that matters for the queue: live jobs, daemons, pools."""
    with ThreadPoolExecutor(3) as pool:
        jobs = pool.submit(live_views, cluster, scope, warn)
        fleet = pool.submit(daemons, cluster, scope, warn)
        growing = pool.submit(pools, cluster, scope, warn)
        return scene_of((view.job for _, view in jobs.result()), fleet.result(), growing.result(), cluster)


def scene_of(
    jobs: Iterable[Job], fleet: Iterable[tuple[Any, Daemon]], growing: Iterable[tuple[Any, Pool]], cluster: Cluster
) -> Scene:
    """The scene of what was read."""
    return Scene(jobs, [daemon for _, daemon in fleet], [pool for _, pool in growing], now=cluster.now())


def ended_runs(cluster: Cluster, scope: str | None, warn: Warn) -> list[Job]:
    """Some jobs that completed, for how long they took."""
    path = paths.jobs(scope)
    items, _ = next(cluster.pages(path, {"fieldSelector": "status.phase=Completed"}, page=ENDED_RUNS))
    found = (_parsed(item, lambda each: job_view(parse_job_model(each)), warn) for item in items)
    return [view.job for view in found if view is not None]


def workspaces_path(namespace: str | None) -> str:
    """The collection of Workspaces."""
    return _path("workspaces", namespace)


def templates_path(namespace: str | None) -> str:
    """The collection of WorkspaceTemplates."""
    return _path("workspacetemplates", namespace)


KINDS = (JOBS, DAEMONS, POOLS)
"""The plurals that must be there for the product to work."""


def _path(plural: str, namespace: str | None) -> str:
    return f"/apis/{API_VERSION}" + (f"/namespaces/{namespace}" if namespace else "") + f"/{plural}"


def _all(items: Iterable[Body], parse: Callable[[Body], _Record], warn: Warn) -> list[tuple[Body, _Record]]:
    found = ((item, _parsed(item, parse, warn)) for item in items)
    return [(item, record) for item, record in found if record is not None]


def _parsed(body: Body, parse: Callable[[Body], _Record], warn: Warn) -> _Record | None:
    try:
        return parse(body)
    except UnparseableObjectError as error:
        meta = body["metadata"]
        warn(f"{body['kind']} {meta.get('namespace')}/{meta['name']} cannot be understood by this version: {error}.")
        return None
