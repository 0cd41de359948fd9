"""Who leads: what a Lease says, and what a candidate does next.

As client-go does: the times in a Lease are never compared with a clock of one's own, only for change. A candidate takes
the Lease over once it has not seen it change for as long as the Lease itself says; the holder stops believing in it
earlier than that, counted from when its last renewal that got through was *sent*. So no two believe that they lead,
whatever their clocks show, as long as these run equally fast; and a write that takes longer than the Lease surely lasts
is given up. Should a clock be slow or a request arrive late all the same, each write's precondition stands behind it.

Carried out by `controller.elector`, which reads the clock and the API server; `now` is of one that never jumps and
counts the time for which a machine is suspended.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.json_value import JsonObject

LEASE_SECONDS = 15.0
"""A Lease that was not renewed for so long may be taken over."""
RENEW_SECONDS = 5.0
"""How often the holder renews it: one write each."""
STEP_DOWN_SECONDS = 10.0
"""The holder stops leading when no renewal got through for so long: well before anyone may take over."""
WRITES_END_SECONDS = 13.0
"""A write of the holder's is given up so long after its last renewal: a tenth before anyone may take over, for clocks
that do not run equally fast."""
RETRY_SECONDS = 1.0
"""The pause after a request that failed."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as the API server has it."""

    version: int
    holder: str | None
    """None: released, or never held."""
    renewed: str | None
    """The text of its last renewal's time, only ever compared."""
    seconds: float
    """How long it holds without a renewal."""
    transitions: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """Ask the API server what is true."""


@dataclass(frozen=True, slots=True)
class Create:
    """There is no Lease, or none any more: make one that this candidate holds."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The Lease is free, or its holder is silent: take it, if it is still as it was seen."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Renew:
    """Keep the Lease, if it is still this candidate's."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing before that time, unless there is news."""

    until: float


Step = Read | Create | TakeOver | Renew | Wait


class Candidacy:
    """What one process knows of the Lease, and whether it leads."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self._lease: Lease | None = None
        """As last seen; it may have been deleted since."""
        self._is_known = False
        self._exists = False
        self._changed_at = float("-inf")
        self._renewed_at = float("-inf")
        """When the last renewal that got through was sent; nothing renewed since this candidate held it."""
        self._retry_at = float("-inf")

    @property
    def holder(self) -> str | None:
        """Who holds the Lease, as last seen."""
        return None if self._lease is None else self._lease.holder

    def leads(self, now: float) -> bool:
        """Whether this process may decide and write at this moment. True of one candidate at a time."""
        return now - self._renewed_at < STEP_DOWN_SECONDS

    def tenure(self, now: float) -> float:
        """For how many seconds more nobody else can surely lead, 0 if this process does not: a write may take no longer."""
        return self._renewed_at + WRITES_END_SECONDS - now if self.leads(now) else 0.0

    def next_step(self, now: float) -> Step:
        """What to do now."""
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
        # Of a Lease that somebody deleted, the holder may not have heard yet.
        # One that says less than a holder counts on was edited by hand.
        free_at = now if lease.holder is None else self._changed_at + max(lease.seconds, LEASE_SECONDS)
        return Wait(free_at) if now < free_at else TakeOver(lease) if self._exists else Create()

    # --- what came of it ---

    def saw(self, lease: Lease, now: float) -> None:
        """The Lease was read, or a watch told of it; news that is older than what is known changes nothing."""
        known = self._lease
        if known is not None and lease.version < known.version:
            return
        if known is None or _meaning(known) != _meaning(lease):
            self._changed_at = now
        self._lease, self._is_known, self._exists = lease, True, True
        if lease.holder != self.identity:
            self._step_down()

    def saw_none(self, version: int | None = None) -> None:
        """There is no Lease, or it was deleted in that version: whoever held it makes it anew, or else who has waited."""
        if version is not None and self._lease is not None and version < self._lease.version:
            return
        self._is_known, self._exists = True, False
        self._step_down()

    def renewed(self, lease: Lease, *, sent: float, now: float) -> None:
        """The Lease was made, taken or renewed by a request that was sent at that time."""
        self.saw(lease, now)
        if self.holder == self.identity:
            self._renewed_at = max(self._renewed_at, sent)

    def refused(self, now: float) -> None:
        """The Lease is not as it was thought to be: nothing is known of it until it is read."""
        self._is_known = False
        self._step_down()
        self._retry_at = now + RETRY_SECONDS

    def failed(self, now: float) -> None:
        """No answer: whether the request had an effect is unknown. A holder leads on until its time is up."""
        self._retry_at = now + RETRY_SECONDS

    def resign(self) -> bool:
        """Lead no more from this moment on; True if there is a Lease to release."""
        self._step_down()
        return self._exists and self.holder == self.identity

    def _step_down(self) -> None:
        self._renewed_at = float("-inf")

    # --- the writes ---

    def content(self, wall: float) -> JsonObject:
        """The spec of a Lease that this candidate makes."""
        return dict(_held_by(self.identity, wall, transitions=0))

    def taking_over(self, lease: Lease, wall: float) -> JsonPatch:
        """The write of TakeOver: fails if anybody renewed or took the Lease since it was seen."""
        return JsonPatch(
            tests=(("/spec/holderIdentity", lease.holder), ("/spec/renewTime", lease.renewed)),
            sets=_paths(_held_by(self.identity, wall, transitions=lease.transitions + 1)),
        )

    def renewing(self, wall: float) -> JsonPatch:
        """The write of Renew: fails if anybody else holds the Lease."""
        renewal: dict[str, str | int] = {"renewTime": timestamp(wall), "leaseDurationSeconds": int(LEASE_SECONDS)}
        return JsonPatch(tests=(("/spec/holderIdentity", self.identity),), sets=_paths(renewal))

    def releasing(self, wall: float) -> JsonPatch:
        """The write after `resign`: the next candidate need not wait."""
        return JsonPatch(
            tests=(("/spec/holderIdentity", self.identity),),
            removes=("/spec/holderIdentity",),
            sets=_paths({"renewTime": timestamp(wall)}),
        )


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
