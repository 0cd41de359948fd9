"""Judge from a daemon's object alone whether its process is over, and when a deleted one that cannot be parsed is released. Pure."""

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.api.v1alpha1.limits import LONGEST_LOST_AFTER
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.daemons.decisions import HEARTBEAT_MISSING, ReleaseDaemon
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon, UnreadableObject


def has_ended(daemon: Daemon, now: Instant) -> bool:
    """Return whether the daemon's status shows that its process is over, or has been silent until its fence ended its runs."""
    if daemon.heartbeat is None:
        return True
    if daemon.state is not DaemonState.OFFLINE:
        return False
    # A controller that missed its heartbeats wrote so, by its own clock; otherwise the daemon reported its end itself.
    missed = next((each.since for each in daemon.conditions if each.reason == HEARTBEAT_MISSING), None)
    return not daemon.runs if missed is None else now.wall - missed >= daemon.lost_after


def release_of_unreadable(
    daemon: UnreadableObject, now: Instant, *, has_ended: bool
) -> tuple[ReleaseDaemon, float] | None:
    """Return the release of a daemon that cannot be parsed, with the seconds until it is due; None if none is.

    It is due when its Pod has ended, or after the longest time for which any daemon's runs may outlive its contact: what it
    reports cannot be read, and must not be able to keep its object, and with it the namespace, for ever.
    """
    if daemon.deleted_at is None or RUNS_FINALIZER not in daemon.finalizers:
        return None
    return ReleaseDaemon(daemon), 0.0 if has_ended else daemon.deleted_at + LONGEST_LOST_AFTER - now.wall
