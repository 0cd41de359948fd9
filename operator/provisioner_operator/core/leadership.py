"""Elect the leader: interpret a Lease, and decide a candidate's next step.

As client-go does: the times in a Lease are never compared with the local clock, only for change. A candidate takes the
Lease over once it has not seen it change for as long as the Lease itself says; the holder steps down earlier than that,
counted from the time at which its last successful renewal was *sent*. So no two candidates believe that they lead,
whatever their clocks show, as long as these run at the same speed; and a write that takes longer than the Lease
certainly lasts is abandoned. Should a clock be slow or a request arrive late all the same, each write still has its
precondition.

Carried out by `controller.elector`, which reads the clock and the API server; `now` comes from a clock that never jumps
and includes the time for which a machine is suspended.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.names import RESTORED_ANNOTATION
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.json_value import JsonObject

LEASE_SECONDS = 15.0
"""Time without a renewal after which a Lease may be taken over."""
RENEW_SECONDS = 5.0
"""Interval between the holder's renewals: one write each."""
STEP_DOWN_SECONDS = 10.0
"""Time without a successful renewal after which the holder stops leading: well before a takeover is possible."""
WRITES_END_SECONDS = 13.0
"""Time since the last renewal after which the holder abandons its writes.

A tenth before a takeover is possible, so that clocks may differ in speed.
"""
RETRY_SECONDS = 1.0
"""Pause after a request that failed."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as the API server has it."""

    version: int
    holder: str | None
    """Name of the holder; None if it was released, or never held."""
    renewed: str | None
    """Text of its last renewal's time, only ever compared for change."""
    seconds: float
    """Time for which it holds without a renewal."""
    transitions: int = 0
    restored: float | None = None
    """Wall-clock time at which a candidate last noticed a restore of etcd; None if none ever did."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read the Lease."""


@dataclass(frozen=True, slots=True)
class Create:
    """Create a Lease that this candidate holds, because there is none."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Take the Lease, which is free or whose holder no longer renews it, if it is still as observed."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew the Lease, if this candidate still holds it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing before that time, unless there is news."""

    until: float


Step = Read | Create | TakeOver | Renew | Wait


class Candidacy:
    """Knowledge of one process about the Lease, and whether it leads."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.term = 0
        """Number of times that this candidate began to lead; between two terms another may have led."""
        self._lease: Lease | None = None
        """Lease as last observed; it may have been deleted since."""
        self._is_known = False
        self._exists = False
        self._changed_at = float("-inf")
        self._renewed_at = float("-inf")
        """Time at which the last successful renewal was sent; minus infinity while this candidate does not hold it."""
        self._retry_at = float("-inf")

    @property
    def holder(self) -> str | None:
        """Name of the holder, as last observed."""
        return None if self._lease is None else self._lease.holder

    @property
    def restored(self) -> float | None:
        """Wall-clock time of the last restore of etcd that the Lease records."""
        return None if self._lease is None else self._lease.restored

    def leads(self, now: float) -> bool:
        """Return whether this process may decide and write at this moment. True for one candidate at a time."""
        return now - self._renewed_at < STEP_DOWN_SECONDS

    def tenure(self, now: float) -> float:
        """Return the seconds that a write may take: no other candidate leads before; 0 unless this process leads."""
        return self._renewed_at + WRITES_END_SECONDS - now if self.leads(now) else 0.0

    def next_step(self, now: float) -> Step:
        """Return the next step."""
        if now < self._retry_at:
            return Wait(self._retry_at)
        if not self._is_known:
            return Read()
        lease = self._lease
        if lease is None:
            return Create()
        if lease.holder == self.identity:
            due = self._renewed_at + RENEW_SECONDS if self._exists else now
            return Wait(due) if now < due else Renew() if self._exists else Create()
        # The holder may not have observed yet that its Lease was deleted.
        # One that says less than a holder counts on was edited by hand.
        free_at = now if lease.holder is None else self._changed_at + max(lease.seconds, LEASE_SECONDS)
        return Wait(free_at) if now < free_at else TakeOver(lease) if self._exists else Create()

    # --- what came of it ---

    def saw(self, lease: Lease, now: float) -> None:
        """Record a Lease that was read or watched; one that is older than the known one changes nothing."""
        known = self._lease
        if known is not None and lease.version < known.version:
            return
        if known is None or _meaning(known) != _meaning(lease):
            self._changed_at = now
        self._lease, self._is_known, self._exists = lease, True, True
        if lease.holder != self.identity:
            self._step_down()

    def saw_none(self, version: int | None = None) -> None:
        """Record that there is no Lease, or that it was deleted in that version; a candidate creates it again."""
        if version is not None and self._lease is not None and version < self._lease.version:
            return
        self._is_known, self._exists = True, False
        self._step_down()

    def renewed(self, lease: Lease, *, sent: float, now: float) -> None:
        """Record that a request sent at that time created, took or renewed the Lease."""
        self.saw(lease, now)
        if self.holder == self.identity:
            self.term += not self.leads(now)
            self._renewed_at = max(self._renewed_at, sent)

    def refused(self, now: float) -> None:
        """Record that the Lease is not as observed: it has to be read before anything else."""
        self._is_known = False
        self._step_down()
        self._retry_at = now + RETRY_SECONDS

    def failed(self, now: float) -> None:
        """Record a request without an answer: its effect is unknown. A holder leads until its time is up."""
        self._retry_at = now + RETRY_SECONDS

    def resign(self) -> bool:
        """Stop leading at once; return whether there is a Lease to release."""
        self._step_down()
        return self._exists and self.holder == self.identity

    def _step_down(self) -> None:
        self._renewed_at = float("-inf")

    # --- the writes ---

    def content(self, wall: float) -> JsonObject:
        """Return the spec of a Lease that this candidate creates."""
        return dict(_held_by(self.identity, wall, transitions=0))

    def taking_over(self, lease: Lease, wall: float) -> JsonPatch:
        """Return the write of TakeOver, which fails if the Lease was renewed or taken since it was observed."""
        return JsonPatch(
            tests=(("/spec/holderIdentity", lease.holder), ("/spec/renewTime", lease.renewed)),
            sets=_paths(_held_by(self.identity, wall, transitions=lease.transitions + 1)),
        )

    def renewing(self, wall: float) -> JsonPatch:
        """Return the write of Renew, which fails if another candidate holds the Lease."""
        renewal: dict[str, str | int] = {"renewTime": timestamp(wall), "leaseDurationSeconds": int(LEASE_SECONDS)}
        return JsonPatch(tests=(("/spec/holderIdentity", self.identity),), sets=_paths(renewal))

    def releasing(self, wall: float) -> JsonPatch:
        """Return the write after `resign`, which spares the next candidate the wait."""
        return JsonPatch(
            tests=(("/spec/holderIdentity", self.identity),),
            removes=("/spec/holderIdentity",),
            sets=_paths({"renewTime": timestamp(wall)}),
        )


def recorded_restore(wall: float) -> JsonObject:
    """Return the merge patch by which a candidate, whoever holds the Lease, records that it noticed a restore of etcd.

    Without a precondition: the Lease is that of the backup, and nothing else survives the end of the process.
    """
    return {"metadata": {"annotations": {RESTORED_ANNOTATION: timestamp(wall)}}}


def _meaning(lease: Lease) -> tuple[object, ...]:
    return (lease.holder, lease.renewed, lease.transitions)


def _held_by(identity: str, wall: float, *, transitions: int) -> dict[str, str | int]:
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": int(LEASE_SECONDS),
        "acquireTime": timestamp(wall),
        "renewTime": timestamp(wall),
        "leaseTransitions": transitions,
    }


def _paths(fields: Mapping[str, str | int]) -> tuple[tuple[str, str | int], ...]:
    return tuple((f"/spec/{name}", value) for name, value in fields.items())
