"""Define the lock of a workspace's Terraform state: its form, whose it is, and when the run that holds it is certainly over.

The lock is that of Terraform's backend `kubernetes`: a Lease whose holder an annotation describes. A daemon takes it for a whole
run, in the form that Terraform and OpenTofu write, so that each respects the other's. The description of a run's lock names the
run: so, unlike with a lock that Terraform takes itself, it can be known that its holder is dead. Pure; used by the daemon and the
command line, parsed by `kube/state_locks.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.records import Daemon, Job

SUFFIX_END = "-ws"
"""The backend refuses a suffix that ends in `-` and a number, which it uses for the parts of a large state; but a workspace
may be named `dev-7`. Appended to every name, it also keeps the suffixes of two workspaces distinct."""
LOCK_INFO_ANNOTATION = "app.terraform.io/lock-info"
"""Annotation in which Terraform and OpenTofu describe the holder of a lock."""
RUN_PREFIX = f"{GROUP}/"
"""Begins the ids of locks that runs of daemons hold: the policy on who may release one knows it too."""
LOCK_RELEASED = "StateLockReleased"
"""Reason of the Event about a lock whose holder was dead: the policy on daemons' Events knows it too."""
ALREADY = float("-inf")
"""Time since which a run is over that ended long ago, or at an unknown time."""


def secret_suffix(workspace: str) -> str:
    """Return the backend's `secret_suffix` of a workspace."""
    return workspace + SUFFIX_END


def state_secret(workspace: str) -> str:
    """Return the name of the Secret that holds a workspace's state, or its first part."""
    return f"tfstate-default-{secret_suffix(workspace)}"


def lock_lease(workspace: str) -> str:
    """Return the name of the Lease that is the lock of a workspace's state."""
    return f"lock-{state_secret(workspace)}"


def state_labels(workspace: str) -> JsonObject:
    """Return the labels by which the backend finds a workspace's state and its lock."""
    return {
        "tfstate": "true",
        "tfstateSecretSuffix": secret_suffix(workspace),
        "tfstateWorkspace": "default",
        "app.kubernetes.io/managed-by": "terraform",
    }


@dataclass(frozen=True, slots=True)
class HoldingRun:
    """Run of a daemon that holds a lock, as the lock describes it."""

    job: str
    uid: str
    daemon: str
    instance: str
    """Process of the daemon."""
    site: str
    """Place whose lock file that process held: whoever holds it next knows that the process and its runs are gone."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Holder of a lock, in the words of whoever took it."""

    id: str = "unknown"
    who: str = "unknown"
    created: str = "unknown"
    operation: str = "unknown"
    run: HoldingRun | None = None
    """None for a lock that no daemon took: Terraform took it itself, perhaps run by hand."""


@dataclass(frozen=True, slots=True)
class StateLock:
    """Lease of a lock as it was read."""

    uid: str
    resource_version: str
    holder: LockHolder | None
    annotations: Mapping[str, str]
    """All of the Lease."""


def lock_id(assignment: str) -> str:
    """Return the id of the lock that the run of this assignment holds: no other run has it, not even one of the same job."""
    return f"{RUN_PREFIX}{assignment}"


def lock_info(run: HoldingRun, assignment: str, now: float, version: str) -> str:
    """Return the description of a lock that a run takes, as Terraform would write it."""
    return json.dumps(
        {
            "ID": lock_id(assignment),
            "Operation": "the run of a job",
            "Info": json.dumps(asdict(run)),
            "Who": f"job {run.job} on daemon {run.daemon}",
            "Version": version,
            "Created": timestamp(now),
            "Path": "",
        }
    )


def new_lock(workspace: str, identity: str, info: str) -> JsonObject:
    """Return the Lease of a lock that is taken for the first time."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": lock_lease(workspace),
            "labels": state_labels(workspace),
            "annotations": {LOCK_INFO_ANNOTATION: info},
        },
        "spec": {"holderIdentity": identity},
    }


def take_patch(lock: StateLock, identity: str, info: str) -> JsonPatch:
    """Return the change that takes the lock, from its holder if it has one; it fails if anything has changed."""
    # Whole objects: a Lease that nobody holds may have neither.
    return JsonPatch(
        tests=_unchanged(lock),
        sets=(
            ("/metadata/annotations", {**lock.annotations, LOCK_INFO_ANNOTATION: info}),
            ("/spec", {"holderIdentity": identity}),
        ),
    )


def release_patch(lock: StateLock) -> JsonPatch:
    """Return the change that releases the lock; it fails if anything has changed."""
    kept = {name: value for name, value in lock.annotations.items() if name != LOCK_INFO_ANNOTATION}
    return JsonPatch(
        tests=_unchanged(lock), sets=(("/metadata/annotations", {**kept}),), removes=("/spec/holderIdentity",)
    )


def is_reported(run: HoldingRun, daemon: Daemon) -> bool:
    """Return whether the heartbeats of the run's daemon still list it."""
    reports = daemon.instance == run.instance and daemon.state is not DaemonState.OFFLINE
    return reports and any(each.job_uid == run.uid for each in daemon.runs)


def over_since(run: HoldingRun, job: Job | None, daemon: Daemon | None, *, site: str | None = None) -> float | None:
    """Return the time from which the run that holds a lock is certainly over; None if it may live for all that is known.

    The controller assigns no job of a workspace before all earlier runs there are over, by kubelet's word, the daemon's, or the
    fence. This holds without it too, and covers what it takes for certain though it is not: a daemon whose name another process
    uses, on another machine, loses its jobs at once, but stops its runs only when it learns of that.

    Args:
        run: The run.
        job: Its job; None if that is gone.
        daemon: The daemon of that name; None if it is gone, which its finalizer prevents while it runs anything.
        site: The place whose lock file the caller holds, if it is a daemon.
    """
    if job is not None and job.phase not in TERMINAL:
        return None
    if daemon is None:
        return ALREADY
    if is_reported(run, daemon):
        return None
    if daemon.instance == run.instance or daemon.pod_uid is not None or run.site == site:
        return ALREADY
    return None if job is None or job.finished is None else job.finished + daemon.lost_after


def _unchanged(lock: StateLock) -> tuple[tuple[str, str], ...]:
    return (("/metadata/uid", lock.uid), ("/metadata/resourceVersion", lock.resource_version))
