import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.model.matching import Demand, Supply, effective_tags, format_tags, satisfies, tags_match
from support.builders.core import a_demand

S = {"scope": "organization", "owner": ""}
E = {"environment": "on-prem"}
C = {"datacenter": "chicago"}
N = {"datacenter": "new_york"}


def user(name: str) -> dict[str, str]:
    return {"scope": "user", "owner": name}


A, B = user("aaa"), user("bbb")

ROWS = [
    ("S runs S", S, S, True, True),
    ("S E runs S E", S | E, S | E, True, True),
    ("S E C runs S E", S | E | C, S | E, True, True),
    ("S E C runs S E C", S | E | C, S | E | C, True, True),
    ("U(aaa) runs U(aaa)", A, A, True, True),
    ("U(aaa) E runs U(aaa)", A | E, A, True, True),
    ("U(aaa) E runs U(aaa) E", A | E, A | E, True, True),
    ("U(aaa) E C runs U(aaa) E", A | E | C, A | E, True, True),
    ("U(aaa) E C runs U(aaa) E C", A | E | C, A | E | C, True, True),
    ("S does not run S E", S, S | E, True, False),
    ("S E does not run S", S | E, S, True, False),
    ("S E does not run S E C", S | E, S | E | C, True, False),
    ("S E N does not run S E C", S | E | N, S | E | C, True, False),
    ("U(aaa) does not run S", A, S, True, False),
    ("U(aaa) does not run U(bbb)", A, B, True, False),
    ("S does not run U(aaa)", S, A, True, False),
    ("S does not run U(aaa) E", S, A | E, True, False),
    ("U(aaa) does not run U(aaa) E", A, A | E, True, False),
    ("U(aaa) E does not run U(aaa) E C", A | E, A | E | C, True, False),
    ("U(aaa) E C does not run U(aaa) E N", A | E | C, A | E | N, True, False),
    ("S E does not run S E of another organization", S | E, S | E, False, False),
]

texts = st.sampled_from(["a", "b", "c"])
plain_tags = st.dictionaries(texts, texts, max_size=3)
scopes = st.sampled_from([{}, S, A, B])
any_tags = st.builds(lambda tags, scope: tags | scope, plain_tags, scopes)


@pytest.mark.parametrize(
    ("daemon", "job", "same_organization", "runs"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_rule_is_coders(
    daemon: dict[str, str], job: dict[str, str], *, same_organization: bool, runs: bool
) -> None:
    supply = Supply("acme", frozenset({Provisioner.TERRAFORM}), effective_tags(daemon))
    demand = Demand("acme" if same_organization else "other", Provisioner.TERRAFORM, effective_tags(job))
    assert satisfies(supply, demand) is runs


def test_the_table_has_all_rows_of_coders() -> None:
    assert len(ROWS) == 21


@given(any_tags, any_tags, texts, texts)
def test_adding_a_tag_to_a_daemon_never_makes_a_tagged_job_unmatchable(
    daemon: dict[str, str], job: dict[str, str], key: str, value: str
) -> None:
    job_tags = effective_tags(job | {"tagged": "yes"})
    daemon = daemon | {"tagged": "yes"}
    if tags_match(effective_tags(daemon), job_tags) and key not in daemon:
        assert tags_match(effective_tags(daemon | {key: value}), job_tags)


@given(any_tags, any_tags)
def test_removing_a_tag_from_a_job_keeps_its_daemons_unless_it_was_the_last(
    daemon: dict[str, str], job: dict[str, str]
) -> None:
    offered = effective_tags(daemon)
    for key in job:
        fewer = effective_tags({other: value for other, value in job.items() if other != key})
        if key not in S and tags_match(offered, effective_tags(job)) and fewer != effective_tags({}):
            assert tags_match(offered, fewer)


@given(any_tags)
def test_a_daemon_with_exactly_the_tags_of_a_job_runs_it(tags: dict[str, str]) -> None:
    assert tags_match(effective_tags(tags), effective_tags(tags))


@given(any_tags)
def test_a_job_without_tags_runs_only_where_there_are_none(daemon: dict[str, str]) -> None:
    assert tags_match(effective_tags(daemon), effective_tags({})) is (effective_tags(daemon) == effective_tags({}))


@given(any_tags)
def test_effective_tags_are_as_they_were_when_taken_again(tags: dict[str, str]) -> None:
    once = effective_tags(tags)
    assert effective_tags(dict(once)) == once


def test_a_daemon_runs_only_its_programs() -> None:
    supply = Supply("acme", frozenset({Provisioner.TERRAFORM}), effective_tags({}))
    assert not satisfies(supply, a_demand(provisioner=Provisioner.ECHO))


def test_an_unknown_scope_means_organization() -> None:
    assert effective_tags({"scope": "galaxy", "owner": "me"}) == effective_tags({})


def test_tags_are_shown_without_what_is_implied() -> None:
    assert format_tags(effective_tags(E | C)) == "datacenter=chicago,environment=on-prem"
    assert format_tags(effective_tags({})) == "none"
    assert format_tags(effective_tags(A)) == "owner=aaa,scope=user"
