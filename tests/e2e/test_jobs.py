"""Jobs in daemon Pods of a pool: they run, report, are canceled and time out, and survive or fail when their Pod goes."""

import time

from e2e.product import WITHIN, Team, await_that
from support.test_namespace import condition

FOREVER = 3600
TEMPLATE = """
variable "provisioner_transition" {}
resource "terraform_data" "machine" { input = "machine in chicago" }
output "machine" { value = terraform_data.machine.output }
"""
HUNGRY = """
variable "provisioner_transition" {}
resource "terraform_data" "hungry" {
  provisioner "local-exec" { command = "python3 -c 'b = bytearray(4 << 30); print(len(b))'" }
}
"""
FROM_ZERO = {"minReplicas": 0, "maxReplicas": 3, "targetWaitSeconds": 10, "scaleDownDelaySeconds": 5}


def test_a_terraform_job_scales_a_pool_from_zero_runs_in_a_pod_and_the_pool_scales_back_to_zero(team: Team) -> None:
    team.create_pool(tags={"environment": "on-prem"}, autoscaling=FROM_ZERO)
    team.await_ready()
    assert team.admin.json("get", "pods")["items"] == []
    submitted = time.monotonic()
    team.submit_terraform("dev-1", TEMPLATE, tags={"environment": "on-prem"}, workspaceRef={"name": "dev"})
    pod = team.daemon_of("dev-1")
    await_that(lambda: "Initializing" in team.logs(pod), "the first line of the run's log")
    print(f"from zero, to the first line of the log: {time.monotonic() - submitted:.1f} s")  # noqa: T201 - a measurement, shown with -rP
    job = team.jobs.until("dev-1", "Completed", seconds=WITHIN)
    assert [(each["name"], each["value"]) for each in job["status"]["outputs"]] == [("machine", "machine in chicago")]
    assert "Apply complete!" in team.admin.get("configmap", job["status"]["log"]["configMap"])["data"]["log"]

    submitted = time.monotonic()
    team.submit_terraform(
        "dev-2", TEMPLATE, tags={"environment": "on-prem"}, workspaceRef={"name": "dev"}, transition="Delete"
    )
    pod = team.daemon_of("dev-2")
    await_that(lambda: '"job": "dev-2"' in team.logs(pod), "the first line of the run's log")
    print(f"with a warm pool, to the first line of the log: {time.monotonic() - submitted:.1f} s")  # noqa: T201 - a measurement, shown with -rP
    job = team.jobs.until("dev-2", "Completed", seconds=WITHIN)
    assert [each["action"] for each in job["status"]["resources"]] == ["delete"]
    team.pools.until_latest("pool", lambda body: body["status"].get("replicas") == 0, seconds=WITHIN)
    await_that(lambda: team.admin.json("get", "pods")["items"] == [], "the last Pod to go")


def test_a_job_in_a_pod_is_canceled_and_its_pod_keeps_running(team: Team) -> None:
    team.create_pool()
    team.submit("long", seconds=FOREVER)
    team.jobs.until("long", "Running", seconds=WITHIN)
    pod = team.daemon_of("long")
    team.admin.patch("pj", "long", {"spec": {"cancel": True, "cancelReason": "wrong region"}})
    job = team.jobs.until("long", "Canceled", seconds=WITHIN)
    assert condition(job, "CancelRequested")["reason"] == "Stopped"
    team.submit("next")
    team.jobs.until("next", "Completed", seconds=WITHIN)
    assert team.daemon_of("next") == pod


def test_jobs_in_pods_are_timed_out(team: Team) -> None:
    team.submit("unwanted", tags={"nobody": "has-it"}, pendingTimeoutSeconds=2)
    team.create_pool()
    team.submit("overdue", seconds=FOREVER, activeDeadlineSeconds=5)
    assert team.jobs.until("unwanted", "Failed", seconds=WITHIN)["status"]["reason"] == "PendingTimeout"
    assert team.jobs.until("overdue", "Failed", seconds=WITHIN)["status"]["reason"] == "DeadlineExceeded"


def test_the_job_of_a_deleted_pod_is_lost_as_soon_as_its_container_has_ended(team: Team) -> None:
    # Long enough for the daemon to let its run go on, but not as long as this Pod gets.
    team.create_pool(template={"terminationGracePeriodSeconds": 300}, lostAfterSeconds=FOREVER)
    team.submit("long", seconds=FOREVER, ignore_interrupt="true")
    team.jobs.until("long", "Running", seconds=WITHIN)
    pod = team.daemon_of("long")
    team.admin.run("delete", "pod", pod, "--grace-period=1", "--wait=false")
    job = team.jobs.until("long", "Failed", seconds=WITHIN)
    assert job["status"]["reason"] == "DaemonLost"
    assert "its Pod ended" in job["status"]["message"]
    team.submit("next")
    team.jobs.until("next", "Completed", seconds=WITHIN)
    assert team.daemon_of("next") != pod


def test_a_terminating_pod_finishes_its_job_first(team: Team) -> None:
    team.create_pool(template={"terminationGracePeriodSeconds": 300})
    team.submit("short", seconds=5)
    team.jobs.until("short", "Running", seconds=WITHIN)
    team.admin.run("delete", "pod", team.daemon_of("short"), "--wait=false")
    team.jobs.until("short", "Completed", seconds=WITHIN)


def test_a_terminating_pod_interrupts_a_job_that_would_outlast_it(team: Team) -> None:
    team.create_pool(template={"terminationGracePeriodSeconds": 62}, cancelGraceSeconds=30, lostAfterSeconds=FOREVER)
    team.submit("long", seconds=FOREVER)
    team.jobs.until("long", "Running", seconds=WITHIN)
    team.admin.run("delete", "pod", team.daemon_of("long"), "--wait=false")
    job = team.jobs.until("long", "Failed", seconds=WITHIN)
    assert job["status"]["reason"] == "DaemonShutdown", "not DaemonLost: the daemon itself stopped the run, and says so"


def test_a_run_that_exhausts_memory_fails_and_the_next_job_runs(team: Team) -> None:
    team.create_pool(lostAfterSeconds=FOREVER)
    team.submit_terraform("hungry", HUNGRY)
    job = team.jobs.until("hungry", "Failed", seconds=WITHIN)
    # On cgroup v2 the kernel kills the whole container, and the Pod ends; otherwise only the process, and Terraform reports it.
    assert job["status"]["reason"] in {"RunFailed", "DaemonLost"}
    team.submit("next")
    team.jobs.until("next", "Completed", seconds=WITHIN)


def test_a_pool_reports_why_its_pods_do_not_start(team: Team) -> None:
    team.create_pool(template={"image": "localhost/no-such-image:1"})
    pool = team.pools.until("pool", lambda body: condition(body, "Stalled").get("status") == "True", seconds=WITHIN)
    assert "no-such-image" in condition(pool, "Ready")["message"]
