"""Reduce an outcome that the API server refuses to record, step by step, to what it may accept. Pure; used by `writes`.

What a run produced (outputs, addresses, declarations) goes first: a job's end must not depend on it. The message says so.
"""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import clip

LONGEST_REFUSAL = 500
"""Characters of the API server's answer in the message; it may quote what it refuses."""
SHORT_MESSAGE = 1000
"""Characters of the message of an outcome of which nothing else is left."""


def reduced(outcome: Outcome, refusal: str) -> Outcome | None:
    """Return the outcome with less in it; None if nothing is left that could be refused."""
    why = clip(refusal, LONGEST_REFUSAL)
    if outcome.outputs or outcome.resources or outcome.timings:
        message = f"{outcome.message} Its outputs, resources and stages could not be recorded: {why}."
        return replace(outcome, message=message, outputs=(), resources=(), timings=())
    if outcome.variables:
        # A template without its variables would refuse every parameter: its import has failed.
        message = f"The variables that the template declares could not be recorded: {why}. Declare fewer, or describe them briefly."
        ended = (
            (Phase.FAILED, EndReason.RUN_FAILED)
            if outcome.phase is Phase.COMPLETED
            else (outcome.phase, outcome.reason)
        )
        return replace(outcome, phase=ended[0], reason=ended[1], message=message, variables=())
    if outcome != bare(outcome):
        return bare(outcome)
    return None


def bare(outcome: Outcome) -> Outcome:
    """Return the outcome with nothing but phase, reason and a short message."""
    return Outcome(outcome.phase, outcome.reason, clip(outcome.message, SHORT_MESSAGE))
