import pytest

from provisioner_operator.api.v1alpha1.limits import LONGEST_OUTPUT, LONGEST_VARIABLE_NAME, MOST_OUTPUTS
from provisioner_operator.core.jobs.outcome import Output
from provisioner_operator.daemon.execution.outputs import Outputs


@pytest.mark.parametrize("name", ["größe", "a b", "-a", "1a", "", "a\n", "x" * (LONGEST_VARIABLE_NAME + 1)])
def test_an_output_with_a_name_that_a_status_refuses_is_left_out_alone_and_named(name: str) -> None:
    outputs = Outputs()
    notices = outputs.note({name: 1, "kept": {"a": "ü"}})
    assert outputs.recorded == (Output("kept", '{"a": "ü"}'),)
    assert [notice.startswith(f"Output {name} is left out of the job's status") for notice in notices] == [True]


def test_the_name_of_a_refused_output_is_shortened_in_the_log() -> None:
    for length, shown in ((200, "ü" * 200), (201, "ü" * 200 + "…")):
        [notice] = Outputs().note({"ü" * length: 1})
        assert notice.startswith(f"Output {shown} is left out")


def test_the_longest_name_is_recorded() -> None:
    outputs = Outputs()
    assert outputs.note({"x" * LONGEST_VARIABLE_NAME: 1}) == []
    assert outputs.recorded == (Output("x" * LONGEST_VARIABLE_NAME, "1"),)


def test_more_outputs_than_a_status_holds_are_named() -> None:
    outputs = Outputs()
    notices = outputs.note({f"o{number}": 1 for number in range(MOST_OUTPUTS + 2)})
    assert len(outputs.recorded) == MOST_OUTPUTS
    assert [notice.split()[1] for notice in notices] == ["o64", "o65"]
    assert outputs.note({"o1": "again"}) == []
    assert Output("o1", "again") in outputs.recorded


def test_a_value_stays_whole_until_its_secrets_are_masked() -> None:
    outputs = Outputs()
    long = "v" * (LONGEST_OUTPUT + 1)
    assert outputs.note({"long": long, "short": "v" * LONGEST_OUTPUT}) == [
        f"Output long is cut in the job's status to {LONGEST_OUTPUT} characters."
    ]
    assert outputs.recorded[0].value == long
