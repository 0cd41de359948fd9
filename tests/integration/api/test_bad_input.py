"""Bad input is refused by the API server, with a message that names the field."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS
from support.builders.manifests import a_daemon_manifest, a_job_manifest, a_pool_manifest
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

TWO_MEGABYTES = "x" * 2_000_000
GIT_URL = "https://git.example.com/templates.git"


def a_job_with(**spec: Any) -> Manifest:
    return a_job_manifest(**spec)


def a_pool_with(**template: Any) -> Manifest:
    return a_pool_manifest(template=template)


@pytest.mark.parametrize(
    ("manifest", "fragments"),
    [
        (a_job_with(type="Build"), ['spec.type: Unsupported value: "Build"', '"WorkspaceBuild"']),
        (a_job_with(transition="start"), ['spec.transition: Unsupported value: "start"', '"Start"']),
        (a_job_with(provisioner="pulumi"), ['spec.provisioner: Unsupported value: "pulumi"']),
        (a_job_with(cancelMode="Now"), ['spec.cancelMode: Unsupported value: "Now"']),
        (a_job_with(pendingTimeoutSeconds=-1), ["spec.pendingTimeoutSeconds", "greater than or equal to 1"]),
        (a_job_with(activeDeadlineSeconds=0), ["spec.activeDeadlineSeconds", "greater than or equal to 1"]),
        (a_job_with(stallTimeoutSeconds=9_999_999), ["spec.stallTimeoutSeconds", "less than or equal to 2592000"]),
        (a_job_with(parallelism=0), ["spec.parallelism", "greater than or equal to 1"]),
        (a_job_with(parallelism=257), ["spec.parallelism", "less than or equal to 256"]),
        (a_job_with(ttlSecondsAfterFinished=-5), ["spec.ttlSecondsAfterFinished", "greater than or equal to 0"]),
        (a_job_with(pendingTimeoutSeconds="1h"), ["spec.pendingTimeoutSeconds", "must be of type integer"]),
        (a_job_with(priority=2**40), ["spec.priority", "less than or equal to 1000000000"]),
        (a_job_with(tags={f"k{n}": "v" for n in range(200)}), ["spec.tags: Too many", "at most 32"]),
        (a_job_with(tags={"scope": "everybody"}), ["spec.tags", "the tag 'scope' is reserved"]),
        (a_job_with(tags={"owner": "me"}), ["spec.tags", "the tag 'owner' is reserved"]),
        (a_job_with(tags={"size": 3}), ["spec.tags.size", "must be of type string"]),
        (
            a_job_with(source={"inline": {"files": {"main.tf": TWO_MEGABYTES}}}),
            ["spec.source.inline.files.main.tf: Too long"],
        ),
        (a_job_with(source={"inline": {"files": {}}}), ["spec.source.inline.files", "at least 1"]),
        (a_job_with(source={"oci": {"url": "x"}}), ['unknown field "spec.source.oci"']),
        (a_job_with(source={"git": {}}), ["spec.source.git.url: Required value"]),
        (
            a_job_with(source={"git": {"url": GIT_URL, "ref": "--upload-pack=x"}}),
            ["spec.source.git.ref", "git check-ref-format"],
        ),
        (a_job_with(source={"git": {"url": GIT_URL, "commit": "v1"}}), ["spec.source.git.commit", "should match"]),
        (a_job_with(timeout=5), ['unknown field "spec.timeout"']),
        (a_job_with(workspaceRef={"name": "Dev Space"}), ["spec.workspaceRef.name", "should match"]),
        (a_job_with(workspaceRef={"name": "w" * 54}), ["spec.workspaceRef.name: Too long"]),
        (a_job_with(variables=[{"name": "1st", "value": ""}]), ["spec.variables[0].name", "should match"]),
        (a_job_with(variables=[{"name": "a", "value": ""}] * 2), ["spec.variables[1]: Duplicate value"]),
        (a_daemon_manifest(capacity=0), ["spec.capacity", "greater than or equal to 1"]),
        (a_daemon_manifest(provisioners=[]), ["spec.provisioners", "at least 1"]),
        (a_daemon_manifest(provisioners=["echo", "echo"]), ["spec.provisioners[1]: Duplicate value"]),
        (a_daemon_manifest(lostAfterSeconds=1), ["spec.lostAfterSeconds", "greater than or equal to 10"]),
        (a_daemon_manifest(tags={f"k{n}": "v" for n in range(200)}), ["spec.tags: Too many"]),
        (a_daemon_manifest(cordon=True), ['unknown field "spec.cordon"']),
        (a_pool_manifest(replicas=-1), ["spec.replicas", "greater than or equal to 0"]),
        (a_pool_manifest(replicas=1001), ["spec.replicas", "less than or equal to 1000"]),
        (a_pool_manifest(maxSurge=0), ["spec.maxSurge", "greater than or equal to 1"]),
        (a_pool_manifest(autoscaling={}), ["spec.autoscaling.maxReplicas: Required value"]),
        (
            a_pool_manifest(autoscaling={"maxReplicas": 0}),
            ["spec.autoscaling.maxReplicas", "greater than or equal to 1"],
        ),
        (a_pool_manifest(autoscaling={"maxReplicas": 1, "target": 5}), ['unknown field "spec.autoscaling.target"']),
        (a_pool_manifest(image="daemon"), ['unknown field "spec.image"']),
        (a_pool_with(hostNetwork=True), ['unknown field "spec.template.hostNetwork"']),
        (a_pool_with(image="two words"), ["spec.template.image", "should match"]),
        (
            a_pool_with(resources={"requests": {"cpu": "a lot"}}),
            ["spec.template.resources.requests.cpu", "should match"],
        ),
        (a_pool_with(env=[{"name": "1ST"}]), ["spec.template.env[0].name", "should match"]),
        (a_pool_with(env=[{"name": "A"}] * 2), ["spec.template.env[1]: Duplicate value"]),
        (
            a_pool_with(tolerations=[{"key": "gpu", "effect": "Never"}]),
            ['spec.template.tolerations[0].effect: Unsupported value: "Never"', '"NoSchedule"'],
        ),
        (a_pool_with(podLabels={"team": "not a label"}), ["spec.template.podLabels.team", "should match"]),
    ],
    ids=lambda value: str(value)[:70],
)
def test_bad_input_is_refused_at_the_field(manifest: Manifest, fragments: list[str], kubectl: Kubectl) -> None:
    refusal = kubectl.api.create(manifest, dry_run=True).refusal

    assert all(fragment in refusal for fragment in fragments), refusal[:2000]
    assert TWO_MEGABYTES not in refusal


def test_a_job_without_a_spec_is_refused(kubectl: Kubectl) -> None:
    bare = {field: value for field, value in a_job_manifest().items() if field != "spec"}

    assert "spec: Required value" in kubectl.api.create(bare, dry_run=True).refusal


def test_a_status_given_at_creation_is_ignored(kubectl: Kubectl) -> None:
    forged = a_job_manifest() | {"status": {"phase": "Completed", "finishedAt": "2026-01-01T00:00:00Z"}}

    assert kubectl.create(forged, dry_run=True)["status"]["phase"] == "Pending"


@pytest.mark.parametrize(
    "unreadable",
    [
        "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:60Z",
        "2026-02-30T00:00:00Z",
    ],
)
def test_a_daemon_reports_no_time_that_cannot_be_read(kubectl: Kubectl, unreadable: str) -> None:
    kubectl.apply(a_daemon_manifest("timed"))
    good = "2026-01-01T00:00:00.123456+02:00"

    def refusal(heartbeat: str = good, start: str = good, change: str = good) -> str:
        job = {"name": "job", "uid": "1", "startedAt": start}
        condition = {"type": "Ready", "status": "True", "reason": "Reported", "lastTransitionTime": change}
        status = {"state": "Busy", "lastHeartbeatTime": heartbeat, "currentJobs": [job], "conditions": [condition]}
        return kubectl.api.patch(DAEMONS, "timed", {"status": status}, subresource="status", dry_run=True).refusal

    assert "status.lastHeartbeatTime" in refusal(heartbeat=unreadable)
    assert "status.currentJobs[0].startedAt" in refusal(start=unreadable)
    assert "status.conditions[0].lastTransitionTime" in refusal(change=unreadable)
    assert refusal() == ""
