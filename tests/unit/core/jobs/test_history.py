"""The history of a namespace: the rules are tested in `tests/unit/core/scheduling/queueing/test_histories.py`, its cost here."""

from typing import Any

import pytest
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, Phase
from provisioner_operator.core.jobs import history
from provisioner_operator.core.jobs.history import History, HistoryLimits, PastJob, past_job
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from support.builders.core import NOON, a_running_job, an_ended_job


def steps_per_end(monkeypatch: pytest.MonkeyPatch, ended: int, ends: int = 50) -> float:
    """Count the heap entries that an end and the deletion which follows it touch."""
    steps = 0

    class Counting(KeyedHeap[str, object]):
        @override
        def put(self, key: str, priority: object) -> None:
            nonlocal steps
            steps += 1
            super().put(key, priority)

        @override
        def peek(self) -> tuple[object, str] | None:
            nonlocal steps
            steps += 1
            return super().peek()

    monkeypatch.setattr(history, "KeyedHeap", Counting)
    jobs = History(HistoryLimits(completed=ended // 2, failed=10, per_workspace=ended // 20))
    for number in range(ended):
        jobs.put(PastJob(f"job-{number}", number, completed=True, ran=True, workspace=f"w{number % 10}"))
    steps = 0
    for number in range(ended, ended + ends):
        beyond = jobs.put(PastJob(f"job-{number}", number, completed=True, ran=True, workspace=f"w{number % 10}"))
        for uid in beyond:
            jobs.discard(uid)
    return steps / ends


@pytest.mark.parametrize(
    ("fields", "is_in_history"),
    [
        *(({"background_reason": reason}, reason is not BackgroundWork.DRIFT) for reason in (None, *BackgroundWork)),
        ({"keeps_plan": True}, False),
        ({"keeps_plan": True, "background_reason": BackgroundWork.DRIFT}, False),
    ],
)
def test_the_history_is_about_ended_jobs_but_those_that_keep_a_plan_or_check_for_drift(
    fields: dict[str, Any],
    is_in_history: bool,  # noqa: FBT001 - a column
) -> None:
    job = an_ended_job(phase=Phase.FAILED, workspace="dev", finished=5, **fields)
    found = PastJob(job.uid, NOON + 5, completed=False, ran=True, workspace="dev")
    assert past_job(job) == (found if is_in_history else None)
    assert past_job(a_running_job(**fields)) is None


def test_an_end_costs_the_same_however_many_jobs_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = steps_per_end(monkeypatch, 200), steps_per_end(monkeypatch, 20_000)
    assert many <= few * 1.1
    assert many < 20


def test_a_workspace_whose_jobs_are_gone_is_forgotten() -> None:
    jobs = History(HistoryLimits(per_workspace=1))
    first, second = (PastJob(f"job-{at}", at, completed=True, ran=True, workspace="dev") for at in (1, 2))
    assert jobs.put(first) == []
    assert jobs.put(second) == ["job-1"]
    assert jobs.put(second) == []
    assert jobs.discard("job-2") == ["job-1"]
    assert jobs.due("job-1") is None
    assert jobs.discard("job-1") == []
    assert jobs.discard("job-1") == []
    assert list(jobs.jobs()) == []
    assert jobs.put(PastJob("import", 3, completed=True, ran=True)) == []
    assert "import" not in jobs
