"""The queue as users see it: places, reasons to wait, what to change, estimates. Rules are the core's."""

from collections.abc import Callable, Collection, Iterator, Mapping

from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.run_length import RunEstimate, estimate_run
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.model.matching import satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.explanation import Explanation
from provisioner_operator.core.views.fit import Fit, fits
from provisioner_operator.core.views.job_explanation import explain_job
from provisioner_operator.core.views.live_queue import LiveQueue
from provisioner_operator.core.views.near_miss import NearMiss, near_misses
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.wait_estimate import estimates_in, unknown_because

_ESTIMATES_SECONDS = 5.0
"""Time for which the estimates of a namespace are kept: many pages may ask for them at the same time."""


class QueueIndex:
    """Places and explanations at the present time."""

    def __init__(
        self,
        now: Callable[[], float],
        went_offline: Callable[[Daemon], None],
        version: Callable[[], int],
    ) -> None:
        """`went_offline` is told of silent daemons.

        `version` returns a number that grows with each visible change, silent daemons included.
        """
        self._now = now
        self._went_offline = went_offline
        self._version = version
        self.live = LiveQueue()
        """Feeds on the changes that the cluster index reports."""
        self.history = RunHistory()
        """Feeds on the jobs that end."""
        self._estimates: dict[str, tuple[float, Mapping[str, StartEstimate]]] = {}
        """Estimates of each namespace, with their time."""

    def place(self, uid: str) -> Place | None:
        """Return the job's place in the queue of its demand; None if it stands in none."""
        return self.live.place_of(uid)

    def explain(self, job: Job) -> Explanation | None:
        """Return why the pending job waits; None if it is about to start or not pending."""
        return explain_job(job, self._present())

    def reason(self, job: Job) -> str:
        """Return the reason of a pending job in a word; empty if it is about to start or not pending."""
        return self._present().reason_of(job)

    def is_stuck(self, job: Job) -> bool:
        """Return whether the job makes no progress until somebody intervenes."""
        return self._present().is_stuck(job)

    def near_misses(self, job: Job) -> list[NearMiss]:
        """Return the daemons that differ from what the job needs in a few tags."""
        return near_misses(job.demand, self._present())

    def fits(self, job: Job) -> list[Fit]:
        """Compare all daemons of the namespace with the job."""
        return fits(job.demand, self._present())

    def start_of(self, job: Job) -> StartEstimate | None:
        """Estimate when a waiting job starts; None if too little is known, or it is not in the queue."""
        queue = self._present()
        made, found = self._estimates.get(job.namespace, (float("-inf"), {}))
        if not made <= queue.now < made + _ESTIMATES_SECONDS:
            found = estimates_in(queue, job.namespace, self.history)
            self._estimates[job.namespace] = queue.now, found
        return found.get(job.uid)

    def unknown_because(self, job: Job) -> str:
        """Return why it is unknown when a job in the queue starts."""
        return unknown_because(job, self._present())

    def run_of(self, job: Job) -> RunEstimate | None:
        """Return how long runs like that of a running job take; None if too few are known."""
        return estimate_run(job, self.history, self._now())

    def matching_daemons(self, job: Job) -> list[Daemon]:
        """Return the daemons that may run the job, those that are offline included."""
        candidates = self.live.candidates(job.namespace)
        return [each.daemon for each in candidates if satisfies(each.daemon.supply, job.demand)]

    def is_online(self, daemon: Daemon) -> bool:
        """Return whether the daemon accepts jobs by its last heartbeat, and that is recent."""
        return self._present().is_online(daemon)

    def used(self, daemon: Daemon) -> int:
        """Count the occupied slots of the daemon."""
        return self.live.used(daemon)

    def daemon(self, uid: str) -> Daemon | None:
        """Return the record of a daemon."""
        return self.live.daemon(uid)

    def stuck_jobs(self, namespaces: Collection[str]) -> Iterator[str]:
        """Return the uids of the stuck jobs of these namespaces."""
        return self._present().stuck_jobs(namespaces)

    def stuck_version(self) -> int:
        """Return a number that grows before other jobs are stuck."""
        self.advance()
        return self._version()

    def count_stuck(self, namespaces: Collection[str]) -> int:
        """Count the stuck jobs of these namespaces."""
        return self._present().count_stuck(namespaces)

    def advance(self) -> None:
        """Move on to the present time: a daemon may go offline without any event."""
        for daemon in self.live.advance(self._now()):
            self._went_offline(daemon)

    def _present(self) -> LiveQueue:
        self.advance()
        return self.live
