"""The plan: which objects of the kustomizations become which templates, and what values change in them.

Everything that is not mentioned here stays as kustomize renders it, so a change of the manifests is one of the chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chart import kustomize
from chart.deployments import deployment
from chart.kustomize import NAMESPACE
from chart.monitoring import dashboard, prometheus_rule, service_monitor
from chart.objective import for_stand_in, spliced
from chart.objects import labeled, moved
from chart.teams import teams
from chart.template_text import conditional, inline, line, optional, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chart.kustomize import Manifest

AGGREGATED = "rbac.authorization.k8s.io/aggregate-to-"

FOLDERS = {
    "CustomResourceDefinition": "crds",
    "ClusterRole": "rbac",
    "ValidatingAdmissionPolicy": "policies",
    "ValidatingAdmissionPolicyBinding": "policies",
}
"""Folders for the objects of the default installation; `operator` for all others."""
COMPONENTS = {
    "stamping": ("policies", "$.Values.policies.stamping"),
    "network-policy": ("network", "$.Values.networkPolicy.enabled"),
    "monitoring": ("monitoring", ""),  # its objects have conditions of their own
    "dashboards": ("dashboards", "$.Values.dashboards.enabled"),
    "kube-state-metrics": ("kube-state-metrics", "$.Values.kubeStateMetrics.enabled"),
    "match-warnings": ("match-warnings", "$.Values.matchWarnings.enabled"),
    "web": ("web", "$.Values.web.enabled"),
    "argocd-actions": ("argocd", "$.Values.argocd.actions"),
}
"""Folders of the components of a default installation, and the conditions on which they are part of it."""


WITH_OBJECTIVE = ("monitoring", "dashboards")
"""Components, and folders of the same names, that depend on the objective for the wait of jobs."""


STATE_METRICS = "provisioner-kube-state-metrics"
ACCOUNTS = {"provisioner-argocd-actions": "$.Values.argocd", STATE_METRICS: "$.Values.kubeStateMetrics"}
"""Bindings to ServiceAccounts of other products, and the values that tell their names."""


def default_objects() -> list[Manifest]:
    """Return the objects of the default installation but its namespace: Helm keeps the release in it, so it is there before."""
    return [each for each in kustomize.render("default") if each["kind"] != "Namespace"]


def templates() -> dict[str, str]:
    """Return the texts of the generated templates, by their paths below `templates/`."""
    texts: dict[str, list[str]] = {}
    for path, condition, body in (*_default(), *_components()):
        text = render(_planned(body))
        if path.startswith(tuple(WITH_OBJECTIVE)):
            text = spliced(text)
        guarded = f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n" if condition else text
        texts.setdefault(path, []).append(guarded)
    return {path: "---\n".join(each) for path, each in texts.items()} | {"teams/teams.yaml": teams()}


def _default() -> Iterator[tuple[str, str, Manifest]]:
    for body in default_objects():
        yield _path(FOLDERS.get(body["kind"], "operator"), body), _condition(body), body


def _components() -> Iterator[tuple[str, str, Manifest]]:
    for name, (folder, condition) in COMPONENTS.items():
        for installed in kustomize.component(name, base="default"):
            body = for_stand_in(installed) if name in WITH_OBJECTIVE else installed
            conditions = [each for each in (condition, _condition(body)) if each]
            whole = f"and {' '.join(conditions)}" if len(conditions) > 1 else "".join(conditions)
            yield _path(folder, body), whole, body


def _path(folder: str, body: Manifest) -> str:
    """Return a path that groups a policy with its binding."""
    name, kind = body["metadata"]["name"], body["kind"].lower()
    return f"{folder}/{name}.yaml" if folder in {"crds", "policies", "dashboards"} else f"{folder}/{name}.{kind}.yaml"


def _condition(body: Manifest) -> str:
    return {
        "CustomResourceDefinition": "$.Values.crds.install",
        "PriorityClass": "$.Values.priorityClass.create",
        "PodDisruptionBudget": "$.Values.podDisruptionBudget.enabled",
        "ServiceMonitor": "$.Values.metrics.serviceMonitor.enabled",
        "PrometheusRule": "$.Values.prometheusRule.enabled",
    }.get(str(body["kind"]), "")


def _planned(body: Manifest) -> Manifest:
    """Return an object with slots for the values that concern it."""
    special = SPECIAL.get(body["kind"])
    changed = special(body) if special else body
    return labeled(moved(changed, NAMESPACE, "{{ $.Release.Namespace }}"))


def _definition(body: Manifest) -> Manifest:
    if "annotations" in body["metadata"]:
        raise AssertionError("a definition with annotations of its own needs a slot among them")
    kept = {"annotations": {"helm.sh/resource-policy": "keep"}}
    return _with_metadata(body, conditional("$.Values.crds.keep", kept))


def _cluster_role(body: Manifest) -> Manifest:
    labels = body["metadata"].get("labels", {})
    aggregated = {key: each for key, each in labels.items() if key.startswith(AGGREGATED)}
    if not aggregated:
        return body
    others = {key: each for key, each in labels.items() if key not in aggregated}
    return _with_metadata(body, {"labels": others | conditional("$.Values.rbac.aggregate", aggregated)})


def _role_binding(body: Manifest) -> Manifest:
    values = ACCOUNTS.get(body["metadata"]["name"])
    if values is None:
        return body
    (subject,) = body["subjects"]
    account = {
        "name": inline(f"{{{{ {values}.serviceAccount }}}}"),
        "namespace": inline(f"{{{{ {values}.namespace }}}}"),
    }
    return body | {"subjects": [subject | account]}


def _config_map(body: Manifest) -> Manifest:
    if body["metadata"]["name"] == STATE_METRICS:
        return _with_metadata(body, {"namespace": inline("{{ $.Values.kubeStateMetrics.namespace }}")})
    return dashboard(body)


def _priority_class(body: Manifest) -> Manifest:
    named = _with_metadata(body, {"name": inline("{{ $.Values.priorityClass.name }}")})
    return named | {"value": inline("{{ int64 $.Values.priorityClass.value }}")}


def _disruption_budget(body: Manifest) -> Manifest:
    most = inline("{{ $.Values.podDisruptionBudget.maxUnavailable }}")
    return body | {"spec": body["spec"] | {"maxUnavailable": most}}


def _service_account(body: Manifest) -> Manifest:
    prefix = "$.Values.web" if body["metadata"]["name"] == "provisioner-web" else "$.Values"
    return _with_metadata(body, {optional("annotations", f"{prefix}.serviceAccount.annotations"): None})


def _network_policy(body: Manifest) -> Manifest:
    rules = body["spec"].get("egress")
    if not rules:
        return body
    addresses = {
        "to": [
            line("{{- range $.Values.networkPolicy.apiServerCIDRs }}"),
            {"ipBlock": {"cidr": inline("{{ . | quote }}")}},
            line("{{- end }}"),
        ]
    }
    limited = conditional("$.Values.networkPolicy.apiServerCIDRs", addresses)
    return body | {"spec": body["spec"] | {"egress": [each | limited for each in rules]}}


def _with_metadata(body: Manifest, fields: dict[Any, Any]) -> Manifest:
    return body | {"metadata": body["metadata"] | fields}


SPECIAL: dict[str, Callable[[Manifest], Manifest]] = {
    "ClusterRole": _cluster_role,
    "ClusterRoleBinding": _role_binding,
    "ConfigMap": _config_map,
    "CustomResourceDefinition": _definition,
    "Deployment": deployment,
    "NetworkPolicy": _network_policy,
    "PodDisruptionBudget": _disruption_budget,
    "PriorityClass": _priority_class,
    "PrometheusRule": prometheus_rule,
    "ServiceAccount": _service_account,
    "ServiceMonitor": service_monitor,
}
"""Changes of the kinds that values concern."""
