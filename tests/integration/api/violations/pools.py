"""Pools, and what they may say about their Pods."""

from typing import Any

from integration.api.violations.row import Creation
from support.builders.manifests import a_pool_manifest
from support.manifests import Manifest

_BOUNDS = {"minReplicas": 1, "maxReplicas": 2}
_RESOURCE = "unknown resource: use cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME"
_VALUE_FROM = "valueFrom needs exactly one of secretKeyRef, configMapKeyRef and fieldRef"
_FROM: Manifest = {
    "secretKeyRef": {"name": "a", "key": "b"},
    "configMapKeyRef": {"name": "a", "key": "b"},
    "fieldRef": {"fieldPath": "spec.nodeName"},
}
_FROM_TWO = tuple({field: _FROM[field] for field in _FROM if field != absent} for absent in _FROM)
_OWN_KEYS = "under provisioner.dev are reserved for the operator: set tags and settings of daemons in the pool's spec"


def _template(**template: Any) -> Manifest:
    return a_pool_manifest(template=template)


POOL_ROWS = (
    Creation(
        "metadata.name of a pool has at most 57 characters, because the names of its Pods begin with it",
        a_pool_manifest("n" * 58),
        "metadata.name",
    ),
    Creation(
        "a tag's key in a pool cannot contain '/', because its Pods carry it in the annotation tags.provisioner.dev/KEY",
        a_pool_manifest(tags={"example.com/zone": "a"}),
        "spec.tags",
    ),
    Creation(
        "spec.replicas cannot be set together with spec.autoscaling: "
        "leave it out, and scale the pool with minReplicas and maxReplicas",
        a_pool_manifest(replicas=3, autoscaling=_BOUNDS),
        "spec.replicas",
    ),
    Creation(
        "minReplicas cannot be larger than maxReplicas",
        a_pool_manifest(autoscaling={"minReplicas": 3, "maxReplicas": 2}),
        "spec.autoscaling.minReplicas",
    ),
    *(
        Creation(_RESOURCE, _template(resources={field: {"memroy": "1Gi"}}), "spec.template.resources")
        for field in ("requests", "limits")
    ),
    *(
        Creation(_VALUE_FROM, _template(env=[{"name": "A", "valueFrom": source}]), "spec.template.env[0].valueFrom")
        for source in ({}, *_FROM_TWO)
    ),
    Creation(
        "an environment variable cannot have both value and valueFrom: remove one of them",
        _template(env=[{"name": "A", "value": "", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]),
        "spec.template.env[0]",
    ),
    *(
        Creation(
            "POD_NAME, POD_NAMESPACE, POD_UID are reserved: a daemon identifies its Pod by them",
            _template(env=[{"name": name, "value": "other"}]),
            "spec.template.env[0].name",
        )
        for name in ("POD_NAME", "POD_NAMESPACE", "POD_UID")
    ),
    *(
        Creation(
            "an entry of envFrom needs exactly one of secretRef and configMapRef",
            _template(envFrom=[{"prefix": "A_"} | source]),
            "spec.template.envFrom[0]",
        )
        for source in ({}, {"secretRef": {"name": "a"}, "configMapRef": {"name": "a"}})
    ),
    *(
        Creation(
            "passEnv cannot name variables of the daemon's identity, nor those that a run sets itself or that would move its state",
            _template(passEnv=["AWS_*", name]),
            "spec.template.passEnv",
        )
        for name in (
            "POD_NAME",
            "KUBECONFIG",
            "PROVISIONER_*",
            "KUBERNETES_SERVICE_HOST",
            "CODER_*",
            "HOME",
            "KUBE_HOST",
        )
    ),
    *(
        Creation(
            "a volume needs exactly one of secret, configMap, projected, persistentVolumeClaim and emptyDir",
            _template(volumes=[{"name": "a"} | source]),
            "spec.template.volumes[0]",
        )
        for source in ({}, {"emptyDir": {}, "configMap": {"name": "a"}})
    ),
    Creation(
        "the volume tmp holds the directories of runs, and can only be an emptyDir",
        _template(volumes=[{"name": "tmp", "persistentVolumeClaim": {"claimName": "a"}}]),
        "spec.template.volumes[0].name",
    ),
    *(
        Creation(
            "a source of a projected volume needs exactly one of serviceAccountToken, secret and configMap",
            _template(volumes=[{"name": "a", "projected": {"sources": [source]}}]),
            "spec.template.volumes[0].projected.sources[0]",
        )
        for source in ({}, {"secret": {"name": "a"}, "configMap": {"name": "a"}})
    ),
    *(
        Creation(
            "volumeMounts names a volume that is not among volumes",
            _template(volumeMounts=[{"name": "b", "mountPath": "/b"}], **volumes),
            "spec.template.volumeMounts",
        )
        for volumes in ({}, {"volumes": [{"name": "a", "emptyDir": {}}]})
    ),
    *(
        Creation(
            "/tmp and /var/run/secrets/kubernetes.io/serviceaccount are the daemon's own: mount the volume somewhere else",
            _template(volumes=[{"name": "a", "emptyDir": {}}], volumeMounts=[{"name": "a", "mountPath": path}]),
            "spec.template.volumeMounts[0].mountPath",
        )
        for path in ("/tmp", "/var/run/secrets/kubernetes.io/serviceaccount", "/var/run")
    ),
    Creation(
        "a toleration with the operator Exists cannot have a value, because it matches every value",
        _template(tolerations=[{"key": "gpu", "operator": "Exists", "value": "yes"}]),
        "spec.template.tolerations[0].value",
    ),
    *(
        Creation(
            "a toleration without a key matches every taint: set a key, or the operator Exists",
            _template(tolerations=[{"operator": "Equal", "effect": "NoSchedule"} | key]),
            "spec.template.tolerations[0].key",
        )
        for key in ({}, {"key": ""})
    ),
    *(
        Creation(
            "tolerationSeconds requires the effect NoExecute",
            _template(tolerations=[{"key": "gpu", "operator": "Exists", "tolerationSeconds": 5} | effect]),
            "spec.template.tolerations[0].tolerationSeconds",
        )
        for effect in ({}, {"effect": "NoSchedule"})
    ),
    *(
        Creation(
            f"a key of {field} is a name of letters, digits, '-', '_' and '.', optionally with a domain and a slash before it",
            _template(**{field: {key: "a"}}),
            f"spec.template.{field}",
        )
        for field in ("nodeSelector", "podLabels", "podAnnotations")
        for key in ("a b", "a/b/c", "/a", f"{'d' * 254}/{'n' * 63}")
    ),
    *(
        Creation(f"{field} {_OWN_KEYS}", _template(**{field: {key: "true"}}), f"spec.template.{field}")
        for field in ("podLabels", "podAnnotations")
        for key in ("provisioner.dev/daemon", "tags.provisioner.dev/environment")
    ),
)
