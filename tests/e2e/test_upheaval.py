"""Controllers, nodes and namespaces go away while jobs run: nothing is lost, runs twice or is left behind."""

import time
from contextlib import suppress
from itertools import count

import psutil

from e2e.product import SYSTEM, WITHIN, Installation, Team, await_that
from provisioner_devcluster import NodeCluster
from support.test_namespace import names

LOAD = 30


def _assert_each_ran_once(team: Team, jobs: list[str]) -> None:
    for name in jobs:
        assert team.jobs.phases(name) in (["Pending", "Running", "Completed"], ["Pending", "Completed"])
        instances = {
            version["status"]["assignment"].get("instance")
            for version in team.jobs.versions(name)
            if "startedAt" in version["status"]
        }
        assert len(instances) == 1, f"{name} ran on {instances}"


def _submit_all(team: Team, jobs: list[str]) -> None:
    for name in jobs:
        team.submit(name, seconds=0.5)


def _process_of(pod: str) -> psutil.Process:
    """Return the process of the Pod's container, as seen on this machine."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("POD_NAME") == pod:
                return process
    raise AssertionError(f"no process of {pod}")


def test_the_leader_is_killed_under_load_and_the_other_takes_over(
    own_cluster: NodeCluster, installation: Installation, team: Team
) -> None:
    assert own_cluster.kubeconfig == installation.admin.kubeconfig
    team.create_pool(replicas=2, capacity=3)
    team.await_ready()
    jobs = names("job", LOAD)
    leader = installation.leader()
    _submit_all(team, jobs[: LOAD // 2])
    _process_of(leader).kill()
    killed = time.monotonic()
    _submit_all(team, jobs[LOAD // 2 :])
    await_that(lambda: installation.leader() != leader, "another leader")
    print(f"another leads {time.monotonic() - killed:.1f} s after the kill")  # noqa: T201 - a measurement, shown with -rP
    team.jobs.until_all(jobs, phases=["Completed"], seconds=WITHIN)
    _assert_each_ran_once(team, jobs)
    installation.await_rollout()


def test_controllers_and_a_pool_are_replaced_under_load(installation: Installation, team: Team) -> None:
    team.create_pool(replicas=2, capacity=2)
    team.await_ready()
    before = {each["metadata"]["name"] for each in team.admin.json("get", "pods")["items"]}
    jobs = names("job", LOAD)
    _submit_all(team, jobs[: LOAD // 3])
    installation.admin.run("rollout", "restart", "deployment/provisioner-operator")
    labels = {"podLabels": {"generation": "second"}}
    pool = team.admin.get("pp", "pool")["spec"]["template"]
    team.admin.patch("pp", "pool", {"spec": {"template": pool | labels}})
    _submit_all(team, jobs[LOAD // 3 :])
    team.jobs.until_all(jobs, phases=["Completed"], seconds=2 * WITHIN)
    _assert_each_ran_once(team, jobs)
    installation.await_rollout()
    team.await_ready()
    await_that(
        lambda: not before & {each["metadata"]["name"] for each in team.admin.json("get", "pods")["items"]},
        "the old Pods to go",
    )


def _first_that_waits(team: Team) -> str:
    """Submit jobs until one stays pending: Pods become unready a moment after their node."""
    for number in count():
        name = f"waiting-{number}"
        team.submit(name)
        seen = team.jobs.until(
            name,
            lambda body: body["status"]["phase"] == "Completed" or body["status"].get("reason") == "DaemonsOffline",
            seconds=WITHIN,
        )
        if seen["status"]["phase"] == "Pending":
            return name
    raise AssertionError("the counter is infinite")


def test_an_unready_node_gets_no_jobs_and_keeps_its_running_ones(own_cluster: NodeCluster, team: Team) -> None:
    team.create_pool(capacity=2)
    team.await_ready()
    team.submit("running", seconds=45)
    team.jobs.until("running", "Running", seconds=WITHIN)
    own_cluster.node.stop_kubelet()
    try:
        team.admin.run("wait", "nodes", "--all", "--for=condition=Ready=Unknown", f"--timeout={WITHIN:.0f}s")
        waiting = _first_that_waits(team)
        # Its container runs and reports, so the controller must not declare the run lost.
        team.jobs.until("running", "Completed", seconds=WITHIN)
    finally:
        own_cluster.node.start_kubelet()
    team.jobs.until(waiting, "Completed", seconds=WITHIN)


def test_a_namespace_is_deleted_with_its_running_jobs(installation: Installation, team: Team) -> None:
    assert installation.admin.namespace == SYSTEM
    # The daemons lose their permissions with the namespace before they observe their jobs' end, so the grace period ends them.
    team.create_pool(template={"terminationGracePeriodSeconds": 5})
    team.submit("long", seconds=3600)
    team.jobs.until("long", "Running", seconds=WITHIN)
    namespace = team.admin.namespace
    assert namespace is not None
    team.admin.run("delete", "namespace", namespace, f"--timeout={WITHIN:.0f}s")
