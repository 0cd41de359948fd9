"""Transition of a job to a phase, by the same writes as a controller's and a daemon's, on the real API server."""

from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import an_assignment
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

STARTED_AT = "2026-01-01T00:01:00Z"
FINISHED_AT = "2026-01-01T00:02:00Z"

_ASSIGNED = {"assignment": an_assignment()}
_STEPS: dict[Phase, tuple[Manifest, ...]] = {
    Phase.PENDING: (_ASSIGNED,),
    Phase.RUNNING: (_ASSIGNED, {"phase": "Running", "startedAt": STARTED_AT}),
}
_STEPS[Phase.CANCELING] = (*_STEPS[Phase.RUNNING], {"phase": "Canceling"})
for _end, _before in (
    (Phase.COMPLETED, Phase.RUNNING),
    (Phase.FAILED, Phase.RUNNING),
    (Phase.CANCELED, Phase.CANCELING),
):
    _STEPS[_end] = (*_STEPS[_before], {"phase": str(_end), "finishedAt": FINISHED_AT, "reason": "Example"})


def bring_to(phase: Phase, kubectl: Kubectl, name: str) -> Manifest:
    """Bring a new job to the phase, assigned to the daemon `daemon`; for Canceled it must have `spec.cancel`."""
    for change in _STEPS[phase]:
        kubectl.patch("pj", name, {"status": change}, subresource="status")
    return kubectl.get("pj", name)
