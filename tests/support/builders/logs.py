"""A run's log in its places, for tests without an API server: the job, its archive, and the output of its daemon's Pod."""

import json
from collections.abc import Sequence
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.kube import paths
from provisioner_operator.web.actions.target import ObjectRef
from support.scripted_client import Body, ScriptedClient

JOB = ObjectRef("acme", "dev-7", "u")
JOB_PATH = paths.job("acme", "dev-7")
ARCHIVES = paths.config_maps("acme")
DAEMON = paths.daemon("acme", "d1")
POD_LOG = f"{paths.pod('acme', 'd1')}/log"
STARTED = "2027-01-15T08:00:00Z"


def a_logged_job(phase: Phase, *, started: bool = True, daemon: str = "d1") -> dict[str, Any]:
    """The job, on daemon `d1` if it has started."""
    status = {"phase": phase} | ({"startedAt": STARTED, "assignment": {"daemon": daemon}} if started else {})
    metadata = {"name": "dev-7", "namespace": "acme", "uid": "u", "resourceVersion": "5"}
    return {"metadata": metadata, "spec": {}, "status": status}


PENDING, RUNNING, COMPLETED = (
    a_logged_job(Phase.PENDING, started=False),
    a_logged_job(Phase.RUNNING),
    a_logged_job(Phase.COMPLETED),
)


def an_archive(*lines: str, uid: str = "u") -> dict[str, Any]:
    """The ConfigMap of these lines."""
    owners = [{"kind": "ProvisionerJob", "uid": uid}]
    metadata = {"name": "dev-7-log", "labels": {"provisioner.dev/job": "dev-7"}, "ownerReferences": owners}
    return {"metadata": metadata, "data": {"log": "".join(f"{STARTED} apply: {line}\n" for line in lines)}}


def printed(line: str, nanoseconds: int, job: str = "dev-7") -> str:
    """One line of the output of the daemon's container, with the time that kubelet adds."""
    record = {"logger": "job", "namespace": "acme", "job": job, "stage": "apply", "message": line, "timestamp": STARTED}
    return f"2027-01-15T08:00:00.{nanoseconds:09}Z {json.dumps(record)}"


def a_log_client(*, owners: Sequence[Body] = (), job: Body = RUNNING) -> ScriptedClient:
    """A client whose daemon `d1` has these owners."""
    client = ScriptedClient()
    client.answers("GET", JOB_PATH, job)
    client.answers("GET", DAEMON, {"metadata": {"name": "d1", "ownerReferences": owners}})
    return client


def in_a_pod() -> ScriptedClient:
    """A client whose daemon `d1` is a Pod."""
    return a_log_client(owners=[{"kind": "Pod", "uid": "p"}])
