"""The queue of each demand, kept in order while jobs come and go. Used by `live_queue`. Pure."""

from collections.abc import Iterable, Iterator, Mapping

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
        self._demands: dict[str, dict[Demand, None]] = {}
        """Demands that have a queue, by namespace."""

    @property
    def by_demand(self) -> Mapping[Demand, SortedList[Job]]:
        """The queues, none of which is empty."""
        return self._queues

    def of(self, namespaces: Iterable[str]) -> Iterator[tuple[Demand, SortedList[Job]]]:
        """Yield the demands of these namespaces with their queues."""
        for namespace in namespaces:
            for demand in self._demands.get(namespace, ()):
                yield demand, self._queues[demand]

    def put(self, uid: str, job: Job | None) -> None:
        """Put a job into its queue, or its new version in the place of the former; None takes it out."""
        queued = self._queued.get(uid)
        if job is queued:
            return
        if queued is not None:
            self._take_out(queued)
        if job is not None:
            self._queue_of(job.demand).add(job)
            self._queued[uid] = job

    def place_of(self, uid: str) -> Place | None:
        """Return the job's place; None if it is in no queue."""
        job = self._queued.get(uid)
        if job is None:
            return None
        queue = self._queues[job.demand]
        return Place(queue.index_of(job) + 1, len(queue))

    def _queue_of(self, demand: Demand) -> SortedList[Job]:
        if demand not in self._queues:
            self._queues[demand] = SortedList(key=_rank, tie=_number)
            self._demands.setdefault(demand.namespace, {})[demand] = None
        return self._queues[demand]

    def _take_out(self, job: Job) -> None:
        queue = self._queues[job.demand]
        queue.remove(job)
        del self._queued[job.uid]
        if not queue:
            self._drop(job.demand)

    def _drop(self, demand: Demand) -> None:
        del self._queues[demand]
        demands = self._demands[demand.namespace]
        del demands[demand]
        if not demands:
            del self._demands[demand.namespace]


def _rank(job: Job) -> tuple[int, float]:
    return -job.priority, job.created


def _number(job: Job) -> str:
    return natural(job.name)
