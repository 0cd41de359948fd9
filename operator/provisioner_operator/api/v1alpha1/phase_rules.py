"""Life of a job as the API server enforces it: the legal steps between phases, and the requirements of each phase.

`PHASE_AFTER` is the table of steps. The rules apply to every writer (controller, daemon, admin), so no bug or late
report can revive an ended job.
"""

from typing import Final

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.rules import IMMUTABLE, Rule, one_of, rule, unchanged

PHASE_AFTER: Final[dict[Phase, frozenset[Phase]]] = {
    Phase.PENDING: frozenset({Phase.RUNNING, Phase.CANCELED, Phase.FAILED}),
    Phase.RUNNING: frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELING, Phase.CANCELED}),
    Phase.CANCELING: frozenset({Phase.CANCELED, Phase.FAILED, Phase.COMPLETED}),
    Phase.COMPLETED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.CANCELED: frozenset(),
}
"""The legal steps. A phase with none is terminal."""

TERMINAL_PHASES = one_of(phase for phase, following in PHASE_AFTER.items() if not following)
"""The CEL list of the final phases."""
_STARTED = one_of([Phase.RUNNING, Phase.CANCELING, Phase.COMPLETED])
_LEGAL_STEPS = " || ".join(
    f"(oldSelf == '{phase}' && self in {one_of(following)})" for phase, following in PHASE_AFTER.items() if following
)
_IS_START = f"self.phase == '{Phase.RUNNING}' && oldSelf.phase == '{Phase.PENDING}'"
_SAME_ASSIGNMENT = " && ".join(
    (
        *(f"self.assignment.{field} == oldSelf.assignment.{field}" for field in ("daemon", "daemonUID", "id", "time")),
        "has(self.assignment.podUID) == has(oldSelf.assignment.podUID)",
        "(!has(self.assignment.podUID) || self.assignment.podUID == oldSelf.assignment.podUID)",
    )
)

STEP_RULE: Rule = rule(
    f"self == oldSelf || {_LEGAL_STEPS}",
    "status.phase cannot change in this way",
    message_expression="'a job that is ' + oldSelf + ' cannot become ' + self",
    reason="FieldValueForbidden",
)
"""Rule of the phase itself."""

END_RULE: Rule = rule(
    IMMUTABLE,
    "status.finishedAt cannot change once the job is Completed, Failed or Canceled",
    reason="FieldValueForbidden",
)
"""Rule of the time itself, which no job has before its end, so that it is set once.

The start has none: an administrator may have written one into the status of a pending job, which starts nevertheless.
"""

STATUS_RULES: tuple[Rule, ...] = (
    rule(
        f"!(self.phase in {_STARTED}) || has(self.assignment)",
        "a job that is Running, Canceling or Completed requires status.assignment",
        field="assignment",
        reason="FieldValueRequired",
    ),
    rule(
        f"!(self.phase in {_STARTED}) || has(self.startedAt)",
        "a job that is Running, Canceling or Completed requires status.startedAt",
        field="startedAt",
        reason="FieldValueRequired",
    ),
    rule(
        f"!(self.phase in {TERMINAL_PHASES}) || has(self.finishedAt)",
        "a job that is Completed, Failed or Canceled requires status.finishedAt",
        field="finishedAt",
        reason="FieldValueRequired",
    ),
    rule(
        # An absent field costs the API server half as much as one that is there.
        f"!has(self.finishedAt) || self.phase in {TERMINAL_PHASES}",
        "status.finishedAt is set only with the phase Completed, Failed or Canceled",
        field="finishedAt",
        reason="FieldValueForbidden",
    ),
    rule(
        f"!({_IS_START}) || (has(self.assignment) && has(oldSelf.assignment) && {_SAME_ASSIGNMENT})",
        "a job keeps its assignment when it starts: only status.assignment.instance may be added",
        field="assignment",
        reason="FieldValueForbidden",
    ),
    rule(
        f"oldSelf.phase == '{Phase.PENDING}' || {unchanged('assignment')}",
        "status.assignment cannot change once the job is no longer Pending",
        field="assignment",
        reason="FieldValueForbidden",
    ),
    rule(
        f"oldSelf.phase == '{Phase.PENDING}' || {unchanged('startedAt')}",
        "status.startedAt cannot change once the job is no longer Pending",
        field="startedAt",
        reason="FieldValueForbidden",
    ),
    rule(
        f"!(oldSelf.phase in {TERMINAL_PHASES}) || {unchanged('reason')}",
        "status.reason cannot change once the job is Completed, Failed or Canceled",
        field="reason",
        reason="FieldValueForbidden",
    ),
)
