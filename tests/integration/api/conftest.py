"""Jobs in each phase, for rules about changes: made once per module and worker, and only tried to be changed."""

from collections.abc import Callable

import pytest

from integration.api.violations import FRESH, FULL_SPEC, WORKSPACE
from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import a_job_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.phases import bring_to
from support.cluster.shared_cluster import Cluster


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster, module_namespace: str) -> Kubectl:
    """The cluster's administrator, in the module's namespace."""
    return Kubectl(cluster.kubeconfig, module_namespace)


@pytest.fixture(scope="module")
def job_in(kubectl: Kubectl) -> Callable[[Phase | str], str]:
    """Call it with a phase, or `fresh`, for the name of such a job. It has `spec.cancel`, but for the fresh one."""
    made: dict[Phase | str, str] = {}

    def job(phase: Phase | str) -> str:
        if phase not in made:
            name = made[phase] = phase.lower()
            if phase == FRESH:
                kubectl.create(a_job_manifest(name, **FULL_SPEC))
            else:
                kubectl.create(a_job_manifest(name, cancel=True, initiator=None))
                bring_to(Phase(phase), kubectl, name)
        return made[phase]

    return job


@pytest.fixture(scope="module")
def workspace(kubectl: Kubectl) -> str:
    """A workspace that is there to be changed."""
    name: str = kubectl.create(WORKSPACE)["metadata"]["name"]
    return name
