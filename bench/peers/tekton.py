"""Tekton Pipelines: TaskRuns of one step, whose Pods are never scheduled.

A TaskRun is accepted when its Pod is created. Its image and command are given, so that no registry is asked for them; what its
webhook would add at creation is written by the bench.
"""

from __future__ import annotations

from bench.arena import UNLIMITED
from bench.peers.peer import Peer, peer_module
from bench.stopwatch import Sign
from bench.subjects import NAME
from provisioner_operator.kube import paths

_NAMESPACE = "tekton"
_SYSTEM = "tekton-pipelines"
_VERSION = "tekton.dev/v1"
_COLLECTION = f"/apis/{_VERSION}/namespaces/{_NAMESPACE}/taskruns"
_IMAGES = ("entrypoint", "nop", "sidecarlogresults", "workingdirinit", "shell")

_STEP = {"name": "main", "image": "none", "command": ["true"], "computeResources": {}}
_TASK_RUN = {
    "apiVersion": _VERSION,
    "kind": "TaskRun",
    "metadata": {"name": NAME, "labels": {"app.kubernetes.io/managed-by": "tekton-pipelines"}},
    "spec": {"serviceAccountName": "default", "timeout": "1h0m0s", "taskSpec": {"steps": [_STEP]}},
}

TEKTON = Peer(
    name="Tekton",
    namespace=_NAMESPACE,
    module=peer_module("tekton", "github.com/tektoncd/pipeline/cmd/controller"),
    source="github.com/tektoncd/pipeline",
    manifests=(
        "config/300-crds/*.yaml",
        "config/100-namespace/*.yaml",
        "config/config-*.yaml",
    ),
    arguments=(
        "--kubeconfig={kubeconfig}",
        "--disable-ha",
        f"--kube-api-qps={UNLIMITED}",
        f"--kube-api-burst={UNLIMITED}",
        *(f"--{image}-image=none" for image in _IMAGES),
        "--shell-image-win=none",
    ),
    environment={
        "SYSTEM_NAMESPACE": _SYSTEM,
        "KUBERNETES_MIN_VERSION": "v1.28.0",
        "CONFIG_DEFAULTS_NAME": "config-defaults",
        "CONFIG_LOGGING_NAME": "config-logging",
        "CONFIG_OBSERVABILITY_NAME": "config-observability",
        "CONFIG_FEATURE_FLAGS_NAME": "feature-flags",
        "CONFIG_LEADERELECTION_NAME": "config-leader-election-controller",
        "CONFIG_SPIRE": "config-spire",
        "METRICS_DOMAIN": "tekton.dev/pipeline",
        "PROBES_PORT": "{port}",
        "METRICS_PROMETHEUS_HOST": "127.0.0.1",
        "METRICS_PROMETHEUS_PORT": "{port}",
    },
    collection=_COLLECTION,
    job=_TASK_RUN,
    accepted=Sign(paths.pods(_NAMESPACE), "metadata.name", 'metadata.labels."tekton.dev/taskRun"'),
    cancel={"spec": {"status": "TaskRunCancelled"}},
    canceled=Sign(_COLLECTION, "status.conditions[?type=='Succeeded' && reason=='TaskRunCancelled'] | [0]"),
)
