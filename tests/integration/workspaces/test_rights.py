"""Ownership of a workspace, its allowed parameters, and permission to cancel its jobs, all enforced by the API server."""

import time
from collections.abc import Callable, Iterator

import pytest

from integration.workspaces.conftest import Team, a_team, a_workspace
from support.builders.manifests import a_job_manifest, a_template_manifest, a_workspace_manifest, role_binding
from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl, patch_arguments
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest
from support.unique import unique

CHOICES: list[Manifest] = [
    {"name": "size", "type": "number", "default": "1", "mutable": True, "validation": {"min": 1, "max": 8}},
    {"name": "gpu", "type": "bool", "default": "false"},
    {"name": "zone", "default": "a", "options": [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]},
    {"name": "team", "default": "core", "mutable": True, "validation": {"regex": "^[a-z]+$", "error": "small letters"}},
    {"name": "hold", "type": "bool", "default": "false", "mutable": True},
]


@pytest.fixture(scope="module")
def place(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, a daemon and two templates, one of which lets owners cancel."""
    with (
        a_team(cluster, module_namespace) as place,
        place.product.operator(),
        place.product.daemon("worker", capacity=8),
    ):
        place.make_template("template", parameters=CHOICES)
        place.make_template("lenient", parameters=CHOICES, allowUserCancel=True)
        yield place


@pytest.fixture(scope="module")
def user(place: Team, cluster: Cluster) -> Callable[[str], Kubectl]:
    """Return a function that binds a new user to a role in the namespace."""

    def bind(role: str) -> Kubectl:
        name = unique(role)
        grant_roles(place.admin, [role_binding(name, f"provisioner-{role}", namespace=place.product.namespace)])
        return Kubectl(cluster.kubeconfig_for(name), place.product.namespace)

    return bind


def _name(user: Kubectl) -> str:
    return user.run("auth", "whoami", "--output=jsonpath={.status.userInfo.username}").stdout


def test_the_creator_of_a_workspace_is_its_owner_and_the_initiator_of_its_jobs(
    place: Team, user: Callable[[str], Kubectl]
) -> None:
    if not has_stamping(place.admin):
        pytest.skip("this API server stamps nothing")
    sam = user("submitter")

    sam.create(a_workspace("owned"))

    job = place.product.jobs.until("owned-1", "Completed")
    assert (job["spec"]["initiator"], job["spec"]["workspaceRef"]["owner"]) == (_name(sam), _name(sam))
    place.admin.patch("ws", "owned", {"spec": {"rebuildGeneration": 1}})
    job = place.product.jobs.until("owned-2", "Completed")
    # The last editor is recorded, and the owner stays.
    assert job["spec"]["initiator"] != _name(sam)
    assert job["spec"]["workspaceRef"]["owner"] == _name(sam)


def test_only_its_owner_and_admins_may_change_a_workspace(user: Callable[[str], Kubectl]) -> None:
    sam, tim, ada = user("submitter"), user("submitter"), user("admin")
    sam.create(a_workspace("private", owner=_name(sam), running=False))

    for refusal in (
        tim.refusal("patch", "ws", "private", *patch_arguments({"spec": {"running": True}})),
        tim.refusal("delete", "ws", "private"),
        tim.refusal("patch", "ws", "private", *patch_arguments({"metadata": {"finalizers": None}})),
    ):
        assert f'workspaces "private" belongs to "{_name(sam)}"' in refusal
        assert "provisioner-admin" in refusal
    assert ada.attempt("patch", "ws", "private", *patch_arguments({"spec": {"autostopSeconds": 60}})).ok
    assert sam.attempt("delete", "ws", "private").ok


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"owner": "somebody-else"}, 'spec.owner "somebody-else" is not your own name'),
        ({"initiator": "somebody-else"}, 'spec.initiator "somebody-else" is not your own name'),
        ({"tags": {"scope": "user", "owner": "somebody-else"}}, 'the tag owner "somebody-else" is not your own name'),
    ],
    ids=str,
)
def test_a_workspace_cannot_be_created_for_another_user(
    spec: Manifest, says: str, place: Team, user: Callable[[str], Kubectl]
) -> None:
    sam = user("submitter")

    assert says in sam.api.create(a_workspace_manifest("forged", **spec)).refusal
    assert place.admin.api.create(a_workspace_manifest("x", **spec), dry_run=True).ok


@pytest.mark.parametrize(
    "spec",
    [
        {"workspaceRef": {"name": "dev", "uid": "uid-of-another"}},
        {"workspaceRef": {"name": "dev", "owner": "somebody-else"}},
        {"templateRef": {"name": "template", "uid": "uid-of-another"}},
        {"ownerMayCancel": True},
    ],
    ids=str,
)
def test_a_user_cannot_submit_a_job_that_looks_like_the_controllers(
    spec: Manifest, user: Callable[[str], Kubectl]
) -> None:
    refusal = user("submitter").api.create(a_job_manifest("forged", **spec)).refusal

    assert 'lacks the verb "impersonate"' in refusal


def test_a_job_by_hand_changes_no_workspace_of_another_user(place: Team, user: Callable[[str], Kubectl]) -> None:
    sam, tim, ada = user("submitter"), user("submitter"), user("admin")
    sam.create(a_workspace("coveted", owner=_name(sam)))
    place.product.jobs.until("coveted-1", "Completed")
    destroy = {"transition": "Delete", "workspaceRef": {"name": "coveted"}}

    tim.create(a_job_manifest("stolen", **destroy, initiator=_name(tim)))
    sam.create(a_job_manifest("by-its-owner", **destroy, initiator=_name(sam)))
    ada.create(a_job_manifest("by-an-admin", **destroy | {"workspaceRef": {"name": "coveted", "owner": _name(sam)}}))

    stolen = place.product.jobs.until("stolen", "Failed")["status"]
    assert (stolen["reason"], stolen.get("assignment")) == ("NotWorkspaceOwner", None)
    assert f'Workspace coveted belongs to "{_name(sam)}"' in stolen["message"]
    for name in ("by-its-owner", "by-an-admin"):
        place.product.jobs.until(name, "Completed")


def test_an_owner_cancels_the_jobs_of_a_workspace_where_the_template_allows_it(
    place: Team, user: Callable[[str], Kubectl]
) -> None:
    sam, tim = user("submitter"), user("submitter")
    cancel = patch_arguments({"spec": {"cancel": True, "cancelReason": "wrong size"}})
    for name, template in (("mine", "lenient"), ("theirs", "template")):
        sam.create(a_workspace(name, owner=_name(sam), templateRef={"name": template}, hold="true"))
        place.product.ledger.await_run(f"{name}-1")

    assert 'may not cancel provisionerjobs "mine-1"' in tim.refusal("patch", "pj", "mine-1", *cancel)
    assert 'may not cancel provisionerjobs "theirs-1"' in sam.refusal("patch", "pj", "theirs-1", *cancel)
    assert sam.attempt("patch", "pj", "mine-1", *cancel).ok
    place.product.jobs.until("mine-1", "Canceled")
    place.product.ledger.release("theirs-1")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("sise", "1", 'template "template" has no parameter sise; it has size, gpu, zone, team, hold'),
        ("size", "large", 'size is "large" and must be a number'),
        ("size", "9", 'size is "9" and must be at least 1 and at most 8'),
        ("gpu", "yes", 'gpu is "yes" and must be true or false'),
        ("zone", "c", 'zone is "c" and must be one of "a", "b"'),
        ("team", "Core", 'team is "Core" and must be a match of ^[a-z]+$'),
    ],
)
def test_an_invalid_parameter_is_rejected_at_once(name: str, value: str, says: str, place: Team) -> None:
    manifest = a_workspace_manifest("unfit", parameters=[{"name": name, "value": value}])

    assert says in place.admin.api.create(manifest, dry_run=True).refusal


def test_a_parameter_without_a_default_is_required(place: Team) -> None:
    place.admin.create(a_template_manifest("demanding", parameters=[{"name": "region"}]))
    manifest = a_workspace_manifest("unfit", templateRef={"name": "demanding"})

    def refused() -> bool:
        return "has no default for region" in place.admin.api.create(manifest, dry_run=True).refusal

    # The API server must have loaded the new template.
    place.templates.until("demanding", lambda _: True)
    assert _soon(refused)


def test_an_immutable_parameter_cannot_change_after_the_first_build(place: Team) -> None:
    place.make("fixed", parameters=[{"name": "zone", "value": "a"}])
    place.until("fixed", "Running", build=1)

    change = {"spec": {"parameters": [{"name": "zone", "value": "b"}]}}
    refusal = place.admin.api.patch("ws", "fixed", change).refusal

    assert "zone cannot change once the workspace was built" in refusal


def test_a_workspace_that_no_longer_fits_its_template_can_still_be_stopped(place: Team) -> None:
    place.make_template("shrinking", parameters=[{"name": "size", "default": "1", "mutable": True}])
    place.make("kept", templateRef={"name": "shrinking"}, parameters=[{"name": "size", "value": "5"}])
    place.until("kept", "Running", build=1)
    place.admin.patch("wst", "shrinking", {"spec": {"parameters": []}})
    place.templates.until_latest("shrinking", lambda body: not body["spec"].get("parameters"))

    place.admin.patch("ws", "kept", {"spec": {"autostopSeconds": 3600}})
    place.admin.patch("ws", "kept", {"spec": {"parameters": [], "running": False}})

    place.until("kept", "Stopped", build=2)


def _soon(test: Callable[[], bool]) -> bool:
    """Return whether the condition holds within some seconds."""
    deadline = time.monotonic() + 30
    while not test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
