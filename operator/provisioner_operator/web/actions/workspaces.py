"""Start, stop, rebuild, update, configure and delete workspaces."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, Transition, UpdatePolicy
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError
from provisioner_operator.core.workspaces import requests
from provisioner_operator.core.workspaces.idempotency_key import KeyedRequest, earlier_request, remembering
from provisioner_operator.core.workspaces.requests import WorkspaceState
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ConflictError, NotFoundError
from provisioner_operator.kube.object_states import Body
from provisioner_operator.kube.workspace_states import template_state, workspace_state
from provisioner_operator.web.actions.change import change
from provisioner_operator.web.actions.outcome import Outcome, done
from provisioner_operator.web.actions.target import Target, read_target

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_AGAIN = {
    Transition.START: "will be started again.",
    Transition.STOP: "will be stopped again.",
    Transition.DELETE: "will be destroyed again.",
}


async def start(
    client: KubeClient,
    workspace: Target,
    *,
    parameters: Mapping[str, str] = _NO_PARAMETERS,
    version: str | None = None,
    again: bool = False,
    request: KeyedRequest | None = None,
) -> Outcome:
    """Start a workspace.

    Args:
        client: The user's client.
        workspace: The workspace.
        parameters: Values to start it with; others stay as they are.
        version: The template's version to pin; by default the spec decides.
        again: Build also if it is already set to be running.
        request: Nothing is done if the workspace remembers that this was carried out before.
    """

    def decide(state: WorkspaceState) -> JsonPatch:
        if again or parameters or version is not None:
            return requests.start_patch(state, parameters=parameters, version=version)
        return requests.running_patch(state, running=True)

    return await _change(client, workspace, decide, "It will be started.", request)


async def stop(
    client: KubeClient, workspace: Target, *, again: bool = False, request: KeyedRequest | None = None
) -> Outcome:
    """Stop a workspace; `again` builds also if it is already set to be stopped. `request` is as for a start."""

    def decide(state: WorkspaceState) -> JsonPatch:
        return requests.stop_patch(state) if again else requests.running_patch(state, running=False)

    return await _change(client, workspace, decide, "It will be stopped.", request)


async def rebuild(client: KubeClient, workspace: Target, parameters: Mapping[str, str] = _NO_PARAMETERS) -> Outcome:
    """Repeat the latest build of a workspace, with these values; others stay as they are."""
    path = paths.workspace(workspace.namespace, workspace.name)

    return await change(
        client,
        path,
        workspace,
        lambda body: requests.rebuild_patch(workspace_state(body), parameters),
        lambda before: describe_rebuild(workspace_state(before), "It"),
    )


def describe_rebuild(workspace: WorkspaceState, subject: str) -> str:
    """Return the outcome of a rebuild in words, with the newer version that the workspace does not use, if there is one."""
    again = f"{subject} {_AGAIN[workspace.desired_transition]}"
    return f"{again} {workspace.outdated}" if workspace.outdated else again


async def update(client: KubeClient, workspace: Target) -> Outcome:
    """Move a workspace to the active version of its template."""
    body = await read_target(client, paths.workspace(workspace.namespace, workspace.name), workspace)
    name = workspace_state(body).template
    active = template_state(await client.get(paths.template(workspace.namespace, name))).active_version
    return await _change(
        client, workspace, lambda state: requests.update_patch(state, active), f"It moves to version {active}."
    )


async def set_autostop(client: KubeClient, workspace: Target, seconds: int | None) -> Outcome:
    """Set the time after a start at which the workspace is stopped; None for never."""
    said = "It does not stop by itself any more." if seconds is None else "Its autostop is set."
    return await _change(client, workspace, lambda state: requests.autostop_patch(state, seconds), said)


async def set_update_policy(client: KubeClient, workspace: Target, policy: UpdatePolicy) -> Outcome:
    """Set the time at which the workspace moves to its template's active version."""
    said = f"Its updatePolicy is {policy} now."
    return await _change(client, workspace, lambda state: requests.update_policy_patch(state, policy), said)


async def delete(client: KubeClient, workspace: Target, *, orphan: bool = False) -> Outcome:
    """Delete a workspace and destroy its resources; `orphan` keeps the resources, and Terraform's state."""
    if orphan:
        kept = await _change(
            client, workspace, lambda state: requests.deletion_policy_patch(state, DeletionPolicy.ORPHAN), ""
        )
        if kept.is_refused:
            return kept
    try:
        body = await client.delete(paths.workspace(workspace.namespace, workspace.name), uid=workspace.uid)
    except ConflictError as error:
        raise NotFoundError(404, str(error)) from error
    if body is None:
        return done("It is deleted.", None)
    ending = "its resources are kept" if orphan else "its resources are destroyed first"
    return done(f"It is being deleted: {ending}.", body)


async def _change(
    client: KubeClient,
    workspace: Target,
    decide: Callable[[WorkspaceState], JsonPatch],
    said: str,
    request: KeyedRequest | None = None,
) -> Outcome:
    def decide_once(body: Body) -> JsonPatch:
        state = workspace_state(body)
        if request is None:
            return decide(state)
        if earlier_request(state.meta, request) is not None:
            raise NothingToChangeError(Cause.REPEATED, "The same request was carried out before.")
        return remembering(decide(state), state.meta, request)

    path = paths.workspace(workspace.namespace, workspace.name)
    return await change(client, path, workspace, decide_once, lambda _: said)
