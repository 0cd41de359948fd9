"""Display to admins: `kubectl get` shows stuck jobs and why, `kubectl explain` the meaning of a field."""

from collections.abc import Callable

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import a_daemon_manifest, a_job_manifest, a_pool_manifest
from support.cluster.kubectl import Kubectl


def test_a_job_shows_what_it_is_and_where_it_runs(kubectl: Kubectl, job_in: Callable[[Phase | str], str]) -> None:
    header, row = kubectl.run("get", "pj", job_in(Phase.FAILED)).stdout.splitlines()

    assert header.split() == ["NAME", "TYPE", "TRANSITION", "WORKSPACE", "STATUS", "REASON", "DAEMON", "AGE"]
    assert row.split()[:-1] == ["failed", "WorkspaceBuild", "Start", "dev", "Failed", "Example", "daemon"]


def test_the_wide_view_of_a_job_adds_who_and_when(kubectl: Kubectl, job_in: Callable[[Phase | str], str]) -> None:
    header = kubectl.run("get", "pj", job_in(Phase.FAILED), "--output=wide").stdout.splitlines()[0]

    assert "PRIORITY INITIATOR CANCELED BY LAST STAGE STARTED FINISHED MESSAGE" in " ".join(header.split())


def test_a_daemon_shows_whether_it_is_well_and_what_it_runs(kubectl: Kubectl) -> None:
    kubectl.create(a_daemon_manifest("busy"))
    jobs = [{"name": name, "uid": name, "startedAt": "2026-01-01T00:00:00Z"} for name in ("first-job", "second-job")]
    kubectl.patch(
        "pd",
        "busy",
        {
            "status": {
                "state": "Busy",
                "failedJobs": 3,
                "consecutiveFailures": 2,
                "jobs": "first-job, second-job",
                "tags": "environment=on-prem",
                "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                "version": "0.1.0",
                "currentJobs": jobs,
            }
        },
        subresource="status",
    )

    header, row = kubectl.run("get", "pd", "busy").stdout.splitlines()

    assert header.split() == ["NAME", "STATUS", "JOBS", "FAILURES", "TAGS", "LAST", "SEEN", "VERSION"]
    name, state, first, second, failures, tags, _seen, version = row.split()
    # The API server prints only the first match of a path, so that the daemon itself writes one line.
    assert (name, state, first, second, failures) == ("busy", "Busy", "first-job,", "second-job", "2")
    assert (tags, version) == ("environment=on-prem", "0.1.0")


def test_a_pool_shows_what_it_has_and_what_keeps_it(kubectl: Kubectl) -> None:
    kubectl.create(a_pool_manifest("stuck", autoscaling={"minReplicas": 1, "maxReplicas": 9}))
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "ImagePullBackOff",
        "message": "No such image.",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    counts = {"desiredReplicas": 5, "replicas": 4, "updatedReplicas": 3, "idle": 0, "busy": 2, "queued": 7}
    kubectl.patch("pp", "stuck", {"status": counts | {"conditions": [ready]}}, subresource="status")

    header, row = kubectl.run("get", "pp", "stuck").stdout.splitlines()
    wide_header, wide_row = kubectl.run("get", "pp", "stuck", "--output=wide").stdout.splitlines()

    assert header.split() == ["NAME", "DESIRED", "REPLICAS", "IDLE", "BUSY", "QUEUED", "READY", "REASON", "AGE"]
    assert row.split()[:-1] == ["stuck", "5", "4", "0", "2", "7", "False", "ImagePullBackOff"]
    assert wide_header.split()[9:] == ["UPDATED", "MIN", "MAX", "IMAGE", "MESSAGE"]
    assert wide_row.split()[9:] == ["3", "1", "9", "No", "such", "image."]


def test_a_new_pool_has_nothing_yet_and_wants_one_daemon(kubectl: Kubectl) -> None:
    stored = kubectl.create(a_pool_manifest(), dry_run=True)

    assert (stored["spec"]["replicas"], stored["status"]["replicas"]) == (1, 0)
    assert stored["spec"]["template"] == {
        "serviceAccountName": "provisioner-daemon",
        "terminationGracePeriodSeconds": 4000,
    }


def test_a_pool_can_be_scaled(kubectl: Kubectl) -> None:
    kubectl.create(a_pool_manifest("scaled"))
    kubectl.patch("pp", "scaled", {"status": {"replicas": 1, "selector": "a=b"}}, subresource="status")

    kubectl.run("scale", "pp/scaled", "--replicas=4")

    scale = kubectl.json("get", "pp", "scaled", "--subresource=scale")
    assert (scale["spec"]["replicas"], scale["status"]) == (4, {"replicas": 1, "selector": "a=b"})
    assert kubectl.get("pp", "scaled")["spec"]["replicas"] == 4


def test_an_autoscaled_pool_is_not_scaled_by_hand(kubectl: Kubectl) -> None:
    kubectl.create(a_pool_manifest("automatic", autoscaling={"maxReplicas": 9}))

    assert "cannot be set together with spec.autoscaling" in kubectl.refusal("scale", "pp/automatic", "--replicas=4")


def test_a_new_daemon_is_offline(kubectl: Kubectl) -> None:
    assert kubectl.create(a_daemon_manifest(), dry_run=True)["status"]["state"] == "Offline"


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("status.phase=Failed", True),
        ("status.phase!=Failed", False),
        ("status.assignment.daemon=daemon", True),
        ("spec.workspaceRef.name=dev", True),
        ("spec.type=TemplateImport", False),
        ("spec.initiator=nobody", False),
    ],
)
def test_jobs_are_selected_by_field(
    selector: str, kubectl: Kubectl, job_in: Callable[[Phase | str], str], *, found: bool
) -> None:
    name = job_in(Phase.FAILED)

    listed = kubectl.run("get", "pj", f"--field-selector={selector}", "--output=name").stdout

    assert (f"/{name}\n" in listed) is found


def test_daemons_are_selected_by_state(kubectl: Kubectl) -> None:
    kubectl.create(a_daemon_manifest("selected"))

    assert "/selected" in kubectl.run("get", "pd", "--field-selector=status.state=Offline", "--output=name").stdout


def test_the_category_lists_all_kinds(kubectl: Kubectl) -> None:
    kubectl.create(a_job_manifest("of-category"))
    kubectl.create(a_daemon_manifest("of-category"))
    kubectl.create(a_pool_manifest("of-category"))

    listed = kubectl.run("get", "provisioner", "--output=name").stdout

    assert "provisionerjob.provisioner.dev/of-category" in listed
    assert "provisionerdaemon.provisioner.dev/of-category" in listed
    assert "provisionerpool.provisioner.dev/of-category" in listed


@pytest.mark.parametrize(
    ("path", "fragments"),
    [
        ("pj", ["A run of Terraform"]),
        ("pj.spec", ["The program to run", "pendingTimeoutSeconds", "Set to true to stop"]),
        ("pj.spec.cancel", ["Set to true to stop the job"]),
        ("pj.status.phase", ["Pending, Running, Canceling, or finally"]),
        ("pd.spec.tags", ["Tags that the daemon offers"]),
        ("pp", ["A fleet of provisioner daemons", "has no job"]),
        ("pp.spec.autoscaling", ["maxReplicas", "-required-", "targetWaitSeconds", "Scales the pool by its queue"]),
        ("pp.spec.template.env.valueFrom", ["secretKeyRef", "configMapKeyRef", "fieldRef"]),
        ("pp.spec.template.resources.limits", ["Upper limits, by resource"]),
    ],
    ids=str,
)
def test_explain_reads_well(path: str, fragments: list[str], kubectl: Kubectl) -> None:
    explained = kubectl.run("explain", path).stdout

    assert all(fragment in explained for fragment in fragments), explained
