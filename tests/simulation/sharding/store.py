"""API server of the sharding simulation: Leases, pieces of work, and notification of members."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner_operator.core.leadership import LEASE_SECONDS, Lease
from provisioner_operator.core.model.json_patch import JsonPatch
from simulation.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Item:
    """A piece of work of one organization, to be done exactly once."""

    shard: int
    since: float
    done_by: str | None = None


class Store:
    """The API server: Leases, work, and listeners for changes."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.leases: dict[str, dict[str, Any]] = {}
        self.items: list[Item] = []
        self.listeners: dict[str, Callable[[str, Lease], None]] = {}
        self._version = 0

    def lease(self, name: str) -> Lease | None:
        spec = self.leases.get(name)
        if spec is None:
            return None
        return Lease(
            spec["version"], spec["holderIdentity"], spec["renewTime"], LEASE_SECONDS, spec["leaseTransitions"]
        )

    def create(self, name: str, spec: dict[str, Any]) -> Lease | None:
        return None if name in self.leases else self._store(name, spec)

    def patch(self, name: str, patch: JsonPatch) -> Lease | None:
        spec = self.leases.get(name)
        if spec is None or any(spec.get(path.rpartition("/")[2]) != value for path, value in patch.tests):
            return None
        removed = {path.rpartition("/")[2]: None for path in patch.removes}
        return self._store(name, spec | removed | {path.rpartition("/")[2]: value for path, value in patch.sets})

    def do(self, item: Item, member: str) -> None:
        if item.done_by is None:  # the precondition
            item.done_by = member

    def _store(self, name: str, spec: dict[str, Any]) -> Lease:
        self._version += 1
        self.leases[name] = {"holderIdentity": None, "leaseTransitions": 0} | spec | {"version": self._version}
        lease = self.lease(name)
        assert lease is not None
        for listener in self.listeners.values():
            listener(name, lease)
        return lease
