"""All 36 steps between phases, asked of the API server."""

from collections.abc import Callable
from itertools import product

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from support.cluster.kubectl import Kubectl
from support.cluster.phases import FINISHED_AT, STARTED_AT
from support.manifests import Manifest

LEGAL = {
    (Phase.PENDING, Phase.RUNNING),
    (Phase.PENDING, Phase.CANCELED),
    (Phase.PENDING, Phase.FAILED),
    (Phase.RUNNING, Phase.COMPLETED),
    (Phase.RUNNING, Phase.FAILED),
    (Phase.RUNNING, Phase.CANCELING),
    (Phase.RUNNING, Phase.CANCELED),
    (Phase.CANCELING, Phase.CANCELED),
    (Phase.CANCELING, Phase.FAILED),
    (Phase.CANCELING, Phase.COMPLETED),
}
TERMINAL = {Phase.COMPLETED, Phase.FAILED, Phase.CANCELED}


@pytest.mark.parametrize(("before", "after"), list(product(Phase, Phase)))
def test_a_job_takes_only_the_legal_steps(
    before: Phase, after: Phase, kubectl: Kubectl, job_in: Callable[[Phase | str], str]
) -> None:
    name = job_in(before)

    reply = kubectl.api.patch("pj", name, _step(before, after), subresource="status", dry_run=True)

    if before == after or (before, after) in LEGAL:
        assert reply.body["status"]["phase"] == after
    else:
        assert f"a job that is {before} cannot become {after}" in reply.refusal


def _step(before: Phase, after: Phase) -> list[Manifest]:
    """The step with all that the phase requires, so that the step itself is all that can be wrong with it."""
    patch: list[Manifest] = [
        {"op": "test", "path": "/status/phase", "value": before},
        {"op": "replace", "path": "/status/phase", "value": after},
    ]
    if before == Phase.PENDING and after not in {Phase.PENDING, Phase.FAILED, Phase.CANCELED}:
        patch.append({"op": "add", "path": "/status/startedAt", "value": STARTED_AT})
    if before not in TERMINAL and after in TERMINAL:
        patch.append({"op": "add", "path": "/status/finishedAt", "value": FINISHED_AT})
    return patch
