"""`workspaces state restore`: put a version in the place of the present state, under the state's lock.

The lock keeps Terraform away meanwhile. A run of the workspace would still plan on one state and apply to another, so there may be
none: neither a job that may start, nor a run that outlives its job.
"""

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.errors import PreconditionError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.workspaces.state_locking import locked_state
from provisioner_operator.cli.workspaces.state_reading import existing, part_path, read_history, require_version
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.states.file import UnreadableStateError, read_state, unpack
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.core.states.versions import NotRestorableError, restored, with_version
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, job_state, meta_of
from provisioner_operator.kube.selectors import UNFINISHED_JOBS
from provisioner_operator.kube.state_histories import STATE_KEY, history_changes, packed_state, state_body, text_of


def restore_state(session: Session, name: str, number: int) -> None:
    """Restore the version, unless a job of the workspace may run or the state is locked."""
    cluster = session.cluster
    _, history = read_history(cluster, name)
    require_version(history, number, name)
    _require_no_run(cluster, name)
    with locked_state(cluster, name, f"restore of version {number}"):
        # Again: a run that began before the lock was taken may hold a plan.
        _require_no_run(cluster, name)
        try:
            serial = _restore(cluster, name, number)
        except (NotRestorableError, UnreadableStateError) as error:
            raise PreconditionError(str(error)) from None
    session.terminal.say(
        f"{name}: version {number} is the present state, with serial {serial}. No resource was changed: "
        "`workspaces rebuild` compares them with it."
    )


def _restore(cluster: Cluster, name: str, number: int) -> int:
    """Replace the state and return its new serial; what it replaces is kept first, so that nothing that fails next loses it."""
    kept, history = read_history(cluster, name)
    require_version(history, number, name)
    version = read_state(unpack(history.packed[number]))
    body = existing(cluster, paths.secret(cluster.namespace, state_secret(name)))
    if body is None:
        packed = restored(version, None)
        cluster.create(paths.secrets(cluster.namespace), state_body(name, packed))
    else:
        if existing(cluster, part_path(cluster, name, 1)) is not None:
            raise NotRestorableError(
                "The present state takes several Secrets: pull the version, and push it with Terraform."
            )
        present = packed_state(body)
        current = read_state(unpack(present))
        packed = restored(version, current)
        origin = f"before a restore of {number}"
        after = with_version(history, current, present, origin=origin, now=cluster.now())
        if kept is not None and after is not history:
            _write_data(cluster, kept, history_changes(history, after))
        _write_data(cluster, body, {STATE_KEY: text_of(packed)})
    return read_state(unpack(packed)).serial


def _write_data(cluster: Cluster, body: Body, changes: JsonObject) -> None:
    """Change keys of a Secret that is still as it was read; null removes one."""
    meta = meta_of(body)
    patch = JsonPatch(
        tests=(("/metadata/uid", meta.uid), ("/metadata/resourceVersion", meta.resource_version)),
        sets=tuple((f"/data/{key}", value) for key, value in changes.items() if value is not None),
        removes=tuple(f"/data/{key}" for key, value in changes.items() if value is None),
    )
    cluster.json_patch(paths.secret(cluster.namespace, meta.name), patch)


def _require_no_run(cluster: Cluster, name: str) -> None:
    for body in cluster.list(paths.jobs(cluster.namespace), {"fieldSelector": UNFINISHED_JOBS}):
        if ((body.get("spec") or {}).get("workspaceRef") or {}).get("name") != name:
            continue
        job = job_state(body)
        if not (job.suspend and job.phase is Phase.PENDING):
            raise PreconditionError(
                f"Job {job.meta.name} of the workspace is {job.phase}: wait until it has ended, cancel it, or suspend it before it starts."
            )
    for body in cluster.list(paths.daemons(cluster.namespace)):
        runs = (body.get("status") or {}).get("currentJobs") or ()
        if any(each.get("workspace") == name for each in runs):
            raise PreconditionError(
                f"Daemon {meta_of(body).name} still runs a job of the workspace: wait until that has ended."
            )
