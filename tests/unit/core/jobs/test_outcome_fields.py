from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.api.v1alpha1.limits import LONGEST_OUTPUT, MOST_OUTPUTS
from provisioner_operator.core.jobs.outcome import Outcome, Output
from provisioner_operator.core.jobs.outcome_fields import outcome_fields


def test_an_output_beyond_its_bound_is_marked_as_cut() -> None:
    whole, long = "v" * LONGEST_OUTPUT, "w" * (LONGEST_OUTPUT + 1)
    outcome = Outcome(
        Phase.COMPLETED, EndReason.COMPLETED, "done", outputs=(Output("whole", whole), Output("long", long))
    )
    shown = dict(outcome_fields(outcome))["/status/outputs"]
    assert isinstance(shown, list)
    first, second = (str(each["value"]) for each in shown if isinstance(each, dict))
    assert first == whole
    assert second == "w" * (LONGEST_OUTPUT - 24) + "… [cut: 4097 characters]"
    assert len(second) == LONGEST_OUTPUT


def test_no_more_outputs_are_written_than_a_status_holds() -> None:
    outputs = tuple(Output(f"o{number}", "") for number in range(MOST_OUTPUTS + 1))
    outcome = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done", outputs=outputs)
    shown = dict(outcome_fields(outcome))["/status/outputs"]
    assert isinstance(shown, list)
    assert len(shown) == MOST_OUTPUTS


def test_the_digest_of_a_kept_plan_is_reported() -> None:
    outcome = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done", plan_digest="d" * 64)
    assert dict(outcome_fields(outcome)) == {"/status/planDigest": "d" * 64}
