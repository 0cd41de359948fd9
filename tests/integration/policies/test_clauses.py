"""Every clause of every policy is broken by a case."""

import pytest

from integration.policies.cases import CASES
from integration.policies.cases.case import Case
from integration.policies.cases.world import World, build
from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster


@pytest.fixture(scope="module")
def world(cluster: Cluster, module_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A namespace with the users and the objects of the cases."""
    return build(Kubectl(cluster.kubeconfig, module_namespace), tmp_path_factory.mktemp("users"))


@pytest.fixture(scope="module")
def stamps(cluster: Cluster) -> bool:
    """Whether this API server stamps; older ones leave the fields as they are."""
    return has_stamping(Kubectl(cluster.kubeconfig))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_is_answered_as_the_policies_have_it(case: Case, world: World, *, stamps: bool) -> None:
    if case.policy.startswith("stamp-") and not stamps:
        pytest.skip("this API server stamps nothing")

    assert case.fault(world.users[case.who], world.uids) is None
