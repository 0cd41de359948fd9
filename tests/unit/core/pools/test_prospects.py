"""The prospects that a pool offers to waiting jobs."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import PoolStatus
from provisioner_operator.core.scheduling.explanation import Growth
from support.builders.core import NOON
from support.builders.pools import a_pool, scaling

SUPPLY = a_pool().supply


def conditions(*, stalled: bool, ready: bool = False) -> tuple[Condition, ...]:
    def a_condition(type_: str, *, holds: bool, message: str) -> Condition:
        status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
        return Condition(type_, status, "Reason", message, NOON)

    return (
        a_condition("Ready", holds=ready, message="0 of 1 daemons are ready. ErrImagePull"),
        a_condition("Stalled", holds=stalled, message=""),
    )


@pytest.mark.parametrize(
    ("fields", "growth"),
    [
        ({"deleting": True}, None),
        ({"replicas": 0}, None),
        ({"autoscaling": scaling(0), "replicas": 3}, None),
        ({}, Growth("pool", SUPPLY, has_room=True)),
        ({"replicas": 2, "status": PoolStatus(replicas=1)}, Growth("pool", SUPPLY, has_room=True)),
        ({"replicas": 1, "status": PoolStatus(replicas=1)}, Growth("pool", SUPPLY, has_room=False)),
        ({"replicas": 1, "status": PoolStatus(replicas=2)}, Growth("pool", SUPPLY, has_room=False)),
        (
            {"autoscaling": scaling(5), "replicas": 1, "status": PoolStatus(replicas=4)},
            Growth("pool", SUPPLY, has_room=True),
        ),
        (
            {"status": PoolStatus(conditions=conditions(stalled=True))},
            Growth("pool", SUPPLY, trouble="0 of 1 daemons are ready. ErrImagePull"),
        ),
        ({"status": PoolStatus(conditions=conditions(stalled=False))}, Growth("pool", SUPPLY)),
        ({"status": PoolStatus(conditions=conditions(stalled=True)[1:])}, Growth("pool", SUPPLY)),
    ],
)
def test_what_jobs_may_expect_of_a_pool(fields: dict[str, Any], growth: Growth | None) -> None:
    assert growth_of(a_pool(**fields)) == growth
