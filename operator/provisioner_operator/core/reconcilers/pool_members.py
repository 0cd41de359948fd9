"""Keep the Pods of pools as last observed, each with the state of its daemon. Used by the reconciler of pools."""

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.members import Member, PoolDaemon, PoolPod
from provisioner_operator.core.reconcilers.job_cache import JobCache


class PoolMembers:
    """Pods by their uid and by their pool."""

    def __init__(self, jobs: JobCache) -> None:
        self._jobs = jobs
        self._pods: dict[str, tuple[int, PoolPod]] = {}
        self._pods_of: dict[str, dict[str, PoolPod]] = {}
        """Pods by the uid of their pool, and by their own."""

    def get(self, uid: str) -> PoolPod | None:
        """Return a Pod."""
        return self._pods[uid][1] if uid in self._pods else None

    def version_of(self, uid: str) -> int:
        """Return the version of the Pod that is known; less than any if none is."""
        return self._pods[uid][0] if uid in self._pods else -1

    def put(self, pod: PoolPod, resource_version: int) -> None:
        """Add a Pod, or replace its former version: its pool may have released it."""
        self.discard(pod.uid)
        self._pods[pod.uid] = (resource_version, pod)
        self._pods_of.setdefault(pod.pool_uid, {})[pod.uid] = pod

    def discard(self, uid: str) -> None:
        """Remove a Pod, if it is known."""
        if (known := self._pods.pop(uid, None)) is None:
            return
        pods = self._pods_of[known[1].pool_uid]
        del pods[uid]
        if not pods:
            del self._pods_of[known[1].pool_uid]

    def uids(self) -> dict[str, str]:
        """Return the uids of all Pods, each with its namespace."""
        return {uid: pod.namespace for uid, (_, pod) in self._pods.items()}

    def of(self, pool_uid: str, now: Instant) -> tuple[Member, ...]:
        """Return the Pods of a pool with their daemons."""
        return tuple(Member(pod, self._daemon(pod, now)) for pod in self._pods_of.get(pool_uid, {}).values())

    def _daemon(self, pod: PoolPod, now: Instant) -> PoolDaemon | None:
        found = self._jobs.daemon_of_pod(pod.uid)
        if found is None:
            return None
        daemon, is_online, held = found
        return PoolDaemon(
            uid=daemon.uid,
            online=is_online,
            cordoned=daemon.cordoned,
            cordoned_by_pool=daemon.cordoned_by is not None,
            held=held,
            reported=daemon.heartbeat is not None,
            lost=self._jobs.has_lost(daemon, now),
            annotated=daemon.annotated,
            has_unsaved_state=bool(daemon.unsaved),
        )
