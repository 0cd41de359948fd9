"""Estimates hold as often as they say, in all kinds of queues; `python -m bench.estimates` replays more of each."""

import pytest

from bench.estimates.coverage import measure
from bench.estimates.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_percentiles_hold_as_often_as_they_say(scenario: Scenario) -> None:
    found = measure(scenario, range(3), hours=12, question_gap=600)
    assert found.cases >= 50
    assert found.unknown <= 0.05 * found.cases
    assert found.holds, found
