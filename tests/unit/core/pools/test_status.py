"""The status of a pool, and when it is written."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.core.pools.members import Trouble
from provisioner_operator.core.pools.records import Pool, PoolStatus
from provisioner_operator.core.pools.status import PodCounts, is_urgent, status_of, status_patch
from support.builders.core import NOON
from support.builders.pools import a_pool


def status(counts: PodCounts, pool: Pool | None = None, *, time: float = 0, **fields: Any) -> PoolStatus:
    return status_of(pool or a_pool(), counts, **({"queued": 0, "mean_run": None} | fields), now=NOON + time)


def conditions(counts: PodCounts, pool: Pool | None = None) -> tuple[str, dict[str, bool]]:
    """The reason of Ready, and which conditions are True."""
    found = status(counts, pool).conditions
    holding = {condition.type: condition.status is ConditionStatus.TRUE for condition in found}
    return next(condition.reason for condition in found if condition.type == "Ready"), holding


READY = {"Ready": True, "Reconciling": False, "Stalled": False}
MOVING = {"Ready": False, "Reconciling": True, "Stalled": False}
STALLED = {"Ready": False, "Reconciling": False, "Stalled": True}


@pytest.mark.parametrize(
    ("counts", "reason", "holding"),
    [
        (PodCounts(wanted=0), "ScaledToZero", READY),
        (PodCounts(wanted=0, draining=2), "ScaledToZero", READY),
        (PodCounts(wanted=3, ready=3), "DaemonsReady", READY),
        (PodCounts(wanted=3, ready=3, draining=1), "DaemonsReady", READY),
        (PodCounts(wanted=3, ready=2), "ScalingUp", MOVING),
        (PodCounts(wanted=3, ready=3, outdated=1), "RollingOut", MOVING),
        (PodCounts(wanted=3, ready=1, outdated=3), "RollingOut", MOVING),
        (PodCounts(wanted=1, trouble=Trouble("Unschedulable", "no node")), "Unschedulable", MOVING),
        (PodCounts(wanted=1, trouble=Trouble("ImagePullBackOff", "no image")), "ImagePullBackOff", STALLED),
        (PodCounts(wanted=1, outdated=1, trouble=Trouble("ErrImagePull", "no image")), "ErrImagePull", STALLED),
        (PodCounts(wanted=1, trouble=Trouble("no reason at all!", "what?")), "PodsFailing", STALLED),
        (PodCounts(wanted=1, ready=1, trouble=Trouble("Error", "of long ago")), "DaemonsReady", READY),
    ],
)
def test_the_conditions_tell_whether_all_is_well_moving_or_stuck(
    counts: PodCounts, reason: str, holding: dict[str, bool]
) -> None:
    assert conditions(counts) == (reason, holding)


def test_a_pool_that_is_deleted_drains() -> None:
    assert conditions(PodCounts(present=2, draining=2, busy=1), a_pool(deleting=True)) == ("Draining", MOVING)


def test_the_message_has_the_words_of_whoever_complained() -> None:
    ready = status(PodCounts(wanted=2, ready=1, trouble=Trouble("ErrImagePull", "Pod a: no such image"))).conditions[0]

    assert ready.message == "1 of 2 daemons are ready. Pod a: no such image"


def test_a_condition_keeps_the_time_since_when_it_holds() -> None:
    first = status(PodCounts(wanted=1), time=5)
    second = status(PodCounts(wanted=2, ready=1), a_pool(status=first), time=9)

    assert {condition.since for condition in second.conditions} == {NOON + 5}


def test_what_has_not_changed_is_equal_later() -> None:
    counts = PodCounts(wanted=1, ready=1, present=1)
    first = status(counts, time=5)

    assert status(counts, a_pool(status=first), time=99) == first


@pytest.mark.parametrize("changes", [{"idle": 5}, {"busy": 5}, {"queued": 5}, {"mean_run_seconds": 5}], ids=str)
def test_counts_alone_can_wait(changes: dict[str, int]) -> None:
    written = status(PodCounts(wanted=1))

    assert not is_urgent(written, replace(written, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pool", "counts"),
    [
        (a_pool(), PodCounts(wanted=2)),
        (a_pool(), PodCounts(wanted=1, present=1)),
        (a_pool(), PodCounts(wanted=1, updated=1)),
        (a_pool(), PodCounts(wanted=1, ready=1)),
        (a_pool(generation=2), PodCounts(wanted=1)),
    ],
)
def test_sizes_conditions_and_the_generation_cannot(pool: Pool, counts: PodCounts) -> None:
    assert is_urgent(status(PodCounts(wanted=1)), status(counts, pool))


@pytest.mark.parametrize(("mean", "said"), [(None, None), (0.2, 0), (7.4, 7), (99.4, 99), (123.0, 120), (4567.0, 4600)])
def test_a_long_mean_is_said_in_two_digits(mean: float | None, said: int | None) -> None:
    assert status(PodCounts(), mean_run=mean).mean_run_seconds == said


def test_the_write_replaces_the_status_of_this_very_pool() -> None:
    made = status(PodCounts(wanted=1, present=1, idle=1), queued=4, time=1)
    test, write = status_patch(a_pool(), made).operations()

    assert test == {"op": "test", "path": "/metadata/uid", "value": "uid-of-pool"}
    assert write["path"] == "/status"
    value = write["value"]
    assert isinstance(value, dict)
    assert (value["desiredReplicas"], value["idle"], value["queued"]) == (1, 1, 4)
    assert "meanRunSeconds" not in value


@pytest.mark.parametrize(
    ("pool", "counts"),
    [
        (a_pool(), PodCounts(wanted=1, ready=1, refused="A write is refused: no.")),
        (a_pool(), PodCounts(wanted=2, ready=1, outdated=1, refused="A write is refused: no.")),
        (a_pool(deleting=True), PodCounts(present=1, refused="A write is refused: no.")),
    ],
)
def test_a_write_that_is_refused_stalls_the_pool_in_the_api_servers_words(pool: Pool, counts: PodCounts) -> None:
    assert conditions(counts, pool) == ("WriteRefused", STALLED)
    found = {each.type: each for each in status(counts, pool).conditions}
    assert found["Ready"].message.endswith("A write is refused: no.")
    assert found["Stalled"].reason == "WriteRefused"


def test_pods_that_fail_are_said_before_a_write_that_is_refused() -> None:
    counts = PodCounts(wanted=1, trouble=Trouble("ImagePullBackOff", "no image"), refused="A write is refused: no.")
    assert conditions(counts) == ("ImagePullBackOff", STALLED)
