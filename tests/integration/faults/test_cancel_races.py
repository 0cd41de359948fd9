"""Cancels that race with the assignment, start or end of a job, whose outcome is always consistent.

Two kubectl processes walk down the same list of jobs: one lets each job go (`suspend: false`), the other cancels it.
How far the second is behind differs from batch to batch, so that the cancels fall on every step of a job's life.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from support.cluster.kubectl import patch_arguments
from support.test_namespace import ProductNamespace, condition, names

BATCHES = 5
IN_A_BATCH = 10

AGAINST_ASSIGNMENT = (0.0, 0.01, 0.02, 0.04, 0.08)
AGAINST_COMPLETION = (0.25, 0.3, 0.35, 0.45, 0.6)
"""Delays in seconds of the cancels of each batch; a job that takes 0.2 s ends within them."""


@pytest.mark.parametrize(
    ("lags", "seconds"),
    [(AGAINST_ASSIGNMENT, 0.5), (AGAINST_COMPLETION, 0.2)],
    ids=["against assignment", "against completion"],
)
def test_fifty_cancels_raced_against_a_jobs_progress_each_end_consistently(
    product: ProductNamespace, lags: tuple[float, ...], seconds: float
) -> None:
    with product.operator(), product.daemon("daemon", capacity=IN_A_BATCH, grace=30), ThreadPoolExecutor(1) as second:
        for batch, lag in enumerate(lags):
            jobs = names(f"batch-{batch}", IN_A_BATCH)
            product.submit_all(jobs, suspend=True, seconds=seconds)
            for name in jobs:
                product.jobs.until(name, lambda body: "suspendedAt" in body["status"])
            canceling = second.submit(_cancel_behind, product, jobs, lag)
            # Jobs that have ended refuse what follows: one that was canceled is not let go, and the other way round.
            product.admin.attempt("patch", "pj", *jobs, *patch_arguments({"spec": {"suspend": False}}))
            canceling.result()
            product.jobs.until_all(jobs)
    outcomes = [_outcome(product, name) for batch in range(BATCHES) for name in names(f"batch-{batch}", IN_A_BATCH)]
    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})  # noqa: T201 - a measurement, shown with -rP
    assert len(outcomes) == BATCHES * IN_A_BATCH
    product.ledger.assert_nothing_twice()


def _cancel_behind(product: ProductNamespace, jobs: list[str], lag: float) -> None:
    Event().wait(lag)
    product.admin.attempt("patch", "pj", *jobs, *patch_arguments({"spec": {"cancel": True}}))


def _outcome(product: ProductNamespace, name: str) -> str:
    """Return the job's outcome, after checking that all records of it agree."""
    job = product.jobs.latest()[name]
    phases, status = product.jobs.phases(name), job["status"]
    runs = product.ledger.runs_of(name)
    cancel = condition(job, "CancelRequested").get("reason", "none")
    match phases[-1]:
        case "Canceled":
            assert condition(job, "Stalled")["status"] == "True"
            if cancel == "NeverStarted":
                assert runs == []
                assert "startedAt" not in status
            else:
                assert cancel == "Stopped"
                assert [run.code for run in runs if run.code == 0] == []
        case "Completed":
            assert cancel == ("TooLate" if job["spec"]["cancel"] else "none")
            assert status["observedGeneration"] == job["metadata"]["generation"]
            assert [run.code for run in runs] == [0]
            assert condition(job, "Ready")["status"] == "True"
        case other:
            pytest.fail(f"{name} is {other}: {status}")
    return f"{phases[-1]}, cancel {cancel}"
