"""A daemon that reports that its runs fail at once gets no job that another daemon with the same tags could run."""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.core.jobs.decisions import Assign
from provisioner_operator.core.model.records import Condition, Daemon
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from support.builders.core import NOON, a_daemon, a_job, at, next_heartbeat

UNHEALTHY = (
    Condition("Ready", ConditionStatus.TRUE, "HeartbeatReceived", "", NOON),
    Condition("Healthy", ConditionStatus.FALSE, "RunsFailAtOnce", "", NOON),
)


def observing(*daemons: Daemon) -> JobReconciler:
    jobs = JobReconciler()
    for daemon in daemons:
        jobs.observe_daemon(daemon, at(0))
    return jobs


def assigned(jobs: JobReconciler, *names: str, tags: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """Return the assignments that are made once jobs of these names are observed."""
    for number, name in enumerate(names):
        jobs.observe_job(a_job(name, tags=tags, created=number), at(0))
    return [(each.job.name, each.daemon.name) for each in jobs.decide(at(0)) if isinstance(each, Assign)]


def test_it_is_passed_over_while_another_daemon_takes_the_same_jobs() -> None:
    jobs = observing(a_daemon("a-broken", capacity=3, conditions=UNHEALTHY), a_daemon("b-works"))
    assert assigned(jobs, "one", "two") == [("one", "b-works")]


def test_it_gets_jobs_where_no_other_daemon_does() -> None:
    cordoned = a_daemon("cordoned", cordoned=True)
    other_tags = a_daemon("other-tags", tags={"gpu": "yes"})
    jobs = observing(a_daemon("broken", conditions=UNHEALTHY), cordoned, other_tags)
    assert assigned(jobs, "one") == [("one", "broken")]


def test_where_all_are_unhealthy_none_is_passed_over() -> None:
    jobs = observing(*(a_daemon(name, conditions=UNHEALTHY) for name in ("a", "b")))
    assert {daemon for _, daemon in assigned(jobs, "one", "two")} == {"a", "b"}


def test_it_gets_jobs_again_once_it_is_healthy() -> None:
    broken = a_daemon("broken", conditions=UNHEALTHY)
    jobs = observing(broken, a_daemon("works"))
    assert assigned(jobs, "one", "two") == [("one", "works")]
    jobs.observe_daemon(next_heartbeat(broken, conditions=()), at(1))
    assert assigned(jobs) == [("two", "broken")]


def test_it_gets_jobs_at_its_next_heartbeat_once_the_other_is_gone() -> None:
    broken, other = a_daemon("broken", conditions=UNHEALTHY), a_daemon("works")
    jobs = observing(broken, other)
    assert assigned(jobs, "one", "two") == [("one", "works")]
    jobs.daemon_deleted(other.uid, at(1))
    jobs.observe_daemon(next_heartbeat(broken), at(1))
    assert assigned(jobs) == [("two", "broken")]


def test_a_daemon_that_takes_other_tags_is_no_longer_a_peer() -> None:
    broken, other = a_daemon("broken", conditions=UNHEALTHY), a_daemon("works")
    jobs = observing(broken, other)
    gpu = a_daemon("works", tags={"gpu": "yes"})
    jobs.observe_daemon(replace(gpu, resource_version=2), at(1))
    jobs.observe_daemon(next_heartbeat(broken), at(1))
    assert assigned(jobs, "one") == [("one", "broken")]
