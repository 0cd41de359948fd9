"""Every clause of every policy is broken by a case."""

from pathlib import Path

import pytest
import yaml

from integration.policies.cases import CASES
from integration.policies.cases.case import Case
from integration.policies.cases.world import World, build
from integration.policies.clauses import clauses_by_policy
from support.cel import clauses
from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster

BROKEN_BY = Path(__file__).parent / "cases" / "broken_by.yaml"
"""Each policy's clauses, with the title of a case that fails when the clause is dropped or turned."""


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
    if case.policy.startswith(("stamp-", "untracked-")) and not stamps:
        pytest.skip("this API server stamps nothing")

    assert case.fault(world.users[case.who], world.uids) is None


def test_every_clause_names_a_case_that_fails_without_it() -> None:
    named = yaml.safe_load(BROKEN_BY.read_text(encoding="utf-8"))

    assert {policy: set(clauses) for policy, clauses in named.items()} == clauses_by_policy()
    cases = {(case.policy, case.title) for case in CASES}
    assert {(policy, title) for policy, clauses in named.items() for title in clauses.values()} <= cases


def test_the_titles_of_a_policys_cases_differ() -> None:
    assert len({(case.policy, case.title) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("expression", "is_condition", "found"),
    [
        ("!a && (b || !c)", True, ["a", "b", "c"]),
        ("a ? b == 1 : c.size()", False, ["a", "b == 1"]),
        ("x.exists(y, y.z == 'a || b' && !y.w)", True, ["x.exists(y, ...)", "y.z == 'a || b'", "y.w"]),
        ("x.?y[?'k'].orValue('') != ''", False, ["x.?y[?'k'].orValue('') != ''"]),
        ("x.filter(each, each.ok).map(each, each.name)", False, ["each.ok"]),
        ('[Patch{op: "add", value: a == null ? b : c}]', False, ["a == null"]),
    ],
)
def test_an_expression_is_split_into_its_clauses(expression: str, found: list[str], *, is_condition: bool) -> None:
    assert [clause.text for clause in clauses(expression, boolean=is_condition)] == found
