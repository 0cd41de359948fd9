"""All values of the chart. Their defaults are those of the manifests, so that they say nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chart.objective import DEFAULT, LEAST, TARGETS
from chart.value import (
    CIDRS,
    COUNT,
    NAMES,
    NO_FURTHER,
    OBJECT,
    OBJECTS,
    OWN_LABELS,
    STRINGS,
    SWITCH,
    TEXT,
    TEXTS,
    ChartValue,
    switch,
)

if TYPE_CHECKING:
    from chart.kustomize import Manifest

TEAM = {
    **NO_FURTHER,
    "required": ["namespace"],
    "properties": {
        "namespace": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "createNamespace": SWITCH,
        "submitters": TEXTS,
        "admins": TEXTS,
        "networkPolicy": SWITCH,
    },
}
PORTION = {"anyOf": [COUNT, {"type": "string", "pattern": "^[0-9]+%$"}]}


def values(operator: Manifest, web: Manifest, priority: int) -> list[ChartValue]:
    """Return the values in the order of values.yaml.

    Args:
        operator: The Deployment of the operator.
        web: The Deployment of the web server.
        priority: The value of the PriorityClass.
    """
    return [
        *_image(),
        *_workload("", operator, "the operator"),
        *_pods(operator),
        *_operator(priority),
        *_api(),
        *_network(),
        *_monitoring(),
        *_web(web),
        *_others(),
    ]


def _image() -> list[ChartValue]:
    return [
        ChartValue(
            "image.repository",
            "provisioner-operator",
            TEXT,
            "The one image of the product: build it with `make image`, and push it where your nodes can pull it.",
        ),
        ChartValue("image.tag", "", TEXT, "Its tag; the chart's appVersion if empty."),
        ChartValue(
            "image.digest",
            "",
            {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
            "Its digest (sha256:...), which counts more than the tag.",
        ),
        ChartValue(
            "image.pullPolicy", "", {"enum": ["", "Always", "IfNotPresent", "Never"]}, "Kubernetes' default if empty."
        ),
        ChartValue(
            "imagePullSecrets",
            [],
            OBJECTS,
            "Secrets of the release's namespace, as `- name: NAME`. Pools have their own, in their Pod templates.",
        ),
    ]


def _workload(prefix: str, deployment: Manifest, name: str) -> list[ChartValue]:
    """Return what each Deployment has of its own."""
    pod = deployment["spec"]["template"]["spec"]
    return [
        ChartValue(f"{prefix}replicaCount", deployment["spec"]["replicas"], COUNT, f"Pods of {name}."),
        ChartValue(
            f"{prefix}resources", pod["containers"][0]["resources"], OBJECT, f"Resources of each Pod of {name}."
        ),
        ChartValue(
            f"{prefix}strategy", deployment["spec"]["strategy"], OBJECT, "A new Pod is ready before an old one ends."
        ),
        ChartValue(f"{prefix}nodeSelector", {}, STRINGS, f"Labels of nodes for {name}."),
        ChartValue(f"{prefix}tolerations", [], OBJECTS, f"Taints that {name} tolerates."),
        ChartValue(
            f"{prefix}affinity",
            pod["affinity"],
            OBJECT,
            "Spreads the Pods over nodes if possible. Set a part to null to remove it.",
        ),
        ChartValue(
            f"{prefix}topologySpreadConstraints",
            pod["topologySpreadConstraints"],
            OBJECTS,
            "Spreads the Pods over zones if possible.",
        ),
        ChartValue(f"{prefix}podAnnotations", {}, STRINGS, f"Further annotations of the Pods of {name}."),
        ChartValue(f"{prefix}podLabels", {}, OWN_LABELS, f"Further labels of the Pods of {name}."),
        ChartValue(f"{prefix}extraArgs", [], TEXTS, f"Further options of {name}'s command."),
        ChartValue(f"{prefix}extraEnv", [], OBJECTS, f"Further variables of {name}, as in a Pod."),
        ChartValue(f"{prefix}extraVolumes", [], OBJECTS, f"Further volumes of {name}, as in a Pod."),
        ChartValue(f"{prefix}extraVolumeMounts", [], OBJECTS, f"Further mounts of {name}, as in a Pod."),
        ChartValue(f"{prefix}serviceAccount.annotations", {}, STRINGS, f"Annotations of {name}'s ServiceAccount."),
    ]


def _pods(operator: Manifest) -> list[ChartValue]:
    pod = operator["spec"]["template"]["spec"]
    return [
        ChartValue("commonLabels", {}, OWN_LABELS, "Further labels of all objects."),
        ChartValue(
            "podSecurityContext",
            pod["securityContext"],
            OBJECT,
            "Of all Pods of the chart. The namespace may enforce the level `restricted`.",
        ),
        ChartValue(
            "securityContext", pod["containers"][0]["securityContext"], OBJECT, "Of all containers of the chart."
        ),
    ]


def _operator(priority: int) -> list[ChartValue]:
    return [
        ChartValue(
            "watchNamespaces",
            [],
            NAMES,
            "Serve only these namespaces; all if empty. The rights stay those for all namespaces.",
        ),
        ChartValue("daemonImage", "", TEXT, "The image of pools that name none; the operator's own if empty."),
        ChartValue("logFormat", "", {"enum": ["", "json", "text"]}, "`json`, the default, or `text`."),
        switch("priorityClass.create", "Install a PriorityClass of this name.", on=True),
        ChartValue("priorityClass.name", "provisioner-operator", TEXT, "The operator's PriorityClass; none if empty."),
        ChartValue(
            "priorityClass.value",
            priority,
            {"type": "integer", "maximum": 1000000000},
            "Above ordinary workloads: without the operator no job starts or ends.",
        ),
        switch("podDisruptionBudget.enabled", "Let a drain of nodes evict one Pod of a Deployment at a time.", on=True),
        ChartValue("podDisruptionBudget.maxUnavailable", 1, PORTION, "Pods that may be missing."),
    ]


def _api() -> list[ChartValue]:
    return [
        switch(
            "rbac.aggregate",
            "Make the roles for viewers, submitters and admins part of the built-in roles view, edit and admin.",
            on=True,
        ),
        switch("crds.install", "Install and upgrade the CustomResourceDefinitions.", on=True),
        switch(
            "crds.keep",
            "Leave them, and so all workspaces, jobs and pools, in the cluster when the release is uninstalled.",
            on=True,
        ),
        switch(
            "policies.stamping", "Let the API server record who requests and who cancels a job: needs Kubernetes 1.36."
        ),
        switch(
            "matchWarnings.enabled", "Let the API server warn about jobs and workspaces that no daemon can run now."
        ),
    ]


def _network() -> list[ChartValue]:
    return [
        switch("networkPolicy.enabled", "Deny all traffic in the release's namespace but what the chart's Pods need."),
        ChartValue(
            "networkPolicy.apiServerCIDRs",
            [],
            CIDRS,
            "Addresses of the API server, the only ones that Pods may then connect to; any address at its usual ports if empty.",
        ),
    ]


def _monitoring() -> list[ChartValue]:
    return [
        switch("metrics.serviceMonitor.enabled", "A ServiceMonitor of the Prometheus Operator."),
        ChartValue(
            "metrics.serviceMonitor.additionalLabels", {}, OWN_LABELS, "Labels by which your Prometheus selects it."
        ),
        ChartValue("metrics.serviceMonitor.interval", "30s", TEXT, "Time between two scrapes."),
        switch("prometheusRule.enabled", "Alerts and recorded series, as a PrometheusRule."),
        ChartValue("prometheusRule.additionalLabels", {}, OWN_LABELS, "Labels by which your Prometheus selects it."),
        ChartValue(
            "prometheusRule.runbookBase",
            "docs/runbooks",
            TEXT,
            "Address of the folder of runbooks, in each alert's runbook_url.",
        ),
        ChartValue("prometheusRule.grafanaBase", "", TEXT, "Address of Grafana, in each alert's dashboard_url."),
        ChartValue(
            "prometheusRule.slo.objective",
            DEFAULT.objective,
            {"type": "number", "exclusiveMinimum": LEAST, "exclusiveMaximum": 1},
            "Share of jobs that have to start within the target; an alert fires when the others are too many. Dashboards show it.",
        ),
        ChartValue(
            "prometheusRule.slo.targetSeconds",
            int(DEFAULT.target_seconds),
            {"enum": TARGETS},
            "Time within which a job has to start once only a daemon is missing: a bucket of provisioner_job_dispatch_seconds.",
        ),
        ChartValue("prometheusRule.disabled", [], TEXTS, "Names of alerts to leave out."),
        switch("dashboards.enabled", "Grafana's dashboards, as ConfigMaps."),
        ChartValue(
            "dashboards.labels", {"grafana_dashboard": "1"}, OWN_LABELS, "Labels by which Grafana's sidecar finds them."
        ),
        ChartValue(
            "dashboards.annotations", {}, STRINGS, "Annotations, such as the folder that the sidecar puts them into."
        ),
        switch(
            "kubeStateMetrics.enabled",
            "Configuration of kube-state-metrics for single objects, and the rights that it needs.",
        ),
        ChartValue("kubeStateMetrics.namespace", "kube-system", TEXT, "The namespace of kube-state-metrics."),
        ChartValue("kubeStateMetrics.serviceAccount", "kube-state-metrics", TEXT, "Its ServiceAccount."),
        ChartValue(
            "tracing.endpoint",
            "",
            TEXT,
            "Address of a collector that takes OTLP over HTTP, for traces of the jobs that the operator ends itself; none if empty.",
        ),
    ]


def _web(web: Manifest) -> list[ChartValue]:
    return [
        switch("web.enabled", "The web server: page and REST API."),
        ChartValue(
            "web.allowedHosts",
            [],
            TEXTS,
            "Names under which people reach it; its Service's if empty. Every other name is refused.",
        ),
        *_workload("web.", web, "the web server"),
    ]


def _others() -> list[ChartValue]:
    return [
        switch("argocd.actions", "Rights that Argo CD's server needs for its actions on jobs and workspaces."),
        ChartValue("argocd.namespace", "argocd", TEXT, "The namespace of Argo CD."),
        ChartValue("argocd.serviceAccount", "argocd-server", TEXT, "The ServiceAccount of its server."),
        ChartValue(
            "teams",
            [],
            {"type": "array", "items": TEAM},
            "Namespaces for teams: `namespace`; `createNamespace` (true); `submitters` and `admins`, names of groups; `networkPolicy` (false), which keeps daemons from metadata services. A team's namespace stays when the release is uninstalled.",
        ),
        ChartValue(
            "extraObjects",
            [],
            {"type": "array", "items": {"type": ["object", "string"]}},
            "Further objects, in which Helm's expressions are evaluated. Not of the kinds that the chart installs: Helm does not know them before.",
        ),
        switch(
            "uninstall.force",
            "Uninstall although there are workspaces, templates, pools or daemons, whose finalizers nothing removes afterwards.",
        ),
    ]
