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
