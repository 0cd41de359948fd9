"""Builders of the core's jobs and daemons with defaults, so that a test names only relevant fields."""

from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState, JobType, Phase, Provisioner
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.matching import Demand, Supply, effective_tags
from provisioner_operator.core.model.records import Assignment, Daemon, Job, Offer, ReportedRun

NOON = 1_800_000_000.0
"""Wall-clock time at which the jobs of these tests are created."""
NAMESPACE = "acme"


def at(seconds: float) -> Instant:
    """Return the instant this many seconds after noon; the monotonic clock has another origin."""
    return Instant(NOON + seconds, 500_000.0 + seconds)


def tags(**pairs: str) -> dict[str, str]:
    """Return tags as a spec contains them."""
    return pairs


def a_demand(*, namespace: str = NAMESPACE, provisioner: Provisioner = Provisioner.TERRAFORM, **tags: str) -> Demand:
    """Return the demand of a job with these tags."""
    return Demand(namespace, provisioner, effective_tags(tags))


def a_job(name: str = "job", *, tags: dict[str, str] | None = None, **fields: Any) -> Job:
    """A pending job without a workspace, created at noon; `created` may be given in seconds after noon."""
    namespace = fields.pop("namespace", NAMESPACE)
    provisioner = fields.pop("provisioner", Provisioner.TERRAFORM)
    defaults: dict[str, Any] = {
        "namespace": namespace,
        "name": name,
        "uid": f"uid-of-{name}",
        "resource_version": 1,
        "generation": 1,
        "type": JobType.WORKSPACE_BUILD,
        "demand": Demand(namespace, provisioner, effective_tags(tags or {})),
        "pending_timeout": 1800,
        "active_deadline": 3600,
    }
    fields["created"] = NOON + fields.get("created", 0)
    return Job(**(defaults | fields))


def an_assignment(daemon: str = "daemon", *, time: float = 0, instance: str | None = None) -> Assignment:
    """An assignment that was made at noon."""
    return Assignment(daemon, f"uid-of-{daemon}", "first", NOON + time, instance)


def an_assigned_job(name: str = "job", *, daemon: str = "daemon", assigned: float = 0, **fields: Any) -> Job:
    """A job that waits for its daemon's acknowledgment."""
    return a_job(name, assignment=an_assignment(daemon, time=assigned), **fields)


def a_running_job(name: str = "job", *, daemon: str = "daemon", started: float = 0, **fields: Any) -> Job:
    """A job that its daemon acknowledged at noon."""
    given = an_assignment(daemon, time=started, instance=fields.pop("instance", f"process-of-{daemon}"))
    return a_job(name, assignment=given, started=NOON + started, **({"phase": Phase.RUNNING} | fields))


def an_ended_job(name: str = "job", *, phase: Phase = Phase.COMPLETED, finished: float = 0, **fields: Any) -> Job:
    """A job that ran and ended at noon."""
    return a_running_job(name, phase=phase, finished=NOON + finished, **fields)


def a_daemon(
    name: str = "daemon",
    *,
    tags: dict[str, str] | None = None,
    runs: tuple[Job, ...] = (),
    provisioners: tuple[Provisioner, ...] = (Provisioner.TERRAFORM,),
    **fields: Any,
) -> Daemon:
    """An idle daemon that reported at noon; `runs` are the jobs that its heartbeat lists."""
    namespace = fields.pop("namespace", NAMESPACE)
    defaults: dict[str, Any] = {
        "namespace": namespace,
        "name": name,
        "uid": f"uid-of-{name}",
        "resource_version": 1,
        "supply": Supply(namespace, frozenset(provisioners), effective_tags(tags or {})),
        "offer": Offer(frozenset((tags or {}).items()), frozenset(provisioners), fields.get("capacity", 1), 300, 180),
        "lost_after": 300,
        "cancel_grace": 180,
        "state": DaemonState.IDLE,
        "instance": f"process-of-{name}",
        "heartbeat": "noon",
        "runs": frozenset(ReportedRun(job.uid, job.workspace) for job in runs),
        "finalizers": (RUNS_FINALIZER,),
    }
    return Daemon(**(defaults | fields))


def at_rest(daemon: Daemon, interval: int = 60) -> Daemon:
    """The daemon after one more heartbeat, which announces that the next one comes later."""
    return next_heartbeat(daemon, idle_interval=interval)


def later_version(job: Job, **changes: Any) -> Job:
    """The job after one more write."""
    return replace(job, resource_version=job.resource_version + 1, **changes)


def next_heartbeat(daemon: Daemon, *, runs: tuple[Job, ...] = (), **changes: Any) -> Daemon:
    """The daemon after one more heartbeat, which lists these jobs."""
    listed = frozenset(ReportedRun(job.uid, job.workspace) for job in runs)
    version = daemon.resource_version + 1
    return replace(daemon, resource_version=version, heartbeat=f"beat {version}", runs=listed, **changes)
