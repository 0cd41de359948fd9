"""Explanations of a namespace are kept as long as it has daemons or pools."""

from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.namespace_explanations import NamespaceExplanations
from support.builders.core import a_daemon, a_demand
from support.builders.pools import a_pool


def a_candidate() -> Candidate:
    return Candidate(a_daemon(), online=True, free=True)


def test_each_namespace_is_explained_by_its_own_daemons() -> None:
    explanations, demand = NamespaceExplanations(), a_demand()
    assert explanations.of(demand.namespace).explain(demand) is not None

    explanations.put_daemon(a_candidate())
    assert explanations.of(demand.namespace).explain(demand) is None
    assert explanations.of("other").candidates() == []

    explanations.remove_daemon(demand.namespace, a_daemon().uid)
    assert explanations.of(demand.namespace).explain(demand) is not None


def test_nothing_is_kept_of_a_namespace_without_daemons_and_pools() -> None:
    explanations, pool = NamespaceExplanations(), a_pool(replicas=1)
    explanations.put_daemon(a_candidate())
    explanations.put_pool(pool)
    assert len(explanations) == 1

    explanations.forget_pool(pool.uid)
    assert len(explanations) == 1
    explanations.remove_daemon(a_daemon().namespace, a_daemon().uid)
    assert len(explanations) == 0
