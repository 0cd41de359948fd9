"""The queue of each demand, kept in order while jobs come and go. Used by `live_queue`. Pure."""

from collections.abc import Mapping

from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.model.sorted_list import SortedList
from provisioner_operator.core.views.queue_view import Place


class DemandQueues:
    """Jobs that wait for nothing but a daemon, by demand."""

    def __init__(self) -> None:
        self._queues: dict[Demand, SortedList[Job]] = {}
        self._queued: dict[str, Job] = {}
        """The very jobs that stand in the queues, by uid."""

    @property
    def by_demand(self) -> Mapping[Demand, SortedList[Job]]:
        """The queues, none of which is empty."""
        return self._queues

    def put(self, uid: str, job: Job | None) -> None:
        """Put a job into its queue, or its new version in the place of the former; None takes it out."""
        queued = self._queued.get(uid)
        if job is queued:
            return
        if queued is not None:
            self._take_out(queued)
        if job is not None:
            self._queues.setdefault(job.demand, _new_queue()).add(job)
            self._queued[uid] = job

    def place_of(self, uid: str) -> Place | None:
        """Return the job's place; None if it is in no queue."""
        job = self._queued.get(uid)
        if job is None:
            return None
        queue = self._queues[job.demand]
        return Place(queue.index_of(job) + 1, len(queue))

    def _take_out(self, job: Job) -> None:
        queue = self._queues[job.demand]
        queue.remove(job)
        del self._queued[job.uid]
        if not queue:
            del self._queues[job.demand]


def _new_queue() -> SortedList[Job]:
    return SortedList(key=_rank, tie=_number)


def _rank(job: Job) -> tuple[int, float]:
    return -job.priority, job.created


def _number(job: Job) -> str:
    return natural(job.name)
