"""The product's own requests that Argo CD's actions stand for: whether each is possible, and what it changes."""

from collections.abc import Callable, Mapping
from typing import Any

import jsonpatch

from provisioner_operator.core.daemons.requests import cordon_patch
from provisioner_operator.core.jobs.requests import CancelRequest, cancel_patch, suspend_patch
from provisioner_operator.core.jobs.retry import require_ended, retry_manifest
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import NothingToChangeError, NotPossibleError
from provisioner_operator.core.workspaces.requests import import_patch, rebuild_patch, running_patch
from provisioner_operator.core.workspaces.retry_by_owner import owner_of
from provisioner_operator.kube.object_states import daemon_report, job_state, meta_of
from provisioner_operator.kube.workspace_states import template_state, workspace_state
from support.manifests import Manifest

CANCEL_REASON = "Canceled in Argo CD."
RETRY = "retry"
"""The only action that creates an object; all others change theirs."""

PATCHES: Mapping[str, Mapping[str, Callable[[Manifest], JsonPatch]]] = {
    "ProvisionerJob": {
        "cancel": lambda body: cancel_patch(job_state(body), CancelRequest(CANCEL_REASON)),
        "force-cancel": lambda body: cancel_patch(job_state(body), CancelRequest(CANCEL_REASON, force=True)),
        "resume": lambda body: suspend_patch(job_state(body), suspended=False),
        "suspend": lambda body: suspend_patch(job_state(body), suspended=True),
    },
    "Workspace": {
        "rebuild": lambda body: rebuild_patch(workspace_state(body)),
        "start": lambda body: running_patch(workspace_state(body), running=True),
        "stop": lambda body: running_patch(workspace_state(body), running=False),
    },
    "WorkspaceTemplate": {"reimport": lambda body: import_patch(template_state(body))},
    "ProvisionerDaemon": {
        "cordon": lambda body: cordon_patch(daemon_report(body), cordoned=True),
        "uncordon": lambda body: cordon_patch(daemon_report(body), cordoned=False),
    },
}
"""The request for each action of each kind. Each raises an error where it is not possible."""


def is_possible(action: str, body: Manifest) -> bool:
    """Return whether the product's other clients would carry out the request."""
    try:
        if action == RETRY:
            require_ended(job_state(body))
            return owner_of(body["metadata"]["name"], body["spec"]) is None
        PATCHES[body["kind"]][action](body)
    except (NothingToChangeError, NotPossibleError):
        return False
    return True


def changed_by(action: str, body: Manifest) -> Manifest:
    """Return the object that the request leaves, or makes."""
    if action == RETRY:
        retry = retry_manifest(body, meta_of(body), "")
        name = retry["metadata"].pop("name", None)
        assert name == ""
        generated = {"generateName": f"{body['metadata']['name']}-retry-", "namespace": body["metadata"]["namespace"]}
        spec = {field: value for field, value in retry["spec"].items() if value not in ({}, [])}
        return retry | {"metadata": retry["metadata"] | generated, "spec": spec}
    patch = PATCHES[body["kind"]][action](body)
    changes: list[dict[str, Any]] = [{"op": "add", "path": path, "value": value} for path, value in patch.sets]
    changed: Manifest = jsonpatch.JsonPatch(changes).apply(body)
    return changed
