"""The Deployments of operator and web server, with the values that concern them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chart.kustomize import NAMESPACE
from chart.template_text import block, further, inline, line, optional, optional_scalar

if TYPE_CHECKING:
    from chart.kustomize import Manifest

IMAGE = '{{ include "provisioner-operator.image" $ }}'
HOSTS = "PROVISIONER_WEB_ALLOWED_HOSTS"


def deployment(body: Manifest) -> Manifest:
    """Return one of the two Deployments with its slots."""
    web = body["metadata"]["name"] == "provisioner-web"
    values = "$.Values.web" if web else "$.Values"
    template = body["spec"]["template"]
    spec = body["spec"] | {
        "replicas": inline(f"{{{{ {values}.replicaCount }}}}"),
        "strategy": block(f"{values}.strategy"),
        "template": {
            "metadata": _metadata(template["metadata"], values),
            "spec": _pod(template["spec"], values, web=web),
        },
    }
    return body | {"spec": spec}


def _metadata(metadata: Manifest, values: str) -> Manifest:
    return metadata | {
        "annotations": metadata["annotations"] | {further(f"{values}.podAnnotations"): None},
        "labels": metadata["labels"] | {further(f"{values}.podLabels"): None},
    }


def _pod(pod: Manifest, values: str, *, web: bool) -> Manifest:
    (container,) = pod["containers"]
    fixed: dict[Any, Any] = {
        key: each
        for key, each in pod.items()
        if key not in {"affinity", "containers", "priorityClassName", "topologySpreadConstraints", "volumes"}
    }
    return fixed | {
        optional("affinity", f"{values}.affinity"): None,
        "containers": [_container(container, values, web=web)],
        optional("imagePullSecrets", "$.Values.imagePullSecrets"): None,
        optional("nodeSelector", f"{values}.nodeSelector"): None,
        **({} if web else {optional_scalar("priorityClassName", "$.Values.priorityClass.name"): None}),
        "securityContext": block("$.Values.podSecurityContext"),
        optional("tolerations", f"{values}.tolerations"): None,
        optional("topologySpreadConstraints", f"{values}.topologySpreadConstraints"): None,
        **_appended("volumes", pod, f"{values}.extraVolumes"),
    }


def _container(container: Manifest, values: str, *, web: bool) -> dict[Any, Any]:
    lists = {"args", "env", "image", "volumeMounts"}
    return {key: each for key, each in container.items() if key not in lists} | {
        "args": [*container["args"], further(f"{values}.extraArgs")],
        "env": _environment(container["env"], values, web=web),
        "image": inline(IMAGE),
        optional_scalar("imagePullPolicy", "$.Values.image.pullPolicy"): None,
        "resources": block(f"{values}.resources"),
        "securityContext": block("$.Values.securityContext"),
        **_appended("volumeMounts", container, f"{values}.extraVolumeMounts"),
    }


def _appended(key: str, body: Manifest, values: str) -> dict[Any, Any]:
    return {key: [*body[key], further(values)]} if key in body else {optional(key, values): None}


def _environment(variables: list[Manifest], values: str, *, web: bool) -> list[Any]:
    program = "PROVISIONER_WEB" if web else "PROVISIONER_OPERATOR"
    settings = {f"{program}_NAMESPACES": "watchNamespaces", f"{program}_LOG_FORMAT": "logFormat"}
    if not web:
        settings[f"{program}_DAEMON_IMAGE"] = "daemonImage"
    return [
        *([] if web else _setting("OTEL_EXPORTER_OTLP_ENDPOINT", "$.Values.tracing.endpoint")),
        *([] if web else _setting("PROVISIONER_OPERATOR_PUBLISH_SUPPLIES", "$.Values.matchWarnings.enabled")),
        *(_hosts(each) if each["name"] == HOSTS else each for each in variables),
        *(slot for name, value in settings.items() for slot in _setting(name, f"$.Values.{value}")),
        further(f"{values}.extraEnv"),
    ]


def _setting(name: str, value: str) -> list[Any]:
    text = f'{{{{ join "," {value} | quote }}}}' if value.endswith("Namespaces") else f"{{{{ {value} | quote }}}}"
    return [line(f"{{{{- if {value} }}}}"), {"name": name, "value": inline(text)}, line("{{- end }}")]


def _hosts(variable: Manifest) -> Manifest:
    """Return the variable with the hosts of the values, or else with the one of the manifests."""
    own = f'(printf "{variable["value"].replace(NAMESPACE, "%s")}" $.Release.Namespace)'
    return variable | {"value": inline(f'{{{{ join "," $.Values.web.allowedHosts | default {own} | quote }}}}')}
