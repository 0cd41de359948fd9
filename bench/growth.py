"""Costs of the core that could grow with the number of daemons, Pods, workspaces or waiting jobs. Needs no API server.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.growth

Prints, for each measure, CPU milliseconds, writes or memory. To compare two versions, run it with the `operator` of each.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.scenarios.growing import PODS_OF_A_POOL, look_at_pools
from provisioner_operator.core.jobs.decisions import Explain
from provisioner_operator.core.model.records import DaemonPod, Offer
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import TemplateDecision
from provisioner_operator.kube.page_size import PageSize
from support.builders.core import a_daemon, a_job, an_ended_job, at, later_version
from support.builders.workspaces import a_template, a_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

STUCK_JOBS = 2_000
DAEMONS = 10_000
POOLS = 1_000
WORKSPACES = 10_000
TERM_DAEMONS = 1_000
SOURCE_BYTES = 500 * 1024
ENDED_JOBS = 20_000
LARGEST_SOURCE = 512 * 1024
_ANY_OFFER = Offer(frozenset(), frozenset(), capacity=1, lost_after=300, cancel_grace=180)


def main() -> None:
    """Measure and print."""
    for name, measure, unit in (
        (f"writes: {STUCK_JOBS} stuck jobs, five daemons of other tags join", _writes_of_stuck_jobs, "writes"),
        (f"explain one demand, {DAEMONS} daemons in its namespace", lambda: _explanation("acme"), "ms"),
        (f"explain one demand, {DAEMONS} daemons in another namespace", lambda: _explanation("other"), "ms"),
        (f"look at {POOLS} pools of {PODS_OF_A_POOL} Pods, one of which changed", _pools, "ms"),
        (f"delete one of {DAEMONS} daemons in Pods", _deletion_of_daemon, "ms"),
        (f"a new term, {TERM_DAEMONS} daemons, {WORKSPACES} jobs of as many workspaces", _new_term, "ms"),
        (f"one workspace event, {WORKSPACES} workspaces of its template", _workspace_event, "ms"),
        (f"a change of the count, {WORKSPACES} workspaces of the template", _count_of_workspaces, "ms"),
        (f"memory of each of {ENDED_JOBS} ended jobs with a time to live", _ended_jobs, "bytes"),
        (f"largest page of a list of jobs with sources of {LARGEST_SOURCE // 1024} KiB", _largest_page, "MiB"),
        (f"plan a template with a source of {SOURCE_BYTES // 1024} KiB", _large_source, "ms"),
    ):
        print(f"{name:<70} {measure():>10.2f} {unit}", flush=True)  # noqa: T201 - the command's output


def _writes_of_stuck_jobs() -> float:
    jobs = JobReconciler()
    jobs.observe_daemon(a_daemon("linux-5", tags={"os": "linux"}, lost_after=1e6), at(0))
    for number in range(STUCK_JOBS):
        jobs.observe_job(a_job(f"job-{number}", tags={"gpu": "a100"}), at(0))
    _write_explanations(jobs, 1)
    written = 0
    for number in range(5):
        jobs.observe_daemon(a_daemon(f"linux-{number}", tags={"os": "linux"}, lost_after=1e6), at(10 * (number + 1)))
        written += _write_explanations(jobs, 10 * (number + 1) + 1)
    return written


def _write_explanations(jobs: JobReconciler, second: float) -> int:
    """Carry out all explanations that are due; return their number."""
    written = 0
    for _ in range(10 * STUCK_JOBS // 64):
        for each in list(jobs.decide(at(second))):
            if isinstance(each, Explain):
                written += 1
                jobs.observe_job(later_version(each.job, reason=each.reason, message=each.message), at(second))
                jobs.accepted(each)
            jobs.settled(each, at(second))
    return written


def _explanation(namespace: str) -> float:
    jobs = JobReconciler()
    for number in range(DAEMONS):
        jobs.observe_daemon(a_daemon(f"d{number}", namespace=namespace, tags={"os": "linux"}, lost_after=1e6), at(0))
    for number in range(16):
        jobs.observe_job(a_job(f"job-{number}", tags={"zone": str(number)}), at(0))
    list(jobs.decide(at(0)))
    return _milliseconds(lambda: list(jobs.decide(at(1)))) / 16


def _pools() -> float:
    return _milliseconds(look_at_pools(POOLS))


def _deletion_of_daemon() -> float:
    jobs = JobReconciler()
    for number in range(DAEMONS):
        jobs.observe_pod(DaemonPod("acme", f"d{number}", f"pod-{number}", 1, _ANY_OFFER, ready=True), at(0))
        jobs.observe_daemon(a_daemon(f"d{number}", pod_uid=f"pod-{number}", offer=_ANY_OFFER), at(0))
    list(jobs.decide(at(0)))

    def delete() -> None:
        jobs.daemon_deleted(f"uid-of-d{DAEMONS - 1}", at(0))
        jobs.pod_deleted(f"pod-{DAEMONS - 1}", "acme", None, at(0))
        list(jobs.decide(at(0)))

    return _milliseconds(delete)


def _new_term() -> float:
    jobs = JobReconciler()
    for number in range(TERM_DAEMONS):
        jobs.observe_daemon(a_daemon(f"d{number}", tags={"os": "linux"}, lost_after=1e6), at(0))
    for number in range(WORKSPACES):
        jobs.observe_job(a_job(f"job-{number}", workspace=f"dev-{number}"), at(0))

    def term() -> None:
        jobs.leadership_gained(at(0))
        for number in range(TERM_DAEMONS):
            jobs.daemon_deleted(f"uid-of-d{number}", at(1))
        list(jobs.decide(at(1)))
        list(jobs.decide(at(2e6)))  # all are lost

    return _milliseconds(term)


def _many_workspaces() -> WorkspaceReconciler:
    workspaces = WorkspaceReconciler()
    workspaces.observe_template(a_template())
    for number in range(WORKSPACES):
        workspaces.observe_workspace(a_workspace(name=f"dev-{number}", uid=f"uid-of-dev-{number}"))
    _decide(workspaces, 0)
    return workspaces


def _workspace_event() -> float:
    workspaces = _many_workspaces()

    def events() -> None:
        for number in range(10):
            name = f"dev-{number}"
            workspaces.observe_workspace(a_workspace(name=name, uid=f"uid-of-{name}", resource_version=2))
            _decide(workspaces, 1)

    return _milliseconds(events) / 10


def _count_of_workspaces() -> float:
    workspaces = _many_workspaces()
    template = a_template()

    def change() -> None:
        counted = replace(template, resource_version=2, status=replace(template.status, workspaces=WORKSPACES))
        workspaces.observe_template(counted)
        _decide(workspaces, 1)

    return _milliseconds(change)


def _ended_jobs() -> float:
    jobs = JobReconciler()
    tracemalloc.start()
    for number in range(ENDED_JOBS):
        jobs.observe_job(an_ended_job(f"job-{number}", workspace=f"dev-{number}", ttl=604_800), at(0))
        list(jobs.decide(at(0)))
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / ENDED_JOBS


def _largest_page() -> float:
    page, largest = PageSize(), 0
    for _ in range(10):
        # What is read of a page, of which the client drops a longer one than expected.
        size = page.objects * LARGEST_SOURCE
        largest = max(largest, size if page.longest is None else min(size, page.longest))
        if page.longest is not None and size > page.longest:
            page.overflowed()
        else:
            page.fitted(page.objects, size)
    return largest / 2**20


def _large_source() -> float:
    workspaces = WorkspaceReconciler()
    template = a_template(files={"main.tf": "# comment\n" * (SOURCE_BYTES // 10)})

    def look(version: int) -> None:
        workspaces.observe_template(replace(template, resource_version=version))
        _decide(workspaces, version)

    look(1)

    def looks() -> None:
        for version in range(2, 12):
            look(version)

    return _milliseconds(looks) / 10


def _decide(workspaces: WorkspaceReconciler, second: float) -> None:
    """Make all decisions that are due; those about workspaces stay under way, so that only the template is planned again."""
    for each in list(workspaces.decide(at(second))):
        if isinstance(each, TemplateDecision):
            workspaces.settled(each, at(second))


def _milliseconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    began = time.thread_time()
    work()
    took = time.thread_time() - began
    gc.enable()
    return 1e3 * took


if __name__ == "__main__":
    main()
