"""Words for the states of daemons."""

import pytest

from provisioner_operator.cli.daemons.listing import parse_states
from provisioner_operator.cli.errors import UsageError


def test_states_are_given_in_any_case_and_with_commas() -> None:
    assert parse_states(["Idle,busy", " offline "]) == {"idle", "busy", "offline"}
    assert parse_states([]) == frozenset()


def test_an_unknown_state_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no daemon status 'lost'\. Choose from: idle, busy"):
        parse_states(["lost"])
