import re

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.jobs.ordering import creation_key, natural, queue_key
from support.builders.core import a_job


def test_higher_priority_goes_before_older_age() -> None:
    assert queue_key(a_job(priority=1, created=100)) < queue_key(a_job(priority=0, created=0))


def test_of_equal_priority_the_oldest_goes_first() -> None:
    assert queue_key(a_job("z", created=1)) < queue_key(a_job("a", created=2))


def test_jobs_of_one_second_go_in_the_order_of_their_numbers() -> None:
    assert queue_key(a_job("dev-9")) < queue_key(a_job("dev-10"))


def test_priority_does_not_change_the_order_within_a_workspace() -> None:
    assert creation_key(a_job("dev-1", priority=0)) < creation_key(a_job("dev-2", priority=9))


def test_names_of_any_shape_can_be_compared() -> None:
    names = ["a", "1", "a1", "1a", "a-1-b", "a1b2", ""]
    assert sorted(names, key=natural) == sorted(sorted(names, reverse=True), key=natural)


NAMES = st.text(alphabet="ab-.0123", max_size=8)


def parts(name: str) -> list[tuple[int, str]]:
    """A name's texts and numbers in turn, beginning with a text."""
    return [(int(part), "") if at % 2 else (-1, part) for at, part in enumerate(re.split(r"(\d+)", name))]


@given(NAMES, NAMES)
def test_texts_compare_as_texts_and_numbers_as_numbers(one: str, other: str) -> None:
    assert (natural(one) < natural(other)) == (parts(one) < parts(other))
    assert (natural(one) == natural(other)) == (parts(one) == parts(other))
