"""Refuse a run whose workspace still has its state in Secrets, when the job keeps it in another backend. Used by `provisioner`.

Terraform would find no state in the new place, and create everything a second time.
"""

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.core.states.file import UnreadableStateError, read_state, unpack
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.inputs.objects import Reader
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import KubeError, NotFoundError
from provisioner_operator.kube.state_histories import packed_state

_SECONDS = 45.0
"""Time for all tries of the request, as for other inputs of a job."""


async def require_no_state_in_secrets(reader: Reader, *, namespace: str, workspace: str) -> None:
    """Return if the workspace has no resources in a state in Secrets. Raises UnpreparedError."""
    name = state_secret(workspace)
    try:
        body = await until_answered(lambda: reader.get(paths.secret(namespace, name)), seconds=_SECONDS)
    except NotFoundError:
        return
    except KubeError as error:
        raise UnpreparedError(
            EndReason.RUN_FAILED,
            f"It is unknown whether Secret {name} in namespace {namespace} still holds a state: {error}. Submit the job again.",
        ) from None
    try:
        is_empty = not read_state(unpack(packed_state(body))).resources
    except UnreadableStateError:
        is_empty = False
    if not is_empty:
        raise UnpreparedError(
            EndReason.RUN_FAILED,
            f"The state of workspace {workspace} is still in Secret {name} of namespace {namespace}, and spec.state names another place, "
            "where everything would be created a second time. Move the state there, then delete the Secret and retry; or set "
            "spec.state back.",
        )
