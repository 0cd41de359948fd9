"""Keep a snapshot of the queue up to date: jobs, daemons and pools as watched, each version parsed once."""

from collections.abc import Callable
from typing import TypeVar

from provisioner_operator.cli.api.client import NONE, Cluster, Params
from provisioner_operator.cli.api.watch_feed import Ended, Feed, News, Store
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, meta_of
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon, parse_job_model
from provisioner_operator.kube.pool_parsing import parse_pool
from provisioner_operator.kube.queue_parsing import parse_queue

_Record = TypeVar("_Record")


class LiveSnapshot:
    """The present objects; those that this version cannot read are left out."""

    def __init__(self) -> None:
        self.jobs, self.daemons, self.pools, self.queues = Store(), Store(), Store(), Store()
        self._views: dict[str, tuple[str, JobView | None]] = {}

    def job_views(self) -> list[JobView]:
        """Return the jobs."""
        found = {uid: self._view(uid) for uid in self.jobs.bodies}
        self._views = {uid: self._views[uid] for uid in found}
        return [view for view in found.values() if view is not None]

    def fleet(self) -> list[tuple[Body, Daemon]]:
        """Return the daemons."""
        found = ((body, _readable(parse_daemon, body)) for body in self.daemons.bodies.values())
        return [(body, daemon) for body, daemon in found if daemon is not None]

    def supply(self) -> list[Pool]:
        """Return the pools."""
        found = (_readable(parse_pool, body) for body in self.pools.bodies.values())
        return [pool for pool in found if pool is not None]

    def policies(self) -> list[Queue]:
        """Return the policies of the queues."""
        found = (_readable(parse_queue, body) for body in self.queues.bodies.values())
        return [queue for queue in found if queue is not None]

    def at(self, now: float) -> Snapshot:
        """Return the snapshot at this time."""
        jobs = [view.job for view in self.job_views()]
        return Snapshot(jobs, [daemon for _, daemon in self.fleet()], self.supply(), self.policies(), now=now)

    def _view(self, uid: str) -> JobView | None:
        body = self.jobs.bodies[uid]
        version = meta_of(body).resource_version
        known = self._views.get(uid)
        if known is None or known[0] != version:
            model = _readable(parse_job_model, body)
            known = self._views[uid] = (version, None if model is None else loading.job_view(model))
        return known[1]


class LiveFeeds:
    """The watches that fill a live snapshot; only the one of jobs is indispensable."""

    def __init__(self, cluster: Cluster, scope: str | None, jobs: Params = NONE) -> None:
        """Start to watch; `jobs` selects the jobs."""
        self.snapshot = LiveSnapshot()
        self._feeds = (
            (Feed(cluster, paths.jobs(scope), jobs), self.snapshot.jobs),
            (Feed(cluster, paths.daemons(scope)), self.snapshot.daemons),
            (Feed(cluster, paths.pools(scope)), self.snapshot.pools),
            (Feed(cluster, paths.queues(scope)), self.snapshot.queues),
        )
        self._ready: set[int] = set()

    @property
    def is_complete(self) -> bool:
        """Whether everything that the user may see has been listed."""
        return len(self._ready) == len(self._feeds)

    def poll(self, timeout: float = 0.0) -> list[News]:
        """Apply what has arrived, after waiting for up to `timeout` seconds for jobs; returns the news of jobs.

        Raises CliError when the jobs can no longer be watched.
        """
        first = self._feeds[0][0].next(timeout)
        of_jobs = [] if first is None else [first]
        of_jobs += self._feeds[0][0].waiting()
        for at, (feed, store) in enumerate(self._feeds):
            for news in of_jobs if at == 0 else feed.waiting():
                if isinstance(news, Ended) and at == 0:
                    raise news.error
                # Daemons and pools may be hidden from this user: then their feed ends, and they stay empty.
                if store.take(news) or isinstance(news, Ended):
                    self._ready.add(at)
        return of_jobs

    def close(self) -> None:
        """Stop to watch."""
        for feed, _ in self._feeds:
            feed.close()


def _readable(parse: Callable[[Body], _Record], body: Body) -> _Record | None:
    try:
        return parse(body)
    except UnparseableObjectError:
        return None
