"""Repeat a job that has ended: as a new job, or through the workspace or template that created it."""

from collections.abc import Iterable

from provisioner_operator.core.jobs.retry import (
    RETRY_OF,
    most_retries,
    require_ended,
    retry_manifest,
    retry_name_for,
    retry_names,
)
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, NotPossibleError
from provisioner_operator.core.workspaces.idempotency_key import KeyedRequest, earlier_request, remembering
from provisioner_operator.core.workspaces.retry_by_owner import (
    JobOwner,
    owner_gone,
    owner_of,
    repeated_build,
    repeated_import,
)
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import AlreadyExistsError, NotFoundError
from provisioner_operator.kube.object_states import Body, job_state, meta_of
from provisioner_operator.kube.workspace_states import template_state, workspace_state
from provisioner_operator.web.actions.change import change
from provisioner_operator.web.actions.outcome import Outcome, done, not_done
from provisioner_operator.web.actions.target import ObjectRef, Target, read_target
from provisioner_operator.web.actions.workspaces import describe_rebuild


async def retry(client: KubeClient, job: Target, key: str = "") -> Outcome:
    """Repeat a job that has ended. The outcome's body is the new job, or the workspace or template that makes one.

    A request with the same key as an earlier one finds the job that this one created, or that its owner was changed.
    """
    body = await read_target(client, paths.job(job.namespace, job.name), job)
    try:
        require_ended(job_state(body))
    except NotPossibleError as error:
        return not_done(error, body)
    owner = owner_of(job.name, body["spec"])
    if owner is None:
        names = [retry_name_for(job.name, job.uid, key)] if key else retry_names(job.name)
        return await _submit(client, body, names, is_idempotent=bool(key))
    try:
        return await _retry_by_owner(client, job, owner, key)
    except NotFoundError:
        return not_done(owner_gone(owner), body)


async def _submit(client: KubeClient, body: Body, names: Iterable[str], *, is_idempotent: bool) -> Outcome:
    meta = meta_of(body)
    for name in names:
        try:
            created = await client.create(paths.jobs(meta.namespace), retry_manifest(body, meta, name))
        except AlreadyExistsError:
            if not is_idempotent:
                continue
            created = await client.get(paths.job(meta.namespace, name))
            if meta_of(created).annotations.get(RETRY_OF) != meta.name:
                raise
        return done(f"Submitted again, as {name}.", created)
    return not_done(most_retries(meta.name), body)


async def _retry_by_owner(client: KubeClient, job: Target, owner: JobOwner, key: str) -> Outcome:
    of_workspace, namespace = owner.kind == "workspace", job.namespace
    path = paths.workspace(namespace, owner.name) if of_workspace else paths.template(namespace, owner.name)
    # Of whichever user: two who retry the same job want the same.
    request = KeyedRequest.of("", key, f"retry of {job.uid}", 0) if key else None

    def decide(body: Body) -> JsonPatch:
        if request is not None and earlier_request(meta_of(body), request) is not None:
            raise NothingToChangeError(Cause.REPEATED, "The same request was carried out before.")
        _require_settled(body)
        patch = (
            repeated_build(workspace_state(body), owner)
            if of_workspace
            else repeated_import(template_state(body), owner)
        )
        return patch if request is None else remembering(patch, meta_of(body), request)

    def describe(before: Body) -> str:
        if of_workspace:
            return describe_rebuild(workspace_state(before), f"Workspace {owner.name}")
        return f"Template {owner.name} will be imported again."

    return await change(client, path, ObjectRef(namespace, owner.name, owner.uid), decide, describe)


def _require_settled(body: Body) -> None:
    """Raise NothingToChangeError if the controller has yet to act on the spec: a repeated request must not build twice."""
    observed = (body.get("status") or {}).get("observedGeneration")
    if observed is not None and observed < body["metadata"]["generation"]:
        message = "A change that was requested before is about to be carried out."
        raise NothingToChangeError(Cause.CHANGE_PENDING, message)
