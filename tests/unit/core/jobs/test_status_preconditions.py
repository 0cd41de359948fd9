"""Writes that are refused because the object changed, or are not made because they are illegal."""

from collections.abc import Callable

import pytest

from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.lifecycle import IllegalTransitionError
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube.parsing import parse_job
from support.builders.core import NOON, a_job
from support.builders.written_jobs import (
    DAEMON,
    Body,
    RefusedError,
    a_body,
    acknowledge,
    after,
    apply,
    assign,
    begin_cancel,
    complete,
    deleting,
    edited,
    explain,
    give_up,
    release,
    stopped,
    suspend,
    time_out,
    withdraw,
)

PENDING, ASSIGNED, RUNNING = a_body(), after(a_body(), assign), after(a_body(), assign, acknowledge)
CANCELED_RUNNING = edited(RUNNING, cancel=True)
CANCELING = after(CANCELED_RUNNING, begin_cancel)
REASSIGNED = after(ASSIGNED, release, lambda job: status_writes.assign(job, DAEMON, "a2", NOON + 40))
NAMESAKE = {**PENDING, "metadata": PENDING["metadata"] | {"uid": "another"}}


@pytest.mark.parametrize(
    ("seen", "write", "meanwhile"),
    [
        pytest.param(PENDING, assign, ASSIGNED, id="assign what is assigned"),
        pytest.param(PENDING, assign, edited(PENDING, cancel=True), id="assign what is canceled"),
        pytest.param(PENDING, assign, edited(PENDING, suspend=True), id="assign what is suspended"),
        pytest.param(PENDING, assign, deleting(PENDING), id="assign what is being deleted"),
        pytest.param(PENDING, assign, after(PENDING, time_out), id="assign what has ended"),
        pytest.param(PENDING, assign, NAMESAKE, id="assign a later job of that name"),
        pytest.param(PENDING, explain, ASSIGNED, id="explain what is assigned"),
        pytest.param(ASSIGNED, release, RUNNING, id="release what runs"),
        pytest.param(ASSIGNED, release, REASSIGNED, id="release a later assignment"),
        pytest.param(ASSIGNED, acknowledge, after(ASSIGNED, release), id="acknowledge what was taken back"),
        pytest.param(ASSIGNED, acknowledge, REASSIGNED, id="acknowledge what is another's"),
        pytest.param(ASSIGNED, acknowledge, edited(ASSIGNED, cancel=True), id="acknowledge what is canceled"),
        pytest.param(ASSIGNED, acknowledge, edited(ASSIGNED, suspend=True), id="acknowledge what is suspended"),
        pytest.param(ASSIGNED, acknowledge, deleting(ASSIGNED), id="acknowledge what is being deleted"),
        pytest.param(ASSIGNED, acknowledge, RUNNING, id="acknowledge twice"),
        pytest.param(deleting(ASSIGNED), withdraw, RUNNING, id="withdraw what runs"),
        pytest.param(PENDING, time_out, RUNNING, id="time out in the queue what runs"),
        pytest.param(RUNNING, time_out, CANCELED_RUNNING, id="time out what is canceled"),
        pytest.param(RUNNING, time_out, after(RUNNING, complete), id="time out what has completed"),
        pytest.param(RUNNING, complete, after(RUNNING, time_out), id="complete what has timed out"),
        pytest.param(RUNNING, complete, CANCELED_RUNNING, id="complete what is canceled"),
        pytest.param(CANCELED_RUNNING, complete, CANCELING, id="complete without having seen Canceling"),
        pytest.param(CANCELED_RUNNING, stopped, CANCELING, id="finish a cancel without having seen Canceling"),
        pytest.param(CANCELED_RUNNING, stopped, after(CANCELED_RUNNING, give_up), id="finish what was given up"),
        pytest.param(CANCELED_RUNNING, give_up, CANCELING, id="give up what is being stopped"),
        pytest.param(CANCELING, stopped, after(CANCELING, give_up), id="finish a cancel that was given up"),
        pytest.param(edited(PENDING, cancel=True), give_up, RUNNING, id="cancel in the queue what runs"),
        pytest.param(edited(PENDING, suspend=True), suspend, PENDING, id="suspend what was let go on"),
        pytest.param(edited(ASSIGNED, suspend=True), suspend, RUNNING, id="suspend what runs"),
    ],
)
def test_a_write_is_refused_when_the_object_moved_on(
    seen: Body, write: Callable[[Job], JsonPatch], meanwhile: Body
) -> None:
    apply(seen, write(parse_job(seen)))
    with pytest.raises(RefusedError):
        apply(meanwhile, write(parse_job(seen)))


def test_an_edit_that_does_not_matter_costs_no_retry() -> None:
    moved = edited(PENDING, priority=7, ttlSecondsAfterFinished=60)
    assert parse_job(apply(moved, assign(parse_job(PENDING)))).assignment is not None


@pytest.mark.parametrize(
    ("body", "write"),
    [(PENDING, complete), (CANCELING, begin_cancel), (after(RUNNING, complete), begin_cancel)],
    ids=["complete a pending job", "begin a cancel twice", "cancel what has completed"],
)
def test_a_step_that_the_table_lacks_is_not_even_written(body: Body, write: Callable[[Job], JsonPatch]) -> None:
    with pytest.raises(IllegalTransitionError):
        write(parse_job(body))


def test_a_job_without_an_assignment_cannot_be_acknowledged() -> None:
    with pytest.raises(ValueError, match="has no assignment"):
        acknowledge(a_job())
