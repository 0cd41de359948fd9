"""An outcome that the API server refuses loses what the run produced, then the rest of its details."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Outcome, Output, ResourceChange, StageTiming
from provisioner_operator.daemon.jobs.reduced_outcome import bare, reduced

DONE = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done")
VARIABLE = DeclaredVariable("size")


@pytest.mark.parametrize(
    "details",
    [
        {"outputs": (Output("ip", "10.0.0.1"),)},
        {"resources": (ResourceChange("disk", "disk", "create"),)},
        {"timings": (StageTiming("apply", 1.0, 2.0),)},
    ],
)
def test_what_the_run_produced_goes_first_and_the_message_says_so(details: dict[str, object]) -> None:
    outcome = replace(DONE, variables=(VARIABLE,), stage="apply", **details)  # type: ignore[arg-type]
    less = reduced(outcome, "too much")
    assert less == replace(
        DONE,
        variables=(VARIABLE,),
        stage="apply",
        message="done Its outputs, resources and stages could not be recorded: too much.",
    )


@pytest.mark.parametrize(
    ("outcome", "phase", "reason"),
    [
        (DONE, Phase.FAILED, EndReason.RUN_FAILED),
        (Outcome(Phase.CANCELED, EndReason.CANCELED, "stopped"), Phase.CANCELED, EndReason.CANCELED),
    ],
)
def test_an_import_without_its_variables_has_not_succeeded(outcome: Outcome, phase: Phase, reason: EndReason) -> None:
    less = reduced(replace(outcome, variables=(VARIABLE,)), "too much")
    assert less is not None
    assert (less.phase, less.reason, less.variables) == (phase, reason, ())
    assert less.message.startswith("The variables that the template declares could not be recorded: too much.")


def test_at_last_nothing_but_a_short_message_is_left() -> None:
    less = reduced(replace(DONE, stage="apply", message="x" * 1001), "no")
    assert less == replace(DONE, message="x" * 999 + "…")
    assert reduced(replace(DONE, message="x" * 1000), "no") is None
    assert bare(replace(DONE, message="x" * 1000)).message == "x" * 1000


@pytest.mark.parametrize(("length", "quoted"), [(500, "r" * 500), (501, "r" * 499 + "…")])
def test_of_a_long_refusal_the_beginning_is_quoted(length: int, quoted: str) -> None:
    less = reduced(replace(DONE, outputs=(Output("ip", "x"),)), "r" * length)
    assert less is not None
    assert less.message.endswith(f" could not be recorded: {quoted}.")
