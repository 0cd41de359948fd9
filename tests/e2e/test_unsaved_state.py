"""A Pod on a real node that has the only copy of a state: its pool, which needs it no more, keeps it until the state is safe."""

from e2e.product import WITHIN, Team, await_that
from support.manifests import Manifest

LARGE = """
locals { parts = [for i in range(1000) : join("", [for j in range(12) : sha512("${i}.${j}")])] }
resource "terraform_data" "large" { input = join("", local.parts) }
"""
"""A template whose state, compressed, exceeds the 1 MiB of a Secret."""
TO_ZERO = {"minReplicas": 0, "maxReplicas": 1, "targetWaitSeconds": 10, "scaleDownDelaySeconds": 1}
HEARTBEATS = 3
"""Reports after which a pool that does not know of the state would have deleted its Pod."""


def a_quota() -> Manifest:
    """One Secret, which is that of the state."""
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"}}
    return body | {"spec": {"hard": {"count/secrets": "1"}}}


def is_emptied(daemon: Manifest) -> bool:
    """Return whether the pool has cordoned the daemon to remove it, and nothing runs there any more."""
    return bool(daemon["spec"].get("cordoned")) and not daemon["status"].get("runs")


def test_a_pool_keeps_a_pod_with_an_unsaved_state_until_it_is_saved(team: Team) -> None:
    team.admin.create(a_quota())
    await_that(lambda: "hard" in team.admin.get("resourcequota", "one").get("status", {}), "the quota to count")
    team.create_pool(autoscaling=TO_ZERO, lostAfterSeconds=30)
    team.submit_terraform("dev-1", LARGE, workspaceRef={"name": "dev"})
    pod = team.daemon_of("dev-1")
    job = team.jobs.until("dev-1", "Failed", seconds=WITHIN)
    assert job["status"]["reason"] == "StateUnsaved"
    assert "exceeded quota" in job["status"]["message"]

    team.daemons.until_latest(pod, is_emptied, seconds=WITHIN)
    emptied = len(team.daemons.versions(pod))
    await_that(lambda: len(team.daemons.versions(pod)) >= emptied + HEARTBEATS, "further heartbeats")
    (listed,) = team.daemons.versions(pod)[-1]["status"]["unsavedStates"]
    assert (listed["workspace"], listed["job"]) == ("dev", "dev-1")
    assert "deletionTimestamp" not in team.admin.get("pod", pod)["metadata"]

    team.admin.run("delete", "resourcequota", "one")
    team.admin.run("wait", f"pod/{pod}", "--for=delete", f"--timeout={WITHIN:.0f}s")
    kept = {each["metadata"]["name"] for each in team.admin.list_all("secret")}
    assert "unsaved-tfstate-default-dev-ws-0" in kept
