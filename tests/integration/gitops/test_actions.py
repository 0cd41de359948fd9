"""Argo CD's actions on the real API server, by dry runs with the rights of Argo CD's server."""

import pytest

from support.cluster.api import Reply
from support.cluster.kubectl import Kubectl
from support.gitops.argocd_config import actions_of
from support.gitops.engines import argocd_impact
from support.gitops.objects import KINDS
from support.manifests import Manifest

ACTIONS = sorted(action for kind in KINDS for action in actions_of(kind))
DENIALS = {
    **dict.fromkeys(("cancel", "force-cancel"), 'the verb "cancel" on resource "provisionerjobs"'),
    "retry": 'cannot create resource "provisionerjobs"',
    **dict.fromkeys(("start", "stop", "rebuild"), 'lacks the verb "impersonate" on resource "workspaces"'),
}
"""The requests that are denied without the component; the other actions need no more than Argo CD has by itself."""


@pytest.mark.parametrize("action", ACTIONS)
def test_with_the_component_every_action_passes(
    action: str, targets: dict[str, Manifest], with_actions: Kubectl
) -> None:
    reply = _run(action, targets[action], with_actions)

    assert reply.ok, str(reply)
    if action == "retry":
        assert reply.body["metadata"]["name"].startswith("ended-retry-")
    else:
        assert reply.body["spec"] != targets[action]["spec"]


@pytest.mark.parametrize("action", ACTIONS)
def test_without_the_component_exactly_those_are_denied_that_the_page_names(
    action: str, targets: dict[str, Manifest], without_actions: Kubectl
) -> None:
    reply = _run(action, targets[action], without_actions)

    if action in DENIALS:
        assert DENIALS[action] in reply.refusal
    else:
        assert reply.ok, str(reply)


def _run(action: str, body: Manifest, server: Kubectl) -> Reply:
    """Do as Argo CD's server does with the result of an action, as a dry run."""
    impact = argocd_impact(action, body)
    if impact.operation == "create":
        return server.api.create(impact.resource, dry_run=True)
    assert impact.patch is not None
    assert impact.patch.keys() == {"spec"}
    return server.api.patch(body["kind"], body["metadata"]["name"], impact.patch, dry_run=True)
