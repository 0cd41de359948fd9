"""Jobs stand in the queue of their demand, which exists as long as one does."""

from provisioner_operator.core.views.demand_queues import DemandQueues
from provisioner_operator.core.views.queue_view import Place
from support.builders.core import a_job


def test_the_queues_of_a_namespace_are_found() -> None:
    queues = DemandQueues()
    jobs = [a_job("one"), a_job("two", tags={"x": "1"}), a_job("three", namespace="other")]
    for job in jobs:
        queues.put(job.uid, job)

    assert {demand: list(queue) for demand, queue in queues.of(["acme", "unknown"])} == {
        job.demand: [job] for job in jobs[:2]
    }


def test_a_job_of_higher_priority_goes_first() -> None:
    queues = DemandQueues()
    for job in (a_job("one"), a_job("two", priority=1)):
        queues.put(job.uid, job)
    assert queues.place_of("uid-of-two") == Place(1, 2)

    queues.put("uid-of-two", a_job("two", priority=-1))
    assert queues.place_of("uid-of-two") == Place(2, 2)


def test_nothing_is_kept_of_jobs_that_are_gone() -> None:
    queues = DemandQueues()
    for job in (a_job("one"), a_job("two", tags={"x": "1"})):
        queues.put(job.uid, job)

    queues.put("uid-of-one", None)
    assert queues.place_of("uid-of-one") is None
    assert len(queues.by_demand) == 1
    queues.put("uid-of-two", None)
    queues.put("uid-of-two", None)
    assert vars(queues) == vars(DemandQueues())
