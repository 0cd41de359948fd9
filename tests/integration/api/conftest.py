"""Jobs in each phase, for rules about changes: made once per module and worker, and only tried to be changed."""

from collections.abc import Callable

import pytest

from integration.api.violations.frozen import FULL_SPEC, WORKSPACE
from integration.api.violations.row import FRESH, NEVER_STARTED, UNSTAMPED
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import JOBS
from support.builders.manifests import a_job_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.phases import FINISHED_AT, bring_to
from support.cluster.shared_cluster import Cluster, GivenCluster


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster, module_namespace: str) -> Kubectl:
    """The cluster's administrator, in the module's namespace."""
    return Kubectl(cluster.kubeconfig, module_namespace)


@pytest.fixture(scope="module")
def unstamped(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The administrator under a name that does not fit a field, so that the API server stamps it nowhere."""
    users = GivenCluster(kubectl.kubeconfig, tmp_path_factory.mktemp("users"))
    return Kubectl(users.kubeconfig_for("l" * 254, ("system:masters",)), kubectl.namespace)


@pytest.fixture(scope="module")
def job_in(kubectl: Kubectl, unstamped: Kubectl) -> Callable[[Phase | str], str]:
    """Call it with a phase, or another state of the tables, for the name of such a job. In a phase it has `spec.cancel`."""
    made: dict[Phase | str, str] = {}

    def job(phase: Phase | str) -> str:
        if phase not in made:
            name = made[phase] = phase.lower()
            if phase == FRESH:
                kubectl.create(a_job_manifest(name, **FULL_SPEC))
            elif phase == UNSTAMPED:
                unstamped.create(a_job_manifest(name))
            elif phase == NEVER_STARTED:
                kubectl.create(a_job_manifest(name))
                failed = {"phase": "Failed", "finishedAt": FINISHED_AT}
                kubectl.patch("pj", name, {"status": failed}, subresource="status")
            else:
                kubectl.create(a_job_manifest(name, cancel=True, initiator=None))
                bring_to(Phase(phase), kubectl, name)
        return made[phase]

    return job


@pytest.fixture(scope="module")
def name_of(
    kubectl: Kubectl, unstamped: Kubectl, job_in: Callable[[Phase | str], str]
) -> Callable[[str, Phase | str], str]:
    """Call it with a kind and a state for the name of an object to be changed."""
    made: dict[str, str] = {}

    def find(kind: str, state: Phase | str) -> str:
        if kind == JOBS:
            return job_in(state)
        if state not in made:
            stored = unstamped.create(a_workspace_manifest(state)) if state == UNSTAMPED else kubectl.create(WORKSPACE)
            made[state] = stored["metadata"]["name"]
        return made[state]

    return find
