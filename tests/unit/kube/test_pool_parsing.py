"""Parsing of pools and their Pods, as the API server returns them."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, Provisioner
from provisioner_operator.core.model.matching import effective_tags
from provisioner_operator.core.pools.members import PodEnd, Trouble
from provisioner_operator.core.pools.records import Autoscaling, PodTemplate, PoolStatus
from provisioner_operator.kube.parsing import UnparseableObjectError
from provisioner_operator.kube.pool_parsing import parse_pool, parse_pool_pod
from support.manifests import Manifest

NOON = "2026-01-01T12:00:00Z"
NOON_SECONDS = 1_767_268_800.0


def a_body(spec: Manifest, **more: Any) -> Manifest:
    metadata = {
        "name": "pool",
        "namespace": "acme",
        "uid": "1",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": NOON,
    }
    return {"metadata": metadata | more.pop("metadata", {}), "spec": spec} | more


def a_pod_body(metadata: Manifest | None = None, **status: Any) -> Manifest:
    made = {
        "name": "pool-x7k2p",
        "namespace": "acme",
        "uid": "2",
        "creationTimestamp": NOON,
        "labels": {"provisioner.dev/pool-revision": "abc"},
        "ownerReferences": [{"kind": "ProvisionerPool", "uid": "1", "controller": True}],
    }
    return {"metadata": made | (metadata or {}), "status": {"phase": "Running"} | status}


def in_state(**state: Any) -> Manifest:
    return {"containerStatuses": [{"name": "daemon", "state": state}]}


def test_a_bare_pool_has_the_defaults_of_the_api() -> None:
    pool = parse_pool(a_body({}))

    assert (pool.display_name, pool.resource_version, pool.generation) == ("acme/pool", 7, 3)
    assert (pool.replicas, pool.autoscaling, pool.max_surge) == (1, None, 1)
    assert pool.supply.provisioners == {Provisioner.TERRAFORM}
    assert pool.template == PodTemplate()
    assert (pool.finalizers, pool.deleting, pool.status) == ((), False, PoolStatus(conditions=pool.status.conditions))
    assert [(each.type, each.status) for each in pool.status.conditions] == [("Ready", "Unknown")]


def test_all_that_a_pool_says_is_read() -> None:
    spec = {
        "tags": {"environment": "on-prem", "datacenter": "chicago"},
        "provisioners": ["echo"],
        "capacity": 2,
        "lostAfterSeconds": 60,
        "cancelGraceSeconds": 10,
        "autoscaling": {"maxReplicas": 9, "minReplicas": 2, "targetWaitSeconds": 30, "scaleDownDelaySeconds": 0},
        "maxSurge": 4,
        "template": {
            "image": "daemon:1",
            "resources": {"requests": {"cpu": 1, "memory": "1Gi"}},
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"name": "B", "value": ""},
            ],
            "envFrom": [
                {"secretRef": {"name": "s"}},
                {"prefix": "P_", "configMapRef": {"name": "c", "optional": True}},
            ],
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "nodeSelector": {"disk": "fast"},
            "passEnv": ["AWS_*"],
            "volumes": [
                {
                    "name": "token",
                    "projected": {"sources": [{"serviceAccountToken": {"audience": "sts", "path": "t"}}]},
                },
                {"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": 7}},
            ],
            "volumeMounts": [{"name": "token", "mountPath": "/t"}],
            "imagePullSecrets": [{"name": "registry"}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
                    }
                }
            },
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}],
            "priorityClassName": "high",
            "runtimeClassName": "gvisor",
            "podLabels": {"team": "a"},
            "podAnnotations": {"note": "b"},
            "serviceAccountName": "cloudy",
            "terminationGracePeriodSeconds": 60,
        },
    }
    pool = parse_pool(a_body(spec))

    assert pool.tags == (("datacenter", "chicago"), ("environment", "on-prem"))
    assert pool.supply.tags == effective_tags({"environment": "on-prem", "datacenter": "chicago"})
    assert (pool.capacity, pool.lost_after, pool.cancel_grace, pool.max_surge) == (2, 60, 10, 4)
    assert pool.autoscaling == Autoscaling(max_replicas=9, min_replicas=2, target_wait=30, scale_down_delay=0)
    assert pool.template == PodTemplate(
        image="daemon:1",
        service_account="cloudy",
        termination_grace=60,
        resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {}},
        env=(
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}},
            {"name": "B", "value": ""},
        ),
        env_from=(
            {"secretRef": {"name": "s", "optional": False}},
            {"prefix": "P_", "configMapRef": {"name": "c", "optional": True}},
        ),
        pass_env=("AWS_*",),
        volumes=(
            {
                "name": "token",
                "projected": {
                    "sources": [{"serviceAccountToken": {"audience": "sts", "expirationSeconds": 3600, "path": "t"}}]
                },
            },
            {"name": "cache", "persistentVolumeClaim": {"claimName": "cache", "readOnly": False}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "7"}},
        ),
        volume_mounts=({"name": "token", "mountPath": "/t", "readOnly": False},),
        image_pull_secrets=({"name": "registry"},),
        affinity={
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}], "matchFields": []}
                    ]
                },
                "preferredDuringSchedulingIgnoredDuringExecution": [],
            }
        },
        topology_spread=({"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"},),
        priority_class="high",
        runtime_class="gvisor",
        node_selector={"disk": "fast"},
        tolerations=({"key": "gpu", "operator": "Exists"},),
        labels={"team": "a"},
        annotations={"note": "b"},
    )


def test_a_pool_that_is_being_deleted_says_so() -> None:
    gone = {"deletionTimestamp": NOON, "finalizers": ["provisioner.dev/drain"]}
    pool = parse_pool(a_body({}, metadata=gone))

    assert (pool.deleting, pool.finalizers) == (True, ("provisioner.dev/drain",))


def test_what_the_status_says_is_remembered() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "DaemonsReady", "message": "m", "lastTransitionTime": NOON}
    status = parse_pool(a_body({}, status={"replicas": 2, "meanRunSeconds": 40, "conditions": [ready]})).status

    assert (status.replicas, status.mean_run_seconds) == (2, 40)
    assert [(each.type, each.status, each.since) for each in status.conditions] == [
        ("Ready", ConditionStatus.TRUE, NOON_SECONDS)
    ]


def test_a_pool_that_does_not_fit_is_refused_with_the_field() -> None:
    with pytest.raises(UnparseableObjectError, match=r"spec\.replicas"):
        parse_pool(a_body({"replicas": "many"}))


def test_a_pod_is_read_with_its_revision_and_its_pool() -> None:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": NOON}
    pod = parse_pool_pod(a_pod_body(conditions=[ready], **in_state(running={"startedAt": NOON})))

    assert pod is not None
    assert (pod.name, pod.uid, pod.pool_uid, pod.revision) == ("pool-x7k2p", "2", "1", "abc")
    assert (pod.created, pod.ready_since) == (NOON_SECONDS, NOON_SECONDS)
    assert (pod.deleting, pod.end, pod.trouble) == (False, None, None)


def test_a_pod_that_is_ready_without_a_time_was_so_from_its_creation() -> None:
    pod = parse_pool_pod(a_pod_body(conditions=[{"type": "Ready", "status": "True"}]))

    assert pod is not None
    assert pod.ready_since == NOON_SECONDS


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"provisioner.dev/pool": "pool"}},
        {"ownerReferences": []},
        {"ownerReferences": [{"kind": "ProvisionerPool", "uid": "1"}]},
    ],
    ids=str,
)
def test_a_pod_that_no_pool_made_is_none_of_its(metadata: Manifest) -> None:
    assert parse_pool_pod(a_pod_body(metadata)) is None


def test_a_pod_that_was_told_to_end_says_so() -> None:
    pod = parse_pool_pod(a_pod_body({"deletionTimestamp": NOON}))

    assert pod is not None
    assert pod.deleting


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes fit"}


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        ({}, None),
        (in_state(waiting={"reason": "ContainerCreating"}), None),
        (in_state(waiting={"reason": "PodInitializing"}), None),
        ({"conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}]}, None),
        (
            in_state(waiting={"reason": "ErrImagePull", "message": "no such image"}),
            Trouble("ErrImagePull", "ErrImagePull: no such image"),
        ),
        (in_state(waiting={"reason": "CreateContainerConfigError"}), Trouble(*2 * ("CreateContainerConfigError",))),
        (in_state(waiting={}), None),
        ({"conditions": [{"type": "PodScheduled", "status": "False"}]}, Trouble("Unschedulable", "Unschedulable")),
        ({"conditions": [UNSCHEDULABLE]}, Trouble("Unschedulable", "Unschedulable: 0/3 nodes fit")),
    ],
    ids=str,
)
def test_what_keeps_a_pod_from_starting_is_reported_in_kubelets_words(
    status: Manifest, trouble: Trouble | None
) -> None:
    pod = parse_pool_pod(a_pod_body(**{**status, "phase": "Pending"}))

    assert pod is not None
    assert pod.trouble == trouble


def terminated(code: int, reason: str, **fields: Any) -> Manifest:
    times = {"startedAt": NOON, "finishedAt": "2026-01-01T12:01:30Z"}
    return in_state(terminated={"exitCode": code, "reason": reason} | times | fields)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (
            {"phase": "Failed"} | terminated(137, "OOMKilled"),
            PodEnd(
                failed=True,
                finished=NOON_SECONDS + 90,
                ran=90,
                trouble=Trouble("OOMKilled", "OOMKilled: exit code 137"),
            ),
        ),
        (
            {"phase": "Failed"} | terminated(1, "Error", message="not allowed to register\n"),
            PodEnd(
                failed=True,
                finished=NOON_SECONDS + 90,
                ran=90,
                trouble=Trouble("Error", "Error: not allowed to register, exit code 1"),
            ),
        ),
        (
            {"phase": "Succeeded"} | terminated(0, "Completed"),
            PodEnd(failed=False, finished=NOON_SECONDS + 90, ran=90, trouble=Trouble("Completed", "Completed")),
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory"},
            PodEnd(failed=True, finished=NOON_SECONDS, ran=0, trouble=Trouble("Evicted", "Evicted: low on memory")),
        ),
        (
            {"phase": "Failed"},
            PodEnd(failed=True, finished=NOON_SECONDS, ran=0, trouble=Trouble("PodFailed", "PodFailed")),
        ),
        (
            # Clocks of nodes may differ.
            {"phase": "Succeeded"} | terminated(0, "Completed", finishedAt="2026-01-01T11:00:00Z"),
            PodEnd(failed=False, finished=NOON_SECONDS - 3600, ran=0, trouble=Trouble("Completed", "Completed")),
        ),
        (
            {"phase": "Failed"} | in_state(terminated={"exitCode": 1, "finishedAt": "2026-01-01T12:01:30Z"}),
            PodEnd(
                failed=True,
                finished=NOON_SECONDS + 90,
                ran=90,
                trouble=Trouble("PodFailed", "PodFailed: exit code 1"),
            ),
        ),
        (terminated(1, "Error"), None),
    ],
    ids=str,
)
def test_how_a_pod_ended_is_reported_in_kubelets_words(status: Manifest, end: PodEnd | None) -> None:
    pod = parse_pool_pod(a_pod_body(**status))

    assert pod is not None
    assert pod.end == end


@pytest.mark.parametrize(("code", "failed"), [(137, True), (0, False)])
def test_a_pod_whose_daemon_ended_has_ended_though_a_sidecar_runs_on(code: int, *, failed: bool) -> None:
    body = a_pod_body(**terminated(code, "Error"))
    body["status"]["containerStatuses"].append({"name": "istio-proxy", "state": {"running": {}}})
    body["spec"] = {"restartPolicy": "Never"}

    pod = parse_pool_pod(body)

    assert pod is not None
    assert pod.end is not None
    assert (pod.end.failed, pod.end.ran) == (failed, 90)


def test_a_pod_whose_sidecar_alone_ended_runs_on() -> None:
    body = a_pod_body(**terminated(137, "Error"))
    (daemon,) = body["status"]["containerStatuses"]
    body["status"]["containerStatuses"] = [{**daemon, "state": {"running": {}}}, {**daemon, "name": "istio-proxy"}]
    body["spec"] = {"restartPolicy": "Never"}

    pod = parse_pool_pod(body)

    assert pod is not None
    assert pod.end is None


def test_long_foreign_words_are_cut() -> None:
    pod = parse_pool_pod(a_pod_body(**in_state(waiting={"reason": "ErrImagePull", "message": "x" * 100_000})))

    assert pod is not None
    assert pod.trouble is not None
    assert len(pod.trouble.message) == 2048


def test_a_pod_that_does_not_fit_is_refused_with_the_field() -> None:
    with pytest.raises(UnparseableObjectError, match=r"metadata\.uid"):
        parse_pool_pod({"metadata": {"name": "pod", "namespace": "acme", "creationTimestamp": NOON}})
