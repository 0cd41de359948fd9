"""Numbers that stand for others, and can be read by this process only."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.api.opaque_number import hide, reveal

NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS)
def test_each_number_is_found_again(number: int) -> None:
    assert reveal(hide(number)) == number
    assert hide(reveal(number)) == number
    assert 0 <= hide(number) < 2**64


def test_numbers_that_follow_each_other_look_like_any_others() -> None:
    hidden = [hide(number) for number in range(1000)]
    differing = [(one ^ other).bit_count() for one, other in pairwise(hidden)]
    assert 30 < sum(differing) / len(differing) < 34
