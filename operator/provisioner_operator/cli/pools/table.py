"""Columns of the list of pools. Pure."""

from dataclasses import dataclass

from provisioner_operator.cli.output.table import ALWAYS, Cell, Column
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.pools.records import Pool


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One line of the list: a pool, and its age in seconds."""

    pool: Pool
    age: float


def columns(*, namespaced: bool) -> list[Column[PoolRow]]:
    """Return all columns in their order."""
    namespace = [Column[PoolRow]("Namespace", lambda row: row.pool.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.pool.name, ALWAYS),
        Column("Desired", lambda row: str(row.pool.status.desired_replicas), 60),
        Column("Replicas", lambda row: str(row.pool.status.replicas), 55),
        Column("Idle", lambda row: str(row.pool.status.idle), 58),
        Column("Busy", lambda row: str(row.pool.status.busy), 59),
        Column("Queued", lambda row: str(row.pool.status.queued), 75),
        Column("Bounds", _bounds, 40),
        Column("Ready", _ready, 80),
        Column("Mean run", _mean_run, 30),
        Column("Tags", lambda row: format_tags(row.pool.supply.tags), 50),
        Column("Age", lambda row: duration(row.age), 20),
        Column("Message", _message, 10, wide=True),
    ]


def _bounds(row: PoolRow) -> str:
    bounds = row.pool.autoscaling
    return f"{bounds.min_replicas}-{bounds.max_replicas}" if bounds else str(row.pool.replicas)


def _ready_condition(row: PoolRow) -> Condition | None:
    return next((each for each in row.pool.status.conditions if each.type == "Ready"), None)


def _ready(row: PoolRow) -> Cell:
    condition = _ready_condition(row)
    if condition is None:
        return Cell("unknown", "yellow")
    return Cell(condition.reason, "green" if condition.status == "True" else "yellow")


def _message(row: PoolRow) -> str:
    condition = _ready_condition(row)
    return "" if condition is None else condition.message


def _mean_run(row: PoolRow) -> str:
    seconds = row.pool.status.mean_run_seconds
    return "" if seconds is None else duration(seconds)
