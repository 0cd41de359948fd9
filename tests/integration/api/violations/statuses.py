"""The life of a job: what each phase requires, and what is final."""

from typing import Any

from integration.api.violations.row import FRESH, LATER, Change
from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import an_assignment
from support.cluster.phases import FINISHED_AT, STARTED_AT

_STARTING: dict[str, Any] = {"phase": "Running", "startedAt": STARTED_AT}
_ANOTHER = "a job keeps its assignment when it starts: only status.assignment.instance may be added"
_ENDED = {"finishedAt": FINISHED_AT}
_FINAL_ASSIGNMENT = "status.assignment cannot change once the job is no longer Pending"
_FINAL_START = "status.startedAt cannot change once the job is no longer Pending"
_FINAL_END = "status.finishedAt cannot change once the job is Completed, Failed or Canceled"
_FINAL_REASON = "status.reason cannot change once the job is Completed, Failed or Canceled"
_STEP = "status.phase cannot change in this way"


def _status(rule: str, job: Phase | str, at: str, message: str = "", /, **change: Any) -> Change:
    return Change(rule, job, {"status": change}, f"status.{at}", message)


STATUSES = (
    _status(_STEP, Phase.FAILED, "phase", "a job that is Failed cannot become Running", phase="Running"),
    Change(_STEP, Phase.RUNNING, {"status": None}, "status.phase", "a job that is Running cannot become Pending"),
    _status(_STEP, Phase.RUNNING, "phase", "a job that is Running cannot become Pending", phase=None),
    _status(
        "a job that is Running, Canceling or Completed requires status.assignment", FRESH, "assignment", **_STARTING
    ),
    _status(
        "a job that is Running, Canceling or Completed requires status.startedAt",
        Phase.PENDING,
        "startedAt",
        phase="Running",
    ),
    *(
        _status(
            "a job that is Completed, Failed or Canceled requires status.finishedAt", phase, "finishedAt", phase=end
        )
        for phase, end in ((Phase.PENDING, "Canceled"), (Phase.RUNNING, "Failed"), (Phase.RUNNING, "Completed"))
    ),
    *(
        _status(
            "status.finishedAt is set only with the phase Completed, Failed or Canceled", phase, "finishedAt", **_ENDED
        )
        for phase in (Phase.PENDING, Phase.RUNNING, Phase.CANCELING)
    ),
    _status(_ANOTHER, FRESH, "assignment", **_STARTING, assignment=an_assignment()),
    *(
        _status(_ANOTHER, Phase.PENDING, "assignment", **_STARTING, assignment=assignment)
        for assignment in (
            None,
            {"daemon": "another"},
            {"daemonUID": "another"},
            {"id": "another"},
            {"time": LATER},
            {"podUID": "another"},
        )
    ),
    *(
        _status(_FINAL_ASSIGNMENT, phase, "assignment", assignment=assignment)
        for phase in sorted(set(Phase) - {Phase.PENDING})
        for assignment in (None, {"instance": "another"}, {"id": "another"}, {"daemonUID": "another"})
    ),
    *(
        _status(_FINAL_START, phase, "startedAt", startedAt=time)
        for phase in sorted(set(Phase) - {Phase.PENDING})
        for time in (LATER, None)
    ),
    *(
        _status(rule, phase, field, **{field: value})
        for phase in (Phase.COMPLETED, Phase.FAILED, Phase.CANCELED)
        for rule, field, value in (
            (_FINAL_END, "finishedAt", LATER),
            ("a job that is Completed, Failed or Canceled requires status.finishedAt", "finishedAt", None),
            (_FINAL_REASON, "reason", "Else"),
            (_FINAL_REASON, "reason", None),
        )
    ),
    _status(
        "a job becomes Canceled only if spec.cancel is true", FRESH, "phase", phase="Canceled", finishedAt=FINISHED_AT
    ),
)
