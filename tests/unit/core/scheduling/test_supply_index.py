"""The index of supplies: whoever is in none of the strings of a job's needs can run it."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.limits import MOST_SUPPLIES
from provisioner_operator.core.model.matching import Demand, Supply, effective_tags, satisfies
from provisioner_operator.core.scheduling.supply_index import ALPHABET, SupplyIndex, index_supplies

USER = {"scope": "user", "owner": "ann"}

free_tags = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
scopes = st.sampled_from([{}, {"scope": "organization"}, USER, {"scope": "user", "owner": "ben"}])
programs = st.sampled_from(list(Provisioner))
supplies = st.builds(
    lambda names, free, scope: Supply("acme", frozenset(names), effective_tags(free | scope)),
    st.sets(programs, min_size=1),
    free_tags,
    scopes,
)


def a_supply(*programs: Provisioner, **tags: str) -> Supply:
    return Supply("acme", frozenset(programs or {Provisioner.ECHO}), effective_tags(tags))


def test_each_need_has_the_letters_of_those_that_lack_it() -> None:
    found = index_supplies(
        [
            a_supply(),
            a_supply(gpu="yes", zone="a"),
            a_supply(Provisioner.TERRAFORM, gpu="yes"),
            a_supply(**USER),
        ]
    )
    assert found.letters == "abcd"
    assert found.lacking == {
        "echo": "c",
        "gpu=yes": "ad",
        "scope=organization": "d",
        "scope=user and owner=ann": "abc",
        "terraform": "abd",
        "untagged": "bcd",
        "zone=a": "acd",
    }
    assert found.size == sum(map(len, [*found.lacking, *found.lacking.values()]))


def test_nothing_offers_nothing() -> None:
    assert index_supplies([]) == SupplyIndex("", {})


def test_there_is_a_letter_for_each_of_the_most_supplies() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == MOST_SUPPLIES
    assert not set(ALPHABET) & set("^-]\\[ ")  # which would mean something in a class of a regular expression


@given(st.lists(supplies, max_size=6), programs, free_tags, scopes)
def test_who_lacks_no_need_satisfies_the_demand(
    offered: list[Supply], program: Provisioner, free: Mapping[str, str], scope: Mapping[str, str]
) -> None:
    found = index_supplies(offered)
    user = scope.get("scope") == "user"
    scoped = f"scope=user and owner={scope['owner']}" if user else "scope=organization"
    needs = [*(f"{key}={value}" for key, value in free.items()), scoped] if free or user else ["untagged"]
    lacking = "".join(found.lacking.get(need, found.letters) for need in [*needs, program])
    demand = Demand("acme", program, effective_tags({**free, **scope}))
    able = [letter for letter, each in zip(found.letters, offered, strict=True) if satisfies(each, demand)]
    assert able == [letter for letter in found.letters if letter not in lacking]
