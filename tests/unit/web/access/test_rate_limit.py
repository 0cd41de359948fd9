"""Each user may send so many requests in a minute, and is told how long to wait for the next."""

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.access import rate_limit
from provisioner_operator.web.access.rate_limit import RateLimit


def test_a_user_may_send_all_requests_of_a_minute_at_once() -> None:
    limit = RateLimit(512)

    assert [limit.wait("ada", now=0.0) for _ in range(512)] == [0] * 512
    assert limit.wait("ada", now=0.0) == 1


def test_a_refused_request_does_not_count() -> None:
    limit = RateLimit(6)
    for _ in range(6):
        limit.wait("ada", now=0.0)

    assert limit.wait("ada", now=0.0) == 10
    assert limit.wait("ada", now=5.0) == 5
    assert limit.wait("ada", now=10.0) == 0


def test_a_minute_later_all_requests_are_free_again() -> None:
    limit = RateLimit(3)
    assert [limit.wait("ada", now=0.0) for _ in range(4)] == [0, 0, 0, 20]
    assert [limit.wait("ada", now=60.0) for _ in range(4)] == [0, 0, 0, 20]


def test_one_user_does_not_use_up_the_requests_of_another() -> None:
    limit = RateLimit(1)

    assert limit.wait("ada", now=0.0) == 0
    assert limit.wait("sam", now=0.0) == 0
    assert limit.wait("ada", now=0.0) == 60


def test_the_number_of_users_that_are_remembered_is_bounded() -> None:
    limit = RateLimit(1)
    for number in range(rate_limit.MOST_KEYS + 1):
        limit.wait(str(number), now=0.0)

    assert limit.wait(str(rate_limit.MOST_KEYS), now=0.0) == 60
    assert limit.wait("0", now=0.0) == 0  # forgotten


@given(st.lists(st.floats(min_value=0, max_value=300), max_size=200))
def test_no_minute_has_more_than_twice_the_limit_whatever_the_times(times: list[float]) -> None:
    limit = RateLimit(10)
    passed = [time for time in sorted(times) if limit.wait("ada", time) == 0]

    for start in passed:
        assert sum(start <= time < start + 60 for time in passed) <= 20
    assert all(limit.wait("sam", time) == 0 for time in sorted(times)[:10])
