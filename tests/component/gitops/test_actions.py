"""Argo CD's actions are the product's own requests: offered where these are possible, and with the same effect."""

from typing import Any

import pytest
import yaml

from support.gitops.argocd_config import CUSTOMIZATIONS, actions_of
from support.gitops.engines import argocd_actions, argocd_impact
from support.gitops.objects import KINDS, jobs
from support.gitops.requests import changed_by, is_possible
from support.gitops.testdata import EXAMPLES

WITH_ACTIONS = [kind for kind in KINDS if actions_of(kind)]


@pytest.mark.parametrize("kind", WITH_ACTIONS)
def test_an_action_is_offered_where_the_command_line_would_carry_it_out(kind: str) -> None:
    objects = list(KINDS[kind]())
    offered = argocd_actions(each.body for each in objects)

    wanted = {each.name: {action for action in actions_of(kind) if is_possible(action, each.body)} for each in objects}
    assert {
        each.name: {action["name"] for action in actions if not action.get("disabled")}
        for each, actions in zip(objects, offered, strict=True)
    } == wanted


@pytest.mark.parametrize(("field", "other"), [("workspaceRef", "templateRef"), ("templateRef", "workspaceRef")])
def test_a_job_of_a_workspace_or_a_template_is_repeated_by_its_owner(field: str, other: str) -> None:
    ended = next(each.body for each in jobs() if each.name == "completed")
    of_an_owner = ended | {"spec": ended["spec"] | {field: {"name": "dev", "uid": "uid-of-dev"}, other: {"name": "x"}}}
    of_nobody = ended | {"spec": ended["spec"] | {field: {"name": "dev"}, other: {"name": "x"}}}
    plan = of_an_owner | {"spec": of_an_owner["spec"] | {"type": "WorkspacePlan"}}

    offered = argocd_actions([of_an_owner, of_nobody, plan])
    assert ["retry" in _enabled(actions) for actions in offered] == [False, True, True]


@pytest.mark.parametrize("kind", WITH_ACTIONS)
def test_an_action_does_what_the_command_line_does(kind: str) -> None:
    by_name = {each.name: each.body for each in KINDS[kind]()}
    for name in EXAMPLES[kind]:
        for action in actions_of(kind):
            if is_possible(action, body := by_name[name]):
                assert argocd_impact(action, body).resource == changed_by(action, body), (name, action)


def test_a_retry_leaves_out_what_is_of_the_old_job_alone() -> None:
    canceled = next(each.body for each in jobs() if each.name == "canceled-stopped")
    body = canceled | {
        "metadata": canceled["metadata"] | {"labels": {"team": "a", "app.kubernetes.io/instance": "acme"}},
        "spec": canceled["spec"] | {"initiator": "sam", "canceledBy": "kim", "source": {"inline": {"files": {}}}},
    }
    impact = argocd_impact("retry", body)

    assert impact.operation == "create"
    assert impact.resource["metadata"] == {
        "generateName": "dev-7-retry-",
        "namespace": "acme",
        "annotations": {"provisioner.dev/retry-of": "dev-7"},
        "labels": {"team": "a"},
    }
    assert impact.resource["spec"].keys().isdisjoint({"cancel", "canceledBy", "initiator", "source", "tags"})


@pytest.mark.parametrize("kind", WITH_ACTIONS)
def test_the_tests_in_argo_cds_layout_pass(kind: str) -> None:
    folder = CUSTOMIZATIONS / kind / "actions"
    tests = _read(folder / "action_test.yaml")
    discoveries = tests["discoveryTests"]

    offered = argocd_actions(_read(folder / each["inputPath"]) for each in discoveries)
    assert offered == [each["result"] for each in discoveries]
    for each in tests["actionTests"]:
        output = _read(folder / each["expectedOutputPath"])
        wanted = output[0]["unstructuredObj"] if isinstance(output, list) else output
        assert argocd_impact(each["action"], _read(folder / each["inputPath"])).resource == wanted


def _enabled(actions: list[dict[str, Any]]) -> set[str]:
    return {action["name"] for action in actions if not action.get("disabled")}


def _read(path: Any) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))
