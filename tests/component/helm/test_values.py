"""Values change what they say, and Helm refuses those that it does not know."""

from typing import Any

import pytest

from chart.build import CHART
from component.helm.test_rendering import by_name
from support.manifests import Manifest
from support.programs.helm import SYSTEM, Helm

EVERYTHING: dict[str, Any] = {
    "commonLabels": {"team": "platform"},
    "image": {"digest": f"sha256:{'0' * 64}", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "extraArgs": ["--writers=8"],
    "extraEnv": [{"name": "A", "value": "b"}],
    "extraVolumes": [{"name": "v", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": None,
    "podAnnotations": {"a": "b"},
    "podLabels": {"c": "d"},
    "watchNamespaces": ["one", "two"],
    "daemonImage": "daemon:1",
    "logFormat": "text",
    "priorityClass": {"create": False, "name": "high"},
    "podDisruptionBudget": {"enabled": False},
    "rbac": {"aggregate": False},
    "networkPolicy": {"enabled": True, "apiServerCIDRs": ["192.0.2.1/32", "2001:db8::1/128"]},
    "metrics": {"serviceMonitor": {"enabled": True, "additionalLabels": {"release": "p"}, "interval": "10s"}},
    "prometheusRule": {
        "enabled": True,
        "runbookBase": "https://r",
        "grafanaBase": "https://g",
        "disabled": ["ProvisionerNoStandby"],
    },
    "web": {"enabled": True, "allowedHosts": ["a.example", "b.example"], "replicaCount": 1},
    "kubeStateMetrics": {"enabled": True, "namespace": "monitoring", "serviceAccount": "metrics"},
    "argocd": {"actions": True, "namespace": "gitops", "serviceAccount": "server"},
    "teams": [{"namespace": "one", "createNamespace": False, "submitters": ["dev", "qa"]}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-x"}}],
}


@pytest.fixture
def objects(helm: Helm) -> dict[tuple[str, str, str], Manifest]:
    return by_name(helm.objects(**EVERYTHING))


def test_the_deployment_follows_its_values(objects: dict[tuple[str, str, str], Manifest]) -> None:
    template = objects["Deployment", SYSTEM, "provisioner-operator"]["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}

    assert container["image"] == f"provisioner-operator@sha256:{'0' * 64}"
    assert container["imagePullPolicy"] == "Always"
    assert container["args"] == ["provisioner-operator", "run", "--writers=8"]
    assert variables.items() >= {"A": "b", "PROVISIONER_OPERATOR_NAMESPACES": "one,two"}.items()
    assert variables["PROVISIONER_OPERATOR_DAEMON_IMAGE"] == "daemon:1"
    assert variables["PROVISIONER_OPERATOR_LOG_FORMAT"] == "text"
    assert [each["name"] for each in pod["volumes"]] == [each["name"] for each in container["volumeMounts"]]
    assert pod["volumes"][-1] == {"name": "v", "emptyDir": {}}
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["priorityClassName"] == "high"
    assert "affinity" not in pod
    assert template["metadata"]["labels"]["c"] == "d"
    assert template["metadata"]["annotations"]["a"] == "b"


def test_the_other_objects_follow_theirs(objects: dict[tuple[str, str, str], Manifest]) -> None:
    kinds = {kind for kind, _, _ in objects}
    assert not kinds & {"PriorityClass", "PodDisruptionBudget", "Namespace"}
    viewer = objects["ClusterRole", "", "provisioner-viewer"]
    assert viewer["metadata"]["labels"].keys() == {"app.kubernetes.io/part-of", "team"}
    (egress,) = objects["NetworkPolicy", SYSTEM, "provisioner-operator"]["spec"]["egress"]
    assert [each["ipBlock"]["cidr"] for each in egress["to"]] == ["192.0.2.1/32", "2001:db8::1/128"]
    monitor = objects["ServiceMonitor", SYSTEM, "provisioner-operator"]
    assert monitor["metadata"]["labels"]["release"] == "p"
    assert monitor["spec"]["endpoints"][0]["interval"] == "10s"
    (subject,) = objects["ClusterRoleBinding", "", "provisioner-argocd-actions"]["subjects"]
    assert (subject["namespace"], subject["name"]) == ("gitops", "server")
    (subject,) = objects["ClusterRoleBinding", "", "provisioner-kube-state-metrics"]["subjects"]
    assert (subject["namespace"], subject["name"]) == ("monitoring", "metrics")
    assert ("ConfigMap", "monitoring", "provisioner-kube-state-metrics") in objects
    subjects = objects["RoleBinding", "one", "provisioner-submitters"]["subjects"]
    assert [each["name"] for each in subjects] == ["dev", "qa"]
    assert ("RoleBinding", "one", "provisioner-admins") not in objects
    assert ("ConfigMap", "", "provisioner-x") in objects
    others = [each for key, each in objects.items() if key != ("ConfigMap", "", "provisioner-x")]
    assert all(each["metadata"]["labels"]["team"] == "platform" for each in others)


def test_the_web_server_has_its_own(objects: dict[tuple[str, str, str], Manifest]) -> None:
    spec = objects["Deployment", SYSTEM, "provisioner-web"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}

    assert spec["replicas"] == 1
    assert variables["PROVISIONER_WEB_ALLOWED_HOSTS"] == "a.example,b.example"
    assert variables["PROVISIONER_WEB_LOG_FORMAT"] == "text"
    assert "A" not in variables


def test_an_alert_is_left_out_and_the_others_link_to_where_they_should(
    objects: dict[tuple[str, str, str], Manifest],
) -> None:
    groups = objects["PrometheusRule", SYSTEM, "provisioner-operator"]["spec"]["groups"]
    alerts = {rule["alert"]: rule["annotations"] for group in groups for rule in group["rules"] if "alert" in rule}

    assert "ProvisionerNoStandby" not in alerts
    down = alerts["ProvisionerOperatorDown"]
    assert down["runbook_url"] == "https://r/ProvisionerOperatorDown.md"
    assert down["dashboard_url"] == "https://g/d/provisioner-controller"


def test_the_check_before_an_uninstallation_is_there_unless_it_is_forced(helm: Helm) -> None:
    def hooks(**values: Any) -> set[tuple[str, str, str]]:
        return by_name(helm.objects(hooks=True, **values)).keys() - by_name(helm.objects(**values)).keys()

    job = ("Job", SYSTEM, "provisioner-uninstall")
    assert job in hooks()
    assert job not in hooks(uninstall={"force": True})
    assert ("NetworkPolicy", SYSTEM, "provisioner-check") in hooks(networkPolicy={"enabled": True}) - hooks()


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"replicaCuont": 3}, "''", "additional properties 'replicaCuont' not allowed"),
        ({"web": {"enabeld": True}}, "'/web'", "additional properties 'enabeld' not allowed"),
        ({"replicaCount": "3"}, "'/replicaCount'", "got string, want integer"),
        ({"teams": [{"name": "one"}]}, "'/teams/0'", "missing property 'namespace'"),
        (
            {"prometheusRule": {"slo": {"targetSeconds": 61}}},
            "'/prometheusRule/slo/targetSeconds'",
            "value must be one of",
        ),
        ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "'/commonLabels/app.kubernetes.io~1name'", "false schema"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(helm: Helm, values: Manifest, path: str, message: str) -> None:
    answer = helm.attempt("template", "x", str(CHART), *helm.given(values))

    assert not answer.ok
    assert f"at {path}: {message}" in answer.stderr


def test_values_for_other_charts_are_no_mistake(helm: Helm) -> None:
    others: dict[str, Any] = {"global": {"anything": 1}}

    assert helm.objects(**others)


def test_the_linter_has_no_complaint(helm: Helm) -> None:
    helm.run("lint", "--strict", str(CHART))
