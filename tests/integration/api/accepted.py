"""Objects that the rules of the CRDs allow, up to their bounds."""

from typing import Any

from integration.api.violations.row import FRESH, NEVER_STARTED, UNSTAMPED
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
    an_assignment,
)
from support.git_refs import ALLOWED
from support.manifests import Manifest

A_TEMPLATE: Manifest = {
    "image": "registry.example.com/provisioner-operator@sha256:0123",
    "resources": {
        "requests": {"cpu": 1, "memory": "256Mi", "example.com/gpu": "1"},
        "limits": {"memory": "1.5Gi", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1e9"},
    },
    "env": [
        {"name": "PLAIN", "value": ""},
        {"name": "BARE"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token", "optional": True}}},
        {"name": "SETTING", "valueFrom": {"configMapKeyRef": {"name": "proxy", "key": "url"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    "envFrom": [
        {"secretRef": {"name": "cloud", "optional": True}},
        {"prefix": "TF_VAR_", "configMapRef": {"name": "settings"}},
    ],
    "passEnv": ["AWS_*", "AZURE_CLIENT_ID", "KUBE_*", "KUBE_CONFIG_PATH"],
    "volumes": [
        {"name": "tmp", "emptyDir": {"sizeLimit": "90Gi"}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": 1024}},
        {
            "name": "aws",
            "secret": {"secretName": "aws", "items": [{"key": "a", "path": "b/c", "mode": 256}], "defaultMode": 288},
        },
        {"name": "settings", "configMap": {"name": "settings", "optional": True}},
        {"name": "cache", "persistentVolumeClaim": {"claimName": "cache", "readOnly": True}},
        {
            "name": "tokens",
            "projected": {
                "sources": [
                    {
                        "serviceAccountToken": {
                            "audience": "sts.amazonaws.com",
                            "expirationSeconds": 600,
                            "path": "token",
                        }
                    },
                    {"secret": {"name": "aws"}},
                    {"configMap": {"name": "settings"}},
                ]
            },
        },
    ],
    "volumeMounts": [
        {"name": "tokens", "mountPath": "/var/run/secrets/aws", "readOnly": True},
        {"name": "aws", "mountPath": "/tmp/aws", "subPath": "b/c"},
        {"name": "memory", "mountPath": "/.hidden"},
        *({"name": name, "mountPath": f"/{name}"} for name in ("settings", "cache")),
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {
                        "matchExpressions": [{"key": "cpus", "operator": "Gt", "values": ["4"]}],
                        "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["old"]}],
                    }
                ]
            },
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
            ],
        },
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {
                        "labelSelector": {"matchLabels": {"provisioner.dev/pool": "pool"}},
                        "topologyKey": "kubernetes.io/hostname",
                    },
                }
            ]
        },
    },
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "minDomains": 2,
        }
    ],
    "priorityClassName": "high",
    "runtimeClassName": "gvisor",
    "nodeSelector": {"kubernetes.io/os": "linux", "pool": ""},
    "tolerations": [
        {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
        {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
    "podLabels": {"azure.workload.identity/use": "true"},
    "podAnnotations": {"prometheus.io/scrape": "true"},
    "terminationGracePeriodSeconds": 60,
}
"""A pool's template with every field set."""
_BUILDERS = (a_job_manifest, a_daemon_manifest, a_pool_manifest, a_template_manifest, a_workspace_manifest)


def _pool(**template: Any) -> Manifest:
    return a_pool_manifest(template=template)


def _parameter(**parameter: Any) -> Manifest:
    return a_template_manifest(parameters=[{"name": "size"} | parameter])


def _options(*values: str) -> list[Manifest]:
    return [{"name": value, "value": value} for value in values]


TAGS = tuple(
    build(tags=tags)
    for build in _BUILDERS
    for tags in (
        {"scope": "organization", "owner": ""},
        {"scope": "user", "owner": "somebody@example.com"},
        {"owner": ""},
        {"k" * 63: "Any value: at all", "zone_1": "x"},
        {f"key-{number}": "x" * 253 for number in range(32)},
    )
)
_GIT_URL = "https://git.example.com:8443/team/templates.git"
_FULL_GIT = {
    "url": "http://git.example.com/a",
    "ref": "refs/heads/feature/x-1.2",
    "commit": "0123456789" * 4,
    "path": "environments/.hidden/dev",
    "secretRef": {"name": "login"},
}
_SECRET = {"secretKeyRef": {"name": "secret", "key": "key"}}
_INPUTS: tuple[Manifest, ...] = (
    {"source": {"inline": {"files": {"main.tf": "", ".terraform.lock.hcl": ""}}}},
    {"source": {"inline": {"files": {"f" * 253: ""}}}},
    {"source": {"inline": {"files": {".a/b..c/...": "", "modules/a/main.tf": ""}}}},
    {"source": {"inline": {"files": {f"{'f/' * 125}{number:03}": "" for number in range(64)}}}},
    {"source": {"inline": {"files": {"a.tf": "x" * 262_144, "b.tf": "x" * 262_144}}}},
    {"source": {"configMapRef": {"name": "files"}}, "provisioner": "terraform"},
    {"source": {"git": {"url": _GIT_URL}}},
    {"source": {"git": {"url": _GIT_URL, "ref": "v1.0", "path": "."}}},
    *({"source": {"git": {"url": _GIT_URL, "ref": ref}}} for ref in ALLOWED),
    {"source": {"git": _FULL_GIT}},
    {"variables": [{"name": "a", "value": ""}, {"name": "b", "valueFrom": _SECRET}]},
    {"state": {}},
    {"state": {"backend": "Kubernetes", "backendConfig": []}},
    {
        "state": {
            "backend": "Template",
            "backendConfig": [
                {"name": "address", "value": "https://states.example.com/$(provisioner_workspace)"},
                {"name": "password", "valueFrom": _SECRET},
            ],
        }
    },
    *({"terraformVersion": text} for text in ("1.9.8", ">=1.9,<2", " >= 1.9 , != 1.10.1 ", "~> 1")),
    *({"parallelism": number} for number in (1, 256)),
)
INPUTS = tuple(build(**spec) for build in (a_job_manifest, a_template_manifest) for spec in _INPUTS)
JOBS_AND_DAEMONS = (
    a_job_manifest("n" * 63),
    a_job_manifest(tags={"example.com/zone_1": "a"}),
    a_job_manifest(type="TemplateDryRun", transition=None, workspaceRef=None),
    a_job_manifest(type="TemplateImport", transition=None, workspaceRef=None),
    a_job_manifest(type="WorkspacePlan"),
    a_job_manifest(variables=[{"name": f"v{number}", "value": "x" * 2048} for number in range(128)]),
    a_daemon_manifest(tags={"scope": "user", "owner": "somebody", "environment": "on-prem"}),
)
POOLS = (
    a_pool_manifest("n" * 57, tags={"scope": "user", "owner": "somebody", "environment": "on-prem"}),
    a_pool_manifest(replicas=0),
    a_pool_manifest(replicas=1, autoscaling={"maxReplicas": 1}),
    a_pool_manifest(template=A_TEMPLATE),
    a_pool_manifest(replicas=3),
    a_pool_manifest(autoscaling={"minReplicas": 2, "maxReplicas": 2}),
    *(
        _pool(
            resources={field: {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "1Gi", "hugepages-2Mi": 0, "a.b/c": 1}}
        )
        for field in ("requests", "limits")
    ),
    _pool(tolerations=[{"key": "gpu", "operator": "Exists", "value": ""}]),
    *(_pool(**{field: {f"{'d' * 253}/{'n' * 63}": "a"}}) for field in ("nodeSelector", "podLabels", "podAnnotations")),
    *(_pool(**{field: {"my-provisioner.dev/a": "a"}}) for field in ("podLabels", "podAnnotations")),
)
TEMPLATES_AND_WORKSPACES = (
    a_template_manifest("n" * 45, parameters=[{"name": "size", "type": "number", "default": "-0.5"}]),
    a_template_manifest(parameters=[{"name": "list", "type": "list(string)", "default": '["a"]'}]),
    a_workspace_manifest("n" * 53, running=False, tags={"environment": "on-prem"}, autostopSeconds=60),
    _parameter(default="anything"),
    _parameter(type="string", default="anything"),
    *(_parameter(type="bool", default=value) for value in ("true", "false")),
    _parameter(type="number", default="1", options=_options("1", "2")),
    _parameter(type="bool", options=_options("true", "false")),
    _parameter(options=_options("anything")),
    _parameter(default="anything", options=[]),
    _parameter(type="list(string)", default='["z"]', options=_options("a")),
    *(_parameter(type="list(string)", default=value) for value in ("[]", ' [ "z" , "\\u00e9" ] ')),
    _parameter(type="number", default="1", options=_options("1", "8"), validation={"min": 1, "max": 8}),
    _parameter(type="number", default="-0.5", validation={"min": -1}),
    _parameter(type="number", validation={"min": 1, "max": 1}),
    _parameter(default="abc", validation={"regex": "b"}),
    _parameter(validation={"regex": "a"}),
    _parameter(type="string", validation={"regex": "a"}),
    _parameter(type="number", validation={"min": 1}),
    _parameter(type="number", validation={"max": 1}),
    _parameter(type="bool", validation={"error": "a word"}),
    a_workspace_manifest(parameters=[{"name": f"p{number}", "value": "x" * 4096} for number in range(32)]),
)
CREATIONS: tuple[Manifest, ...] = (*TAGS, *INPUTS, *JOBS_AND_DAEMONS, *POOLS, *TEMPLATES_AND_WORKSPACES)

CHANGES: tuple[tuple[str, Phase | str, Manifest], ...] = (
    (JOBS, FRESH, {"priority": 5, "suspend": True, "ttlSecondsAfterFinished": 60}),
    (JOBS, FRESH, {"cancel": True, "cancelReason": "stuck", "cancelMode": "Force"}),
    (JOBS, Phase.PENDING, {"cancel": True, "priority": 5}),
    *((JOBS, state, {"ttlSecondsAfterFinished": 60}) for state in (Phase.COMPLETED, NEVER_STARTED)),
    # An absent list or map equals an empty one.
    (JOBS, Phase.PENDING, {"tags": {}, "variables": [], "variablesFrom": [], "moduleCredentials": []}),
    (WORKSPACES, FRESH, {"rebuildGeneration": 1, "running": False}),
    (WORKSPACES, FRESH, {"rebuildGeneration": 2}),
    (WORKSPACES, UNSTAMPED, {"running": False}),
    (WORKSPACES, FRESH, {"templateRef": {"name": "template", "version": "template-2"}}),
)
"""The kind, the object's state, and fields of the spec that can change in it."""

STATUSES: tuple[tuple[Phase | str, Manifest], ...] = (
    (FRESH, {"assignment": an_assignment()}),
    (Phase.PENDING, {"reason": "DaemonsBusy"}),
    (Phase.RUNNING, {"reason": "Running", "stage": "plan"}),
    *(
        (
            state,
            {"log": {"configMap": "log", "bytes": 1, "truncated": False}, "observedGeneration": 9, "conditions": []},
        )
        for state in (Phase.FAILED, NEVER_STARTED)
    ),
)
"""A job's state, and fields of the status that can change in it: an ended job still takes its log and conditions."""
