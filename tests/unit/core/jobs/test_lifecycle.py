import itertools

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.phase_rules import PHASE_AFTER
from provisioner_operator.core.jobs.lifecycle import (
    STARTED,
    TERMINAL,
    TRANSITIONS,
    IllegalTransitionError,
    require_legal,
)


def test_the_api_server_enforces_the_same_table() -> None:
    assert dict(TRANSITIONS) == PHASE_AFTER


@pytest.mark.parametrize(("current", "following"), list(itertools.product(Phase, Phase)))
def test_a_step_is_legal_exactly_if_the_table_has_it(current: Phase, following: Phase) -> None:
    if following in TRANSITIONS[current]:
        require_legal(current, following)
    else:
        with pytest.raises(IllegalTransitionError, match=f"a job that is {current} cannot become {following}"):
            require_legal(current, following)


def test_an_illegal_step_names_the_legal_ones() -> None:
    with pytest.raises(IllegalTransitionError, match=r"legal: Canceled, Canceling, Completed, Failed$"):
        require_legal(Phase.RUNNING, Phase.RUNNING)
    with pytest.raises(IllegalTransitionError, match=r"legal: nothing: the phase is final$"):
        require_legal(Phase.FAILED, Phase.RUNNING)


def test_a_final_phase_is_final() -> None:
    assert {Phase.COMPLETED, Phase.FAILED, Phase.CANCELED} == TERMINAL
    assert all(not TRANSITIONS[phase] for phase in TERMINAL)


def test_every_phase_can_be_reached_and_left_towards_an_end() -> None:
    reached = {Phase.PENDING}
    while (more := reached | {after for phase in reached for after in TRANSITIONS[phase]}) != reached:
        reached = more
    assert reached == set(Phase)


def test_a_run_starts_only_from_pending() -> None:
    assert [phase for phase in Phase if Phase.RUNNING in TRANSITIONS[phase]] == [Phase.PENDING]
    assert {Phase.RUNNING, Phase.CANCELING} == STARTED
