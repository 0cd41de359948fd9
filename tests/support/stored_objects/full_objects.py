"""One object of each kind with every field of its spec and its status set, or two where fields exclude each other.

Written into each snapshot. A test requires that no field of the definitions is missing here.
"""

from collections.abc import Iterator
from typing import Any

from integration.api.accepted import A_TEMPLATE
from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_queue_manifest,
    a_template_manifest,
    a_workspace_manifest,
    an_assignment,
)
from support.manifests import Manifest

_TIME = "2026-01-01T00:00:00Z"
_DIGEST = "0123456789abcdef" * 4
_SECRET = {"secretKeyRef": {"name": "secret", "key": "key"}}
_GIT = {
    "url": "https://git.example.com/team/templates.git",
    "ref": "main",
    "commit": "0123456789" * 4,
    "path": "machines",
    "secretRef": {"name": "login"},
}
_STATE = {
    "backend": "Template",
    "backendConfig": [
        {"name": "address", "value": "https://states.example.com/$(provisioner_workspace)"},
        {"name": "password", "valueFrom": _SECRET},
    ],
}
_INPUTS: Manifest = {
    "tags": {"environment": "on-prem"},
    "source": {"git": _GIT},
    "provisioner": "terraform",
    "variables": [{"name": "region", "value": "us"}, {"name": "token", "valueFrom": _SECRET}],
    "variablesFrom": [{"secretRef": {"name": "cloud"}}],
    "moduleCredentials": [{"host": "modules.example.com", "secretRef": {"name": "modules"}}],
    "state": _STATE,
    "terraformVersion": ">= 1.9, < 2",
    "parallelism": 4,
    "priority": 5,
    "pendingTimeoutSeconds": 600,
    "activeDeadlineSeconds": 3600,
    "stallTimeoutSeconds": 900,
}
_CONDITION = {
    "type": "Ready",
    "status": "True",
    "reason": "Done",
    "message": "It is done.",
    "lastTransitionTime": _TIME,
    "observedGeneration": 1,
}
_STATUS: Manifest = {"observedGeneration": 1, "conditions": [_CONDITION]}
_OUTPUTS = [{"name": "address", "value": "192.0.2.1"}]
_RESOURCES = [{"address": "example_machine.dev", "type": "example_machine", "action": "create"}]
_VARIABLES = [{"name": "region", "type": "string", "required": True, "sensitive": False, "description": "A region."}]


def full_objects() -> Iterator[Manifest]:
    """The objects, without the API server's own metadata."""
    yield from _jobs()
    yield from _workspaces()
    yield from _sources()
    yield from _templates()
    yield from _pools()
    yield _queue()
    yield _daemon()


def _jobs() -> Iterator[Manifest]:
    spec = _INPUTS | {
        "workspaceRef": {"name": "dev", "uid": "uid-of-dev", "buildNumber": 7, "change": _DIGEST, "owner": "sam"},
        "templateRef": {"name": "machine", "uid": "uid-of-machine", "version": "machine-1"},
        "initiator": "sam",
        "suspend": False,
        "cancel": True,
        "ownerMayCancel": True,
        "cancelReason": "stuck",
        "cancelMode": "Force",
        "canceledBy": "ada",
        "ttlSecondsAfterFinished": 60,
    }
    status = _STATUS | {
        "phase": str(Phase.COMPLETED),
        "reason": "Completed",
        "message": "It completed.",
        "assignment": an_assignment(podUID="uid-of-pod", instance="one"),
        "startedAt": _TIME,
        "finishedAt": _TIME,
        "suspendedSeconds": 3,
        "stage": "apply",
        "timings": [{"stage": "apply", "startedAt": _TIME, "finishedAt": _TIME}],
        "outputs": _OUTPUTS,
        "resources": _RESOURCES,
        "variables": _VARIABLES,
        "commit": _GIT["commit"],
        "log": {"configMap": "full-log", "bytes": 7, "truncated": True},
    }
    yield _with_status(a_job_manifest("full", **spec, planRef={"job": "full-plan", "digest": _DIGEST}), status)
    plan = a_job_manifest("full-plan", type="WorkspacePlan", keepPlan=True)
    yield _with_status(plan, status | {"planDigest": _DIGEST, "outputs": []})
    pending = {"phase": str(Phase.PENDING), "reason": "Suspended", "message": "It waits.", "suspendedAt": _TIME}
    yield _with_status(a_job_manifest("full-suspended", suspend=True), _STATUS | pending)


def _workspaces() -> Iterator[Manifest]:
    spec = {
        "templateRef": {"name": "machine", "version": "machine-1"},
        "owner": "sam",
        "initiator": "ada",
        "parameters": [{"name": "size", "value": "8"}, {"name": "notes", "value": "x" * 4096}],
        "tags": {"environment": "on-prem"},
        "running": True,
        "autostopSeconds": 3600,
        "rebuildGeneration": 1,
        "updatePolicy": "OnStart",
        "deletionPolicy": "Orphan",
        "approval": "Required",
        "approved": _DIGEST,
        "approvalTimeoutSeconds": 3600,
        "driftCheckSeconds": 3600,
    }
    step = {
        "number": 7,
        "job": "dev-7",
        "transition": "Start",
        "version": "machine-1",
        "change": _DIGEST,
        "phase": str(Phase.COMPLETED),
        "reason": "Completed",
        "message": "It completed.",
        "finishedAt": _TIME,
    }
    build = step | {"startedAt": _TIME}
    status = _STATUS | {
        "phase": "Running",
        "buildNumber": 7,
        "latestBuild": build,
        "lastRun": build,
        "completedBuild": 7,
        "plan": step | {"digest": _DIGEST},
        "version": "machine-1",
        "parameters": spec["parameters"],
        "stopsAt": _TIME,
        "outputs": _OUTPUTS,
        "resources": _RESOURCES,
        "drift": {"checkedAt": _TIME, "buildNumber": 7, "job": "dev-drift", "resources": _RESOURCES},
    }
    yield _with_status(a_workspace_manifest("full", **spec), status)


def _sources() -> Iterator[Manifest]:
    """Jobs and templates whose files come from elsewhere: a source is one of three."""
    for source in ({"inline": {"files": {"main.tf": ""}}}, {"configMapRef": {"name": "files"}}):
        (name,) = source
        yield a_job_manifest(f"full-{name.lower()}", source=source)
        yield a_template_manifest(f"full-{name.lower()}", source=source)


def _templates() -> Iterator[Manifest]:
    options = [{"name": "Small", "value": "1", "description": "A small one."}, {"name": "Large", "value": "8"}]
    validation = {"regex": "^us", "error": "A region begins with us."}
    parameters: list[Manifest] = [
        {"name": "region", "type": "string", "default": "us", "mutable": False, "validation": validation},
        {
            "name": "size",
            "displayName": "Size",
            "description": "CPUs.",
            "type": "number",
            "default": "1",
            "mutable": True,
            "options": options,
            "validation": {"min": 1, "max": 8},
        },
    ]
    spec = _INPUTS | {
        "displayName": "Machine",
        "description": "A machine.",
        "icon": "/machine.svg",
        "importGeneration": 1,
        "parameters": parameters,
        "allowUserCancel": False,
        "retention": {"jobSeconds": 60, "versionSeconds": 600},
    }
    recorded = [
        {
            **{field: each[field] for field in ("name", "type", "default", "mutable", "validation")},
            "options": [{"value": option["value"]} for option in each.get("options", ())],
        }
        for each in parameters
    ]
    version = {
        "name": "machine-1",
        "phase": "Ready",
        "importJob": "machine-1",
        "message": "It is ready.",
        "createdAt": _TIME,
        "supersededAt": _TIME,
        "provisioner": "terraform",
        "git": _GIT,
        "files": True,
        "parameters": recorded,
        "variables": spec["variables"],
        "state": _STATE,
    }
    status = _STATUS | {
        "activeVersion": "machine-1",
        "versions": [version],
        "variables": _VARIABLES,
        "resources": _RESOURCES,
        "workspaces": 1,
    }
    yield _with_status(a_template_manifest("full", **spec), status)


def _pools() -> Iterator[Manifest]:
    expression = {"key": "disk", "operator": "In", "values": ["fast"]}
    node = {"matchExpressions": [expression], "matchFields": [expression | {"key": "metadata.name"}]}
    selector = {"matchLabels": {"app": "cache"}, "matchExpressions": [expression]}
    term = {
        "labelSelector": selector,
        "namespaceSelector": selector,
        "namespaces": ["acme"],
        "topologyKey": "kubernetes.io/hostname",
    }
    pods = {
        "requiredDuringSchedulingIgnoredDuringExecution": [term],
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}],
    }
    nodes = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [node]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": node}],
    }
    items = [{"key": "a", "path": "b/c", "mode": 256}]
    files = {"items": items, "defaultMode": 288, "optional": True}
    projected = {"name": "settings", "items": items, "optional": True}
    [spread] = A_TEMPLATE["topologySpreadConstraints"]
    template = A_TEMPLATE | {
        "serviceAccountName": "daemon",
        "env": [
            *A_TEMPLATE["env"],
            {"name": "URL", "valueFrom": {"configMapKeyRef": {"name": "proxy", "key": "url", "optional": True}}},
        ],
        "envFrom": [*A_TEMPLATE["envFrom"], {"configMapRef": {"name": "settings", "optional": True}}],
        "volumes": [
            *A_TEMPLATE["volumes"],
            {"name": "secret", "secret": {"secretName": "aws", **files}},
            {"name": "config", "configMap": {"name": "settings", **files}},
            {
                "name": "both",
                "projected": {"sources": [{"secret": projected}, {"configMap": projected}], "defaultMode": 288},
            },
        ],
        "affinity": {"nodeAffinity": nodes, "podAffinity": pods, "podAntiAffinity": pods},
        "topologySpreadConstraints": [spread | {"labelSelector": selector}],
    }
    spec = {
        "tags": {"environment": "on-prem"},
        "provisioners": ["terraform", "echo"],
        "capacity": 2,
        "lostAfterSeconds": 60,
        "cancelGraceSeconds": 30,
        "maxSurge": 1,
        "template": template,
    }
    scaling = {"minReplicas": 1, "maxReplicas": 9, "targetWaitSeconds": 60, "scaleDownDelaySeconds": 300}
    counts = ("replicas", "desiredReplicas", "updatedReplicas", "idle", "busy", "queued", "meanRunSeconds")
    status = _STATUS | dict.fromkeys(counts, 1) | {"selector": "provisioner.dev/pool=full", "startSeconds": [20, 35]}
    yield _with_status(a_pool_manifest("full", **spec, autoscaling=scaling), status)
    yield _with_status(a_pool_manifest("full-fixed", **spec, replicas=1), status)


def _queue() -> Manifest:
    match = {"template": "machine", "transition": "Start", "initiator": "sam", "tags": {"disk": "fast"}}
    spec: dict[str, Any] = {
        "fairness": {
            "by": "Label",
            "label": "team",
            "weights": [{"name": "red", "weight": 4}, {"name": "*", "weight": 1}],
            "halfLifeSeconds": 600,
        },
        "limits": [{"name": "each", "match": match, "per": "Label", "label": "team", "maxRunning": 2}],
        "backgroundReasons": ["Autostop", "Drift"],
        "history": {"completed": 20, "failed": 100, "perWorkspace": 10},
    }
    status = {
        "pending": 1,
        "running": 1,
        "groups": [{"name": "red", "running": 1, "pending": 1, "share": 100, "waitedSeconds": 5}],
        "limits": [{"name": "each", "running": 1, "blocked": 1}],
    }
    return _with_status(a_queue_manifest(**spec), _STATUS | status)


def _daemon() -> Manifest:
    spec = {
        "tags": {"environment": "on-prem"},
        "provisioners": ["terraform"],
        "capacity": 2,
        "cordoned": True,
        "lostAfterSeconds": 60,
        "cancelGraceSeconds": 30,
    }
    unsaved = {"workspace": "dev", "job": "dev-6", "jobUID": "uid-of-dev-6", "since": _TIME, "message": "Refused."}
    status = {
        "state": "Draining",
        "instance": "one",
        "lastHeartbeatTime": _TIME,
        "idleHeartbeatSeconds": 60,
        "version": "0.1.0",
        "tags": "environment=on-prem",
        "lostAfterSeconds": 60,
        "currentJobs": [{"name": "dev-7", "uid": "uid-of-dev-7", "workspace": "dev", "startedAt": _TIME}],
        "jobs": "dev-7",
        "unsavedStates": [unsaved],
        "conditions": [_CONDITION],
    }
    counts = ("completedJobs", "failedJobs", "canceledJobs", "consecutiveFailures")
    return _with_status(a_daemon_manifest("full", **spec), status | dict.fromkeys(counts, 1))


def _with_status(manifest: Manifest, status: dict[str, Any]) -> Manifest:
    return manifest | {"status": status}
