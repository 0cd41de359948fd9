"""The small worlds that are explored, each with its bounds. More surprises take much longer: some ten times each."""

import os
from dataclasses import replace

from model.explore import Bounds
from model.scene import Scene

MORE_SURPRISES = int(os.environ.get("PROVISIONER_MODEL_MORE_SURPRISES", "0"))
"""Surprises beyond those of the table, for all worlds."""

_WORLDS: dict[str, tuple[Scene, Bounds]] = {
    "two-jobs-of-a-workspace": (
        Scene(daemons=2, jobs=("dev", "dev"), wishes=("cancel job-1", "delete job-1")),
        Bounds(surprises=1),
    ),
    "run-longer-than-a-loss": (
        Scene(daemons=2, jobs=("dev", "dev"), run_seconds=420.0, wishes=("force job-1",)),
        Bounds(surprises=1, within=18),
    ),
    "messages-of-one-job": (Scene(jobs=("dev",), wishes=("cancel job-1",), slow_faults=False), Bounds(surprises=2)),
    "any-order-at-first": (Scene(jobs=("dev",), wishes=("cancel job-1",)), Bounds(surprises=None, within=3)),
    "two-controllers": (Scene(jobs=("dev",), wishes=("cancel job-1",), standby=True), Bounds(surprises=1)),
    "daemon-in-a-pod": (Scene(daemons=0, pods=1, jobs=("dev",), wishes=("cancel job-1",)), Bounds(surprises=1)),
    "pool-of-one-pod": (
        Scene(daemons=0, pool=1, jobs=("dev",), wishes=("cancel job-1",)),
        Bounds(surprises=1, within=40),
    ),
    "policies-of-a-queue": (
        Scene(capacity=2, jobs=("dev", "ml"), wishes=("policy limit", "policy fair", "policy none")),
        Bounds(surprises=1, within=12),
    ),
    "workspace-of-a-template": (
        Scene(workspace=True, wishes=("delete dev", "purge dev", "resize dev", "stop dev")),
        Bounds(surprises=1, within=70),
    ),
}


def worlds() -> dict[str, tuple[Scene, Bounds]]:
    """Return all worlds with their bounds, by name."""
    return {name: (scene, _widened(bounds)) for name, (scene, bounds) in _WORLDS.items()}


def _widened(bounds: Bounds) -> Bounds:
    if bounds.surprises is None:
        return replace(bounds, within=(bounds.within or 0) + MORE_SURPRISES)
    return replace(bounds, surprises=bounds.surprises + MORE_SURPRISES)
