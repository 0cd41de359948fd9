"""Measure how long a pool's new daemons take to be ready, from the creation of their Pods. Used by `fleet_plan`. Pure."""

from collections.abc import Sequence

from provisioner_operator.core.pools.members import Member

KEPT_STARTS = 20
"""Last starts that are kept."""


class DaemonStarts:
    """Seconds that the last new daemons of one pool took to be ready, the newest last."""

    def __init__(self, known: Sequence[int], since: float) -> None:
        """Begin with those `known` from the pool's status; what was ready before `since`, a wall-clock time, is among them."""
        self.seconds = tuple(known[-KEPT_STARTS:])
        self._since = since
        self._counted: set[str] = set()

    def observe(self, members: Sequence[Member]) -> None:
        """Count the daemons that have become ready, each once: the probe of a Pod may fail for a while."""
        ready = {
            member.pod.uid: (member.pod.ready_since, member.pod.created)
            for member in members
            if member.is_ready and member.pod.ready_since is not None
        }
        news = sorted((*times, uid) for uid, times in ready.items() if uid not in self._counted)
        self._counted = (self._counted | ready.keys()) & {member.pod.uid for member in members}
        starts = (max(0, round(since - created)) for since, created, _ in news if since >= self._since)
        self.seconds = (*self.seconds, *starts)[-KEPT_STARTS:]
