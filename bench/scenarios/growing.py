"""Clusters of any size in the pure core, with the step whose cost is measured in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from bench.client import BenchError
from bench.scenarios.ended_jobs import observe
from provisioner_operator.core.jobs.decisions import Explain
from provisioner_operator.core.model.records import DaemonPod
from provisioner_operator.core.pools.decisions import UpdatePoolStatus
from provisioner_operator.core.pools.pod_builder import revision
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from support.builders.core import NAMESPACE, a_daemon, a_job, at, later_version, next_heartbeat
from support.builders.pools import a_pod, a_pool
from support.builders.workspaces import a_template, a_workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner_operator.core.model.records import Daemon, Job
    from provisioner_operator.core.pools.members import PoolPod
    from provisioner_operator.core.pools.records import Pool


Step: TypeAlias = Callable[[], object]
"""The work whose cost is measured."""
PODS_OF_A_POOL = 10
_IMAGE = "image"
_NEVER = 1e9
"""Seconds without a heartbeat that no step reaches."""


@dataclass(frozen=True, slots=True)
class Series:
    """One cost, measured in clusters of several sizes."""

    what: str
    of: str
    """Objects whose number grows."""
    sizes: tuple[int, ...]
    prepare: Callable[[int], Step]
    """Fill a cluster of a size and return the step."""


def _event_beside_ended(size: int) -> Step:
    """Observe the end of one more job."""
    jobs, numbers = JobReconciler(), count(size)
    observe(jobs, 0, size)
    return lambda: observe(jobs, next(numbers), 1)


def _event_beside_pending(size: int) -> Step:
    """Observe a change of one of the jobs that wait for a daemon."""
    jobs = _pending(size)
    changed: Job = a_job("job-0", workspace="dev-0")

    def step() -> None:
        nonlocal changed
        changed = later_version(changed)
        jobs.observe_job(changed, at(1))
        _decide(jobs, 1)

    return step


def _pending(size: int) -> JobReconciler:
    jobs = JobReconciler()
    for number in range(size):
        jobs.observe_job(a_job(f"job-{number}", workspace=f"dev-{number}"), at(0))
    _decide(jobs, 0)
    return jobs


def _fleet(size: int) -> tuple[JobReconciler, Daemon]:
    jobs = JobReconciler()
    for number in range(size):
        jobs.observe_daemon(a_daemon(f"d{number}", tags={"os": "linux"}, lost_after=_NEVER), at(0))
    _decide(jobs, 0)
    return jobs, a_daemon("d0", tags={"os": "linux"}, lost_after=_NEVER)


def _heartbeat(size: int) -> Step:
    """Observe a heartbeat of one daemon."""
    jobs, daemon = _fleet(size)

    def step() -> None:
        nonlocal daemon
        daemon = next_heartbeat(daemon)
        jobs.observe_daemon(daemon, at(1))
        _decide(jobs, 1)

    return step


def _explanation(size: int) -> Step:
    """Explain why one more job, whose tags no other job has, has no daemon."""
    jobs, _ = _fleet(size)
    numbers = count()

    def step() -> None:
        number = next(numbers)
        jobs.observe_job(a_job(f"job-{number}", tags={"zone": str(number)}), at(number))
        _decide(jobs, number)

    return step


def _pools(size: int) -> PoolReconciler:
    """Fill pools with ready Pods, and carry out what follows: a decision that is not carried out is made again at each look."""
    jobs = JobReconciler()
    pools = PoolReconciler(jobs, _IMAGE)
    pools.pods_found(NAMESPACE)
    for number in range(size):
        pools.observe_pool(_pool(number), at(0))
    for number in range(size * PODS_OF_A_POOL):
        pools.observe_pod(_pod(number, size), 1)
        daemon = a_daemon(f"d{number}", pod_uid=f"uid-of-pod-{number}", lost_after=_NEVER)
        jobs.observe_daemon(daemon, at(0))
        pod = DaemonPod(daemon.namespace, f"pod-{number}", f"uid-of-pod-{number}", 1, daemon.offer, ready=True)
        jobs.observe_pod(pod, at(0))
    list(jobs.decide(at(0)))
    while due := list(pools.decide(at(0))):
        for each in due:
            if not isinstance(each, UpdatePoolStatus):
                raise BenchError(f"Expected only statuses, not {each}")
            written = replace(each.pool, status=each.status, resource_version=each.pool.resource_version + 1)
            pools.observe_pool(written, at(0))
            pools.settled(each, at(0))
    return pools


def _pool(number: int) -> Pool:
    return a_pool(f"pool-{number}", replicas=PODS_OF_A_POOL)


def _pod(number: int, pools: int) -> PoolPod:
    pool = _pool(number % pools)
    return a_pod(f"pod-{number}", pool_uid=pool.uid, revision=revision(pool, _IMAGE), ready_since=1)


def look_at_pools(size: int) -> Step:
    """Look at the pools after one of their Pods has changed."""
    pools, pod = _pools(size), _pod(0, size)
    versions = count(2)

    def step() -> None:
        version = next(versions)
        pools.observe_pod(pod, version)
        list(pools.decide(at(version)))

    return step


def _event_of_a_pod(size: int) -> Step:
    """Observe one of the Pods, without a look at the pools."""
    number = max(size // PODS_OF_A_POOL, 1)
    pools, pod = _pools(number), _pod(0, number)
    versions = count(2)
    return lambda: pools.observe_pod(pod, next(versions))


def _event_of_a_workspace(size: int) -> Step:
    """Observe a change of one of the workspaces of a template."""
    workspaces = _workspaces(size)
    versions = count(2)

    def step() -> None:
        workspaces.observe_workspace(a_workspace(name="dev-0", uid="uid-of-dev-0", resource_version=next(versions)))
        list(workspaces.decide(at(1)))

    return step


def _workspaces(size: int) -> WorkspaceReconciler:
    workspaces = WorkspaceReconciler()
    workspaces.observe_template(a_template())
    for number in range(size):
        workspaces.observe_workspace(a_workspace(name=f"dev-{number}", uid=f"uid-of-dev-{number}"))
    list(workspaces.decide(at(0)))
    return workspaces


def _templates(size: int) -> WorkspaceReconciler:
    workspaces = WorkspaceReconciler()
    for number in range(size):
        name = f"template-{number}"
        workspaces.observe_template(replace(a_template(), name=name, uid=f"uid-of-{name}"))
    list(workspaces.decide(at(0)))
    return workspaces


def _ended(size: int) -> JobReconciler:
    jobs = JobReconciler()
    observe(jobs, 0, size)
    return jobs


def _decide(jobs: JobReconciler, second: float) -> None:
    """Carry out all decisions that are due, until none is; of writes only explanations."""
    while due := list(jobs.decide(at(second))):
        for each in due:
            if isinstance(each, Explain):
                jobs.observe_job(later_version(each.job, reason=each.reason, message=each.message), at(second))
                jobs.accepted(each)
            jobs.settled(each, at(second))


SERIES = (
    Series("the end of a job", "ended jobs with a time to live", (10_000, 100_000, 1_000_000), _event_beside_ended),
    Series("an event of a job", "pending jobs", (1_000, 10_000, 100_000), _event_beside_pending),
    Series("a heartbeat", "daemons", (100, 1_000, 10_000), _heartbeat),
    Series("an explanation", "daemons", (100, 1_000, 10_000), _explanation),
    Series("a look at pools", "pools", (10, 100, 1_000), look_at_pools),
    Series("an event of a Pod", "Pods", (100, 1_000, 10_000), _event_of_a_pod),
    Series("an event of a workspace", "workspaces of its template", (100, 1_000, 10_000), _event_of_a_workspace),
)
"""All series; the decision about the next job is measured by `decision`."""

KINDS: Mapping[str, Callable[[int], object]] = {
    "pending job": _pending,
    "ended job with a time to live": _ended,
    "daemon": _fleet,
    f"pool with {PODS_OF_A_POOL} Pods": _pools,
    "workspace": _workspaces,
    "template": _templates,
}
"""Ways to fill the core with objects of one kind."""
