"""Compare each daemon of a namespace with what a job requires. Pure."""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.matching import UNTAGGED, Demand, satisfies
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.queue_view import QueueView, heartbeat_age


@dataclass(frozen=True, slots=True)
class Fit:
    """One daemon, compared with one demand."""

    daemon: str
    matches: bool
    state: str
    """free, busy, offline, draining, cordoned; several are separated by commas."""
    lacks: tuple[str, ...]
    """Tags and provisioners that the job requires and the daemon does not have."""
    has_too_many: tuple[str, ...]
    """Tags of the daemon that exclude a job without tags."""
    last_seen: float | None
    """Seconds since the daemon's last heartbeat; None if there was none."""


def fits(demand: Demand, queue: QueueView) -> list[Fit]:
    """Compare all daemons of the namespace; those that match come first, then the nearest."""
    found = [_fit(demand, candidate, queue) for candidate in queue.candidates(demand.namespace)]
    return sorted(found, key=lambda fit: (not fit.matches, len(fit.lacks) + len(fit.has_too_many), natural(fit.daemon)))


def _fit(demand: Demand, candidate: Candidate, queue: QueueView) -> Fit:
    supply = candidate.daemon.supply
    lacks: list[str] = []
    if demand.provisioner not in supply.provisioners:
        lacks.append(f"provisioner {demand.provisioner}")
    is_untagged = demand.tags == UNTAGGED
    surplus = sorted(supply.tags - UNTAGGED) if is_untagged else []
    if not is_untagged:
        # The implied owner tag has no value: nobody wrote it, so it is named only if nothing else is missing.
        lacks += [f"{key}={value}" for key, value in sorted(demand.tags - supply.tags) if value]
        lacks = lacks or (["owner"] if not demand.tags <= supply.tags else [])
    return Fit(
        candidate.daemon.name,
        satisfies(supply, demand),
        _state(candidate, queue),
        tuple(lacks),
        tuple(f"{key}={value}" for key, value in surplus),
        heartbeat_age(candidate.daemon, queue.now),
    )


def _state(candidate: Candidate, queue: QueueView) -> str:
    daemon = candidate.daemon
    words = []
    if not candidate.online:
        words.append("draining" if daemon.state is DaemonState.DRAINING else "offline")
    if daemon.cordoned:
        words.append("cordoned")
    if not candidate.free:
        words.append(f"busy {queue.used(daemon)}/{daemon.capacity}")
    return ", ".join(words) or "free"
