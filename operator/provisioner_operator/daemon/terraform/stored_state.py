"""Find out which state a run uses, and whether it exists, for a run that must not make one. Used by `provisioner`.

The `kubernetes` backend stores an empty state, under the lock, as soon as it is initialized without one.
"""

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType, StateBackend
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.daemon.execution.provisioner import Task, UnpreparedError
from provisioner_operator.daemon.inputs.objects import ATTEMPTS, SECONDS, Reader
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import KubeError, NotFoundError


async def workspace_with_state(reader: Reader, task: Task) -> str | None:
    """Return the workspace whose state the run uses; None if it keeps none and there is none to read. Raises UnpreparedError."""
    job, place = task.job, task.model.spec.state
    if job.type not in {JobType.WORKSPACE_BUILD, JobType.WORKSPACE_PLAN}:
        return None
    if job.workspace is None:
        raise UnpreparedError(EndReason.RUN_FAILED, f"A {job.type} needs spec.workspaceRef. Submit it with one.")
    in_secrets = place is None or place.backend is StateBackend.KUBERNETES
    # A plan that is kept names its backend, so it has to be the one to which it is applied.
    only_reads = job.type is JobType.WORKSPACE_PLAN and not task.model.spec.keep_plan
    if in_secrets and only_reads and not await _has_state(reader, job.namespace, job.workspace):
        return None
    return job.workspace


async def _has_state(reader: Reader, namespace: str, workspace: str) -> bool:
    secret = state_secret(workspace)
    path = paths.secret(namespace, secret)
    try:
        await until_answered(lambda: reader.get(path), attempts=ATTEMPTS, seconds=SECONDS)
    except NotFoundError:
        return False
    except KubeError as error:
        raise UnpreparedError(
            EndReason.RUN_FAILED,
            f"Secret {secret} in namespace {namespace}, which holds the workspace's state, could not be read: {error}. "
            "Submit the job again.",
        ) from None
    return True
