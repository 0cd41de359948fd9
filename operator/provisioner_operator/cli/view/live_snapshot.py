"""What the feeds of jobs, daemons and pools have told so far, parsed once a version."""

from collections.abc import Callable
from typing import TypeVar

from provisioner_operator.cli.api.client import Body
from provisioner_operator.cli.api.watch_feed import Store
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon, parse_job_model
from provisioner_operator.kube.pool_parsing import parse_pool

_Record = TypeVar("_Record")


class Picture:
    """Jobs, daemons and pools as the feeds tell, each parsed once a version."""

    def __init__(self) -> None:
        self.jobs, self.daemons, self.pools = Store(), Store(), Store()
        self._views: dict[str, tuple[str, JobView | None]] = {}

    def views(self) -> list[JobView]:
        """The jobs that can be understood."""
        found = {uid: self._view(uid) for uid in self.jobs.bodies}
        self._views = {uid: self._views[uid] for uid in found}
        return [view for view in found.values() if view is not None]

    def fleet(self) -> list[tuple[Body, Daemon]]:
        """The daemons that can be understood."""
        found = ((body, _quiet(parse_daemon, body)) for body in self.daemons.bodies.values())
        return [(body, daemon) for body, daemon in found if daemon is not None]

    def growing(self) -> list[Pool]:
        """The pools that can be understood."""
        found = (_quiet(parse_pool, body) for body in self.pools.bodies.values())
        return [pool for pool in found if pool is not None]

    def scene(self, now: float) -> Snapshot:
        """The queue and who serves it."""
        return Snapshot(
            [view.job for view in self.views()],
            [daemon for _, daemon in self.fleet()],
            self.growing(),
            now=now,
        )

    def _view(self, uid: str) -> JobView | None:
        body = self.jobs.bodies[uid]
        version = body["metadata"]["resourceVersion"]
        known = self._views.get(uid)
        if known is None or known[0] != version:
            model = _quiet(parse_job_model, body)
            known = self._views[uid] = (version, None if model is None else loading.job_view(model))
        return known[1]


def _quiet(parse: Callable[[Body], _Record], body: Body) -> _Record | None:
    try:
        return parse(body)
    except UnparseableObjectError:
        return None
