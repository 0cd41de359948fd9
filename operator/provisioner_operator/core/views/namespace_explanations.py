"""The explanations of each namespace that has daemons or pools. Used by `live_queue`. Pure."""

from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.explanation_cache import ExplanationCache


class NamespaceExplanations:
    """Explanation caches by namespace."""

    def __init__(self) -> None:
        self._caches: dict[str, ExplanationCache] = {}
        self._nobody = ExplanationCache()
        """The explanations of all namespaces that have neither daemon nor pool, which come and go."""
        self._pools: dict[str, str] = {}
        """Namespaces of the pools by uid."""

    def __len__(self) -> int:
        return len(self._caches)

    def of(self, namespace: str) -> ExplanationCache:
        """Return the explanations of a namespace, for the moment."""
        return self._caches.get(namespace, self._nobody)

    def put_daemon(self, candidate: Candidate) -> None:
        """Add a daemon, or replace its former state."""
        self._kept(candidate.daemon.namespace).put_daemon(candidate)

    def remove_daemon(self, namespace: str, uid: str) -> None:
        """Remove a daemon that is gone."""
        self._kept(namespace).remove_daemon(uid)
        self._drop_empty(namespace)

    def put_pool(self, pool: Pool) -> None:
        """Add a pool, or replace its former version."""
        self._pools[pool.uid] = pool.namespace
        self._kept(pool.namespace).put_pool(pool.uid, growth_of(pool))
        self._drop_empty(pool.namespace)

    def forget_pool(self, uid: str) -> None:
        """Remove a pool that is gone."""
        namespace = self._pools.pop(uid, None)
        if namespace is not None:
            self._kept(namespace).put_pool(uid, None)
            self._drop_empty(namespace)

    def _kept(self, namespace: str) -> ExplanationCache:
        return self._caches.setdefault(namespace, ExplanationCache())

    def _drop_empty(self, namespace: str) -> None:
        if self._caches[namespace].is_empty:
            del self._caches[namespace]
