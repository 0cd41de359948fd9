"""Lines of the list of pools."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.cli.pools.table import PoolRow, columns
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.pools.records import PoolStatus
from support.builders.core import NOON
from support.builders.pools import a_pool, scaling


def cells(**fields: Any) -> dict[str, str]:
    row = PoolRow(a_pool(**fields), 90.0)
    found = {column.title: column.value(row) for column in columns(namespaced=False)}
    return {title: value if isinstance(value, str) else value.text if value else "" for title, value in found.items()}


@pytest.mark.parametrize(
    ("fields", "bounds"),
    [
        ({"replicas": 3, "autoscaling": None}, "3"),
        ({"autoscaling": scaling(10, min_replicas=2)}, "2-10"),
    ],
)
def test_a_pool_has_a_size_or_bounds(fields: dict[str, Any], bounds: str) -> None:
    assert cells(**fields)["Bounds"] == bounds


def test_the_condition_ready_is_shown_by_its_reason() -> None:
    ready = Condition("Ready", ConditionStatus.FALSE, "ImagePullFailed", "No such image.", NOON)
    found = cells(status=PoolStatus(conditions=(ready,), mean_run_seconds=90))
    assert (found["Ready"], found["Message"], found["Mean run"]) == ("ImagePullFailed", "No such image.", "1m30s")


def test_a_pool_that_the_operator_has_not_observed_is_unknown() -> None:
    found = cells(status=PoolStatus())
    assert (found["Ready"], found["Message"], found["Mean run"]) == ("unknown", "", "")
