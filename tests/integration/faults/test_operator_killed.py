"""The controller dies at any moment and restarts: nothing is lost, nothing runs twice."""

import random
from collections.abc import Callable

import pytest

from support.manifests import Manifest
from support.test_namespace import ProductNamespace, names

JOBS = 60
KILLS = 6


def test_killed_at_random_moments_it_loses_and_repeats_nothing(product: ProductNamespace) -> None:
    jobs = names("job", JOBS)
    chance = random.Random(7)
    with product.daemon("one", capacity=4), product.daemon("two", capacity=4):
        product.submit_all(jobs, seconds=0.3)
        for kill in range(KILLS):
            with product.operator() as operator:
                # By the progress of the queue rather than by time: the kill comes in the middle of the work, however
                # slow the machine is.
                done = (kill + 1) * JOBS // (KILLS + 3)
                product.jobs.until_count(done, "Completed", "Running")
                while chance.random() < 0.5:
                    product.jobs.until_change()
                operator.kill()
        with product.operator():
            product.jobs.until_all(jobs)
    assert {name: product.jobs.phases(name)[-1] for name in jobs} == dict.fromkeys(jobs, "Completed")
    assert [run.code for run in product.ledger.runs()] == [0] * JOBS
    product.ledger.assert_nothing_twice()


def _assigned(body: Manifest) -> bool:
    return "assignment" in body["status"]


def _running(body: Manifest) -> bool:
    return bool(body["status"]["phase"] == "Running")


def _ended(body: Manifest) -> bool:
    return bool(body["status"]["phase"] == "Completed")


@pytest.mark.parametrize("change", [_assigned, _running, _ended], ids=["assigned", "running", "ended"])
def test_killed_after_each_write_of_a_job_it_continues_where_it_was(
    product: ProductNamespace, change: Callable[[Manifest], bool]
) -> None:
    with product.daemon("daemon"):
        with product.operator() as operator:
            product.submit("first", seconds=1, workspaceRef={"name": "dev"})
            product.submit("second", workspaceRef={"name": "dev"}, ttlSecondsAfterFinished=1)
            product.jobs.until("first", change)
            operator.kill()
        with product.operator():
            product.jobs.until_all(["first"], phases=["Completed"])
            product.jobs.until_gone("second")
    assert "Completed" in product.jobs.phases("second")
    product.ledger.assert_nothing_twice()
    product.ledger.assert_no_overlap()
    assert [run.job for run in product.ledger.runs()] == ["first", "second"]


def test_killed_between_a_cancel_and_its_end_it_finishes_the_cancel(product: ProductNamespace) -> None:
    product.a_daemon_without_process("silent")
    with product.operator() as operator:
        product.submit("job")
        product.jobs.until("job", _assigned)
        operator.kill()
    product.cancel("job")
    with product.operator():
        product.jobs.until("job", "Canceled")
    assert product.ledger.runs() == []


def test_deadlines_that_passed_while_it_was_down_are_enforced_after_the_start(product: ProductNamespace) -> None:
    with product.daemon("daemon"):
        with product.operator() as operator:
            product.submit_held("expired", ttlSecondsAfterFinished=0)
            operator.kill()
        product.ledger.release("expired")
        product.jobs.until("expired", "Completed")
        product.submit("overdue", tags={"nobody": "has-it"}, pendingTimeoutSeconds=1)
        with product.operator():
            product.jobs.until_gone("expired")
            job = product.jobs.until("overdue", "Failed")
    assert job["status"]["reason"] == "PendingTimeout"


def test_a_stop_signal_ends_it_at_once_and_gracefully(product: ProductNamespace) -> None:
    with product.operator() as operator:
        operator.terminate()
        assert operator.exit_code() == 0
