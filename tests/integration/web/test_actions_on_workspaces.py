"""Actions on workspaces and their builds while an operator and a daemon run, as owner, admin and others."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from integration.conftest import ROLES
from integration.workspaces.conftest import PARAMETERS, Team, a_team, a_workspace
from provisioner_operator.api.v1alpha1.enums import UpdatePolicy
from provisioner_operator.core.jobs.requests import CancelRequest
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, InvalidError, NotFoundError
from provisioner_operator.web.actions import jobs, workspaces
from provisioner_operator.web.actions.outcome import Outcome, Result
from provisioner_operator.web.actions.retry import retry
from provisioner_operator.web.actions.target import ObjectRef
from support.cluster.shared_cluster import Cluster
from support.programs.user_clients import UserClients, user_clients
from support.unique import unique

SECOND = [*PARAMETERS, {"name": "second", "default": "", "mutable": True}]
"""Parameters of a second version."""

Action = Callable[[KubeClient, ObjectRef], Awaitable[Outcome]]


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with an operator, a daemon, and the templates `template` and `lenient`, which lets owners cancel."""
    with (
        a_team(cluster, module_namespace) as team,
        team.product.operator(),
        team.product.daemon("worker", capacity=8),
    ):
        team.make_template()
        team.make_template("lenient", allowUserCancel=True)
        yield team


@pytest.fixture(scope="module")
def users(team: Team) -> Iterator[UserClients]:
    """Users of the module's namespace; `owner` may do what a submitter may."""
    with user_clients(team.admin, ROLES | {"owner": "provisioner-submitter"}) as users:
        yield users


def ref(team: Team, kind: str, name: str) -> ObjectRef:
    return ObjectRef(team.product.namespace, name, team.admin.get(kind, name)["metadata"]["uid"])


def a_built_one(team: Team, users: UserClients, phase: str = "Running", **spec: Any) -> ObjectRef:
    """Make a workspace of the user `owner`, and wait until it is in this phase."""
    name = unique("ws")
    team.make(name, owner=users.name("owner"), **spec)
    team.until(name, phase)
    return ref(team, "ws", name)


def act(users: UserClients, user: str, action: Action, target: ObjectRef) -> Outcome:
    return users.act(user, lambda client: action(client, target))


def with_size(size: str) -> Action:
    return lambda client, workspace: workspaces.start(client, workspace, parameters={"size": size})


def started_again(client: KubeClient, workspace: ObjectRef) -> Awaitable[Outcome]:
    return workspaces.start(client, workspace, again=True)


def test_only_its_owner_and_admins_stop_and_start_a_workspace(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users)
    for user in ("nobody", "viewer", "submitter"):
        with pytest.raises(ForbiddenError):
            act(users, user, workspaces.stop, workspace)

    assert act(users, "owner", workspaces.stop, workspace).message == "It will be stopped."
    again = act(users, "owner", workspaces.stop, workspace)
    assert (again.result, again.cause) == (Result.NOTHING_TO_DO, Cause.DESIRED_ALREADY)
    team.until(workspace.name, "Stopped", build=2)
    assert act(users, "namespace-admin", workspaces.start, workspace).message == "It will be started."
    team.until(workspace.name, "Running", build=3)


def test_a_start_takes_new_values_and_repeats_what_is_desired_already(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users, size=1)

    assert act(users, "owner", with_size("4"), workspace).result is Result.DONE
    body = team.until(workspace.name, "Running", build=2)
    assert {"name": "size", "value": "4"} in body["status"]["parameters"]
    assert act(users, "owner", workspaces.start, workspace).result is Result.NOTHING_TO_DO
    assert act(users, "owner", started_again, workspace).result is Result.DONE
    team.until(workspace.name, "Running", build=3)


def test_a_value_that_the_template_does_not_allow_is_refused_by_the_api_server(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users)
    with pytest.raises(InvalidError, match=r"spec\.parameters"):
        act(users, "owner", with_size("large"), workspace)


def test_a_failed_build_is_repeated_by_a_rebuild(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users, "Failed", fail="boom")
    assert act(users, "owner", workspaces.rebuild, workspace).message == "It will be started again."
    team.until(workspace.name, "Failed", build=2)


def test_a_retry_of_a_build_goes_through_its_workspace_and_builds_once(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users, "Failed", fail="boom")
    build = ref(team, "pj", f"{workspace.name}-1")
    for user in ("viewer", "submitter"):
        with pytest.raises(ForbiddenError):
            act(users, user, retry, build)

    outcome = act(users, "owner", retry, build)
    repeated = act(users, "owner", retry, build)

    assert (outcome.result, outcome.message) == (Result.DONE, f"Workspace {workspace.name} will be started again.")
    assert repeated.cause in {Cause.CHANGE_PENDING, Cause.NOT_LATEST_BUILD}
    team.until(workspace.name, "Failed", build=2)
    assert team.transitions(workspace.name) == ["Start", "Start"]
    late = act(users, "owner", retry, build)
    assert (late.result, late.cause) == (Result.REFUSED, Cause.NOT_LATEST_BUILD)


def test_a_retry_of_a_build_whose_workspace_is_gone_is_refused(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users, deletionPolicy="Orphan")
    build = ref(team, "pj", f"{workspace.name}-1")
    team.admin.run("delete", "ws", workspace.name)

    outcome = act(users, "owner", retry, build)

    assert (outcome.result, outcome.cause) == (Result.REFUSED, Cause.OWNER_GONE)
    assert f"The workspace {workspace.name} that created {build.name} is gone" in outcome.message


def test_a_retry_of_an_import_goes_through_its_template(team: Team, users: UserClients) -> None:
    name = unique("wst")
    version = team.make_template(name)
    build = ref(team, "pj", f"{version}-import")
    with pytest.raises(ForbiddenError):
        act(users, "submitter", retry, build)
    assert act(users, "namespace-admin", retry, build).message == f"Template {name} will be imported again."
    assert team.admin.get("wst", name)["spec"]["importGeneration"] == 1


@pytest.mark.parametrize(("template", "may"), [("template", False), ("lenient", True)])
def test_its_owner_cancels_a_build_where_the_template_allows_it(
    team: Team,
    users: UserClients,
    template: str,
    may: bool,  # noqa: FBT001 - a column
) -> None:
    name = unique("ws")
    team.make(name, owner=users.name("owner"), hold="true", templateRef={"name": template})
    team.product.ledger.await_run(f"{name}-1")
    build = ref(team, "pj", f"{name}-1")

    def cancel(client: KubeClient, job: ObjectRef) -> Awaitable[Outcome]:
        return jobs.cancel(client, job, CancelRequest(reason="a change of mind"))

    with pytest.raises(ForbiddenError):
        act(users, "submitter", cancel, build)
    if may:
        assert act(users, "owner", cancel, build).result is Result.DONE
        team.product.jobs.until(build.name, "Canceled")
    else:
        with pytest.raises(ForbiddenError, match='the verb "cancel"'):
            act(users, "owner", cancel, build)
        team.product.ledger.release(build.name)
        team.product.jobs.until(build.name, "Completed")


def test_a_workspace_moves_to_the_active_version_and_to_a_pinned_one(team: Team, users: UserClients) -> None:
    template = unique("wst")
    first = team.make_template(template)
    workspace = a_built_one(team, users, templateRef={"name": template})
    assert act(users, "owner", workspaces.update, workspace).cause is Cause.VERSION_IN_USE
    team.admin.patch("wst", template, {"spec": {"parameters": SECOND}})
    body = team.templates.until_latest(template, lambda body: body["status"].get("activeVersion") not in {None, first})
    second = body["status"]["activeVersion"]

    assert act(users, "owner", workspaces.update, workspace).message == f"It moves to version {second}."
    assert team.until(workspace.name, "Running", build=2)["status"]["version"] == second

    back = act(users, "owner", lambda client, target: workspaces.start(client, target, version=first), workspace)
    assert back.result is Result.DONE
    assert team.until(workspace.name, "Running", build=3)["status"]["version"] == first


def test_the_settings_of_a_workspace_are_changed_by_its_owner_and_not_by_others(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users)
    actions: dict[str, Action] = {
        "updatePolicy": lambda client, target: workspaces.set_update_policy(client, target, UpdatePolicy.ON_START),
        "autostopSeconds": lambda client, target: workspaces.set_autostop(client, target, 86_400),
    }
    for action in actions.values():
        with pytest.raises(ForbiddenError):
            act(users, "submitter", action, workspace)
        assert act(users, "owner", action, workspace).result is Result.DONE
        again = act(users, "owner", action, workspace)
        assert (again.result, again.cause) == (Result.NOTHING_TO_DO, Cause.AS_REQUESTED)
    spec = team.admin.get("ws", workspace.name)["spec"]
    assert {field: spec[field] for field in actions} == {
        "updatePolicy": "OnStart",
        "autostopSeconds": 86_400,
    }
    assert (
        act(users, "owner", lambda client, it: workspaces.set_autostop(client, it, None), workspace).result
        is Result.DONE
    )
    assert "autostopSeconds" not in team.admin.get("ws", workspace.name)["spec"]


def test_a_deleted_workspace_is_destroyed_first(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users)
    for user in ("viewer", "submitter"):
        with pytest.raises(ForbiddenError):
            act(users, user, workspaces.delete, workspace)

    outcome = act(users, "owner", workspaces.delete, workspace)

    assert outcome.message == "It is being deleted: its resources are destroyed first."
    team.product.jobs.until(f"{workspace.name}-2", "Completed")
    assert team.transitions(workspace.name) == ["Start", "Delete"]


def test_the_resources_of_an_orphaned_workspace_are_kept(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users)

    def orphan(client: KubeClient, target: ObjectRef) -> Awaitable[Outcome]:
        return workspaces.delete(client, target, orphan=True)

    with pytest.raises(ForbiddenError):
        act(users, "submitter", orphan, workspace)
    assert team.admin.get("ws", workspace.name)["spec"]["deletionPolicy"] == "Delete"
    assert act(users, "owner", orphan, workspace).result is Result.DONE
    team.admin.run("wait", "--for=delete", f"ws/{workspace.name}", "--timeout=60s")
    assert team.transitions(workspace.name) == ["Start"]


def test_another_workspace_of_the_name_is_never_hit(team: Team, users: UserClients) -> None:
    name = unique("ws")
    team.admin.create(a_workspace(name, owner=users.name("owner"), running=False))
    earlier = ObjectRef(team.product.namespace, name, "uid-of-an-earlier-one")
    for action in (workspaces.start, workspaces.delete, workspaces.update, workspaces.rebuild):
        with pytest.raises(NotFoundError):
            act(users, "owner", action, earlier)
    assert team.admin.get("ws", name)["spec"]["running"] is False


def test_a_workspace_that_was_never_started_has_nothing_to_repeat(team: Team, users: UserClients) -> None:
    workspace = a_built_one(team, users, "Stopped", running=False)
    for action in (workspaces.rebuild, lambda client, target: workspaces.stop(client, target, again=True)):
        outcome = act(users, "owner", action, workspace)
        assert (outcome.result, outcome.cause) == (Result.NOTHING_TO_DO, Cause.NEVER_STARTED)
