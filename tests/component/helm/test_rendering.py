"""The chart yields what kustomize yields, object by object, on both Helms."""

from collections.abc import Sequence
from typing import Any

import pytest

from chart import kustomize
from monitoring.__main__ import files
from monitoring.rules.queue_slo import QueueSlo
from support.manifests import Manifest
from support.programs.helm import Helm

KEEP = "helm.sh/resource-policy"
"""The one thing that the chart adds to an object: Helm leaves it in the cluster."""
COMPONENTS = [("manifests", "components", each) for each in ("monitoring", "dashboards")]
"""Folders of what depends on the objective."""
TEAM = {"namespace": "team-example", "submitters": ["team-example-submitters"], "admins": ["team-example-admins"]}


def by_name(bodies: Sequence[Manifest]) -> dict[tuple[str, str, str], Manifest]:
    found = {(each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each for each in bodies}
    assert len(found) == len(bodies)
    return found


def assert_equal(rendered: Sequence[Manifest], wanted: Sequence[Manifest]) -> None:
    one, other = by_name(rendered), by_name(wanted)
    assert one.keys() == other.keys()
    for key, body in other.items():
        assert one[key] == body, key


def without_namespace(bodies: Sequence[Manifest]) -> list[Manifest]:
    """Helm keeps its release in the namespace, so it exists before."""
    return [each for each in bodies if each["kind"] != "Namespace"]


def test_the_default_equals_the_default_of_kustomize(helm: Helm) -> None:
    assert_equal(helm.objects(crds={"keep": False}), without_namespace(kustomize.render("default")))


def test_definitions_stay_unless_that_is_switched_off(helm: Helm) -> None:
    kept, plain = by_name(helm.objects()), by_name(helm.objects(crds={"keep": False}))

    assert kept.keys() == plain.keys()
    changed = {key for key, body in kept.items() if body != plain[key]}
    assert changed == {key for key in kept if key[0] == "CustomResourceDefinition"}
    for key in changed:
        assert kept[key]["metadata"].pop("annotations") == {KEEP: "keep"}
        assert kept[key] == plain[key]


@pytest.mark.parametrize(
    ("component", "values"),
    [
        ("stamping", {"policies": {"stamping": True}}),
        ("network-policy", {"networkPolicy": {"enabled": True}}),
        ("monitoring", {"metrics": {"serviceMonitor": {"enabled": True}}, "prometheusRule": {"enabled": True}}),
        ("dashboards", {"dashboards": {"enabled": True}}),
        ("web", {"web": {"enabled": True}}),
        ("kube-state-metrics", {"kubeStateMetrics": {"enabled": True}}),
        ("argocd-actions", {"argocd": {"actions": True}}),
    ],
)
def test_each_switch_equals_its_component(helm: Helm, component: str, values: dict[str, Any]) -> None:
    plain = helm.objects()
    added = [each for each in helm.objects(**values) if each not in plain]

    assert_equal(added, kustomize.component(component, base="default"))


@pytest.mark.parametrize("components", [[], ["daemon-network-policy"]], ids=["plain", "network-policy"])
def test_a_team_equals_the_overlay(helm: Helm, components: list[str]) -> None:
    plain = helm.objects()
    added = [each for each in helm.objects(teams=[TEAM | {"networkPolicy": bool(components)}]) if each not in plain]
    (namespace,) = (each for each in added if each["kind"] == "Namespace")

    assert namespace["metadata"].pop("annotations") == {KEEP: "keep"}
    assert_equal(added, kustomize.render("overlays/team-example", components=components))


def test_another_objective_equals_what_make_monitoring_generates_for_it(helm: Helm) -> None:
    switches: dict[str, Any] = {
        "prometheusRule": {"enabled": True, "slo": {"objective": 0.99, "targetSeconds": 0.5}},
        "dashboards": {"enabled": True},
    }
    generated = files(QueueSlo(0.99, 0.5))
    wanted = [
        body for path, text in generated.items() if path.parts[:3] in COMPONENTS for body in kustomize.parsed(text)
    ]
    kinds = {each["kind"] for each in wanted}

    assert_equal([each for each in helm.objects(**switches) if each["kind"] in kinds], wanted)


def test_warnings_equal_the_component(helm: Helm) -> None:
    rendered = helm.objects(crds={"keep": False}, matchWarnings={"enabled": True})

    assert_equal(rendered, without_namespace(kustomize.render("default", components=["match-warnings"])))


def test_an_endpoint_for_traces_equals_the_component(helm: Helm) -> None:
    endpoint = "http://otel-collector.observability:4318"
    rendered = helm.objects(crds={"keep": False}, tracing={"endpoint": endpoint})

    assert_equal(rendered, without_namespace(kustomize.render("default", components=["tracing"])))
