"""A node is drained while jobs run on it: what can end in time ends, the rest is interrupted and saved, and nothing runs twice."""

import base64
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from e2e.product import WITHIN, Team, await_that
from provisioner_devcluster import NodeCluster
from support.cluster.disruption import a_budget, await_budget
from support.cluster.kubectl import Answer, Kubectl
from support.manifests import Manifest

FOREVER = 3600
SLOW = """
resource "terraform_data" "made" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.made]
  provisioner "local-exec" { command = "echo begun; %s" }
}
"""
GATED = """
resource "terraform_data" "gated" {
  provisioner "local-exec" { command = "echo begun; while [ ! -e /tmp/gate ]; do sleep 0.1; done" }
}
"""
"""Ends when the test says so, in the Pod."""
BRIEF = {"terminationGracePeriodSeconds": 62}
"""With a cancel grace of 30 s, runs have two seconds to end before they are interrupted."""
PATIENT = {"terminationGracePeriodSeconds": 600}


@contextmanager
def draining(admin: Kubectl, node: str, pool: str) -> Iterator[Future[Answer]]:
    """Drain the node of a pool's Pods alone, as it is also that of the controllers; at the end it takes Pods again."""
    flags = (f"--pod-selector=provisioner.dev/pool={pool}", "--delete-emptydir-data", f"--timeout={WITHIN:.0f}s")
    with ThreadPoolExecutor(1) as executor:
        try:
            yield executor.submit(admin.attempt, "drain", node, *flags)
        finally:
            admin.run("uncordon", node)


def create_guarded_pool(team: Team, *, template: Manifest, **spec: object) -> str:
    """Create a pool with a budget, and return its name: other tests' pools of the same label must not be drained."""
    pool = team.admin.namespace
    assert pool is not None
    team.create_pool(pool, template=template, lostAfterSeconds=FOREVER, **spec)
    team.admin.create(a_budget(pool, maxUnavailable=1))
    return pool


def await_begun(team: Team, job: str) -> str:
    """Wait until the job's command runs, and return its Pod."""
    pod = team.daemon_of(job)
    await_that(lambda: any("begun" in line and f'"{job}"' in line for line in team.logs(pod).splitlines()), f"{job}")
    return pod


def is_terminating(team: Team, pod: str) -> bool:
    return "deletionTimestamp" in team.admin.get("pod", pod)["metadata"]


def open_gate(team: Team, pod: str) -> None:
    team.admin.run("exec", pod, "--", "touch", "/tmp/gate")


def require_one_run(team: Team, job: str, end: str) -> None:
    assert team.jobs.phases(job) in (["Pending", "Running", end], ["Pending", end])
    started = [each["status"] for each in team.jobs.versions(job) if "startedAt" in each["status"]]
    assert len({(each["assignment"]["daemon"], each["assignment"]["instance"]) for each in started}) == 1


def saved_resources(team: Team, workspace: str) -> dict[str, str]:
    """Return the status of each resource in the saved state."""
    secret = team.admin.get("secret", f"tfstate-default-{workspace}-ws")
    state = json.loads(gzip.decompress(base64.b64decode(secret["data"]["tfstate"])))
    return {each["name"]: each["instances"][0].get("status", "whole") for each in state["resources"]}


def test_a_job_that_would_outlast_the_drain_is_interrupted_and_the_next_build_goes_on_from_its_state(
    own_cluster: NodeCluster, team: Team
) -> None:
    pool = create_guarded_pool(team, template=BRIEF, replicas=1, cancelGraceSeconds=30)
    team.submit_terraform("dev-1", SLOW % "sleep 7200", workspaceRef={"name": "dev"})
    pod = await_begun(team, "dev-1")
    await_budget(team.admin, pool, 1)
    team.submit_terraform("dev-2", SLOW % "true", workspaceRef={"name": "dev"})
    with draining(team.admin, own_cluster.node.name, pool) as drain:
        first = team.jobs.until("dev-1", "Failed", seconds=WITHIN)["status"]
        assert first["reason"] == "DaemonShutdown"
        answer = drain.result()
        assert answer.ok, answer
        assert not team.admin.attempt("get", "pod", pod).ok
        assert saved_resources(team, "dev") == {"made": "whole", "slow": "tainted"}
    second = team.jobs.until("dev-2", "Completed", seconds=WITHIN)["status"]
    assert {each["address"]: each["action"] for each in second["resources"]} == {"terraform_data.slow": "replace"}
    assert second["startedAt"] >= first["finishedAt"]
    assert saved_resources(team, "dev") == {"made": "whole", "slow": "whole"}
    require_one_run(team, "dev-1", "Failed")
    require_one_run(team, "dev-2", "Completed")
    assert team.admin.get("configmap", "dev-1-log")["data"]["log"].count("(local-exec): begun") == 1


def test_jobs_that_end_in_time_complete_and_a_budget_lets_one_pod_go_after_the_other(
    own_cluster: NodeCluster, team: Team
) -> None:
    pool = create_guarded_pool(team, template=PATIENT, replicas=2, capacity=1)
    jobs = ("one", "two")
    for job in jobs:
        team.submit_terraform(job, GATED)
    job_of = {await_begun(team, job): job for job in jobs}
    await_budget(team.admin, pool, 1)
    with draining(team.admin, own_cluster.node.name, pool) as drain:
        await_that(lambda: any(is_terminating(team, pod) for pod in job_of), "the first eviction")
        first, second = sorted(job_of, key=lambda pod: is_terminating(team, pod), reverse=True)
        open_gate(team, first)
        team.jobs.until(job_of[first], "Completed", seconds=WITHIN)
        team.admin.run("wait", f"pod/{first}", "--for=delete", f"--timeout={WITHIN:.0f}s")
        assert not is_terminating(team, second)
        assert not drain.done()
        # As if there were another node, for the Pod in the first one's place.
        team.admin.run("uncordon", own_cluster.node.name)
        await_that(lambda: is_terminating(team, second), "the second eviction")
        open_gate(team, second)
        team.jobs.until(job_of[second], "Completed", seconds=WITHIN)
        answer = drain.result()
        assert answer.ok, answer
        assert "violate the pod's disruption budget" in answer.stderr
    for job in jobs:
        require_one_run(team, job, "Completed")
