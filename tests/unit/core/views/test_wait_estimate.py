"""Estimates of a queue as it is: slots, policies, pools, and the runs that ended."""

from dataclasses import replace
from typing import Any

from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.records import PoolStatus
from provisioner_operator.core.scheduling.queueing.policy import Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import Forecast, estimates_in, unknown_because
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job, a_running_job, an_ended_job
from support.builders.pools import a_pool, scaling
from support.builders.queues import BY_INITIATOR, a_policy

HEARTBEAT = "2027-01-15T08:00:00+00:00"
NOW = NOON + 10


def daemon(name: str = "daemon", **fields: Any) -> Daemon:
    return replace(a_daemon(name, **fields), heartbeat=HEARTBEAT)


def past(count: int = 50, seconds: float = 30, **fields: Any) -> RunHistory:
    return RunHistory(an_ended_job(f"past-{at}", finished=seconds, **fields) for at in range(count))


def queue(policy: QueuePolicy) -> Queue:
    return Queue(NAMESPACE, "default", "uid-of-queue", 1, 1, policy)


def starts(snapshot: Snapshot, history: RunHistory) -> dict[str, int]:
    """Return the medians by name."""
    found = estimates_in(snapshot, NAMESPACE, history)
    return {snapshot.jobs[uid].name: round(each.p50) for uid, each in found.items()}


def test_the_wait_is_what_the_running_and_those_ahead_take() -> None:
    running = a_running_job("runs")
    first, second = a_job("first", created=1), a_job("second", created=2)
    snapshot = Snapshot([running, first, second], [daemon(runs=(running,))], now=NOW)
    assert starts(snapshot, past()) == {"first": 20, "second": 50}
    assert starts(snapshot, past(4)) == {}


def test_a_job_that_nobody_runs_has_no_estimate() -> None:
    job = a_job()
    assert starts(Snapshot([job], [], now=NOW), past()) == {}
    cordoned = daemon(cordoned=True)
    running = a_running_job("runs")
    assert starts(Snapshot([job, running], [cordoned], now=NOW), past()) == {}


def test_nothing_is_estimated_where_no_job_has_ever_come() -> None:
    assert starts(Snapshot([], [daemon()], now=NOW), RunHistory()) == {}


def test_a_burst_alone_is_not_how_jobs_come() -> None:
    """Five thousand jobs have just come at once, and fifty before, one in a day."""
    running = a_running_job("runs", initiator="ann")
    jobs = [a_job(f"anns-{at}", initiator="ann", created=5) for at in range(5000)]
    bobs = a_job("bobs", initiator="bob", created=6)
    snapshot = Snapshot([running, *jobs, bobs], [daemon(runs=(running,))], (), [queue(a_policy())], now=NOW)
    rare = RunHistory(
        an_ended_job(f"past-{at}", initiator="cleo", created=-86_400 * at, finished=30) for at in range(1, 51)
    )
    assert starts(snapshot, rare)["bobs"] == 20


def test_a_slot_that_no_job_accounts_for_is_free_soon() -> None:
    job, over = a_job("waits"), a_running_job("over")
    assert starts(Snapshot([job], [daemon(runs=(over,))], now=NOW), past()) == {"waits": 1}


def test_above_a_capacity_that_was_lowered_nobody_gets_the_slot() -> None:
    runs = [a_running_job(f"run-{at}") for at in range(2)]
    jobs = [a_job(f"job-{at}", created=at) for at in range(2)]
    snapshot = Snapshot([*runs, *jobs], [daemon(runs=tuple(runs), capacity=1)], now=NOW)
    assert starts(snapshot, past()) == {"job-0": 20, "job-1": 50}


def test_a_limit_holds_also_while_the_daemon_of_its_run_is_gone() -> None:
    policy = a_policy(Limit("each", 1, per=BY_INITIATOR))
    running = a_running_job("runs", daemon="gone", initiator="ann")
    job = a_job("waits", initiator="ann")
    snapshot = Snapshot([running, job], [daemon("idle")], (), [queue(policy)], now=NOW)
    assert starts(snapshot, past()) == {"waits": 20}


def test_under_a_policy_that_shares_slots_jobs_come_as_they_came() -> None:
    running = a_running_job("runs", initiator="ann")
    jobs = [a_job("anns", initiator="ann"), a_job("bobs", initiator="bob", created=5)]
    snapshot = Snapshot([running, *jobs], [daemon(runs=(running,))], (), [queue(a_policy())], now=NOW)
    found = starts(snapshot, past(initiator="cleo", created=-90_000))
    assert found["bobs"] < found["anns"]
    assert starts(snapshot, RunHistory()) == {}


def test_a_job_of_low_priority_waits_for_those_that_come() -> None:
    running, job = a_running_job("runs"), a_job("waits", priority=-1)
    snapshot = Snapshot([running, job], [daemon(runs=(running,))], now=NOW)
    rare = starts(snapshot, past(created=-90_000))["waits"]
    assert rare >= 20
    many = RunHistory(an_ended_job(f"past-{at}", created=-10 * at, finished=30) for at in range(50))
    assert starts(snapshot, many) == {}


def grown(**fields: Any) -> Snapshot:
    status = PoolStatus(mean_run_seconds=30, **({"start_seconds": (40,) * 20} | fields))
    pools = [a_pool(autoscaling=scaling(3), status=status)]
    idle = daemon("old", pod_uid="pod", tags={"x": "1"})
    fresh = a_daemon("fresh", pod_uid="pod-2", created=NOON, heartbeat=None)
    return Snapshot([a_job("waits")], [idle, *([fresh] if status.replicas else [])], pools, now=NOW)


def test_a_pool_adds_daemons_after_the_time_that_they_take() -> None:
    assert starts(grown(), past()) == {"waits": 40}
    assert starts(grown(start_seconds=(40, 40)), past()) == {}
    assert starts(grown(replicas=1), past()) == {"waits": 30}  # it has been starting for ten seconds
    assert starts(grown(replicas=1, desired_replicas=2), past()) == {"waits": 30}


def test_a_pool_whose_pods_fail_does_not_count() -> None:
    pool = a_pool(replicas=0)
    assert starts(Snapshot([a_job()], [], [pool], now=NOW), past()) == {}


def test_a_fixed_pool_gets_the_daemons_that_are_missing() -> None:
    pool = a_pool(replicas=1, status=PoolStatus(start_seconds=(40,) * 20))
    assert starts(Snapshot([a_job("waits")], [], [pool], now=NOW), past()) == {"waits": 40}


def test_a_forecast_serves_all_jobs_of_all_namespaces() -> None:
    running, job, other = a_running_job("runs", template="dev"), a_job("waits"), a_job("other", namespace="other")
    forecast = Forecast(Snapshot([running, job, other], [daemon(runs=(running,))], now=NOW), past(template="dev"))
    assert forecast.start_of(other) is None
    start = forecast.start_of(job)
    assert isinstance(start, StartEstimate)
    assert start is forecast.start_of(job)
    run = forecast.run_of(running)
    assert run is not None
    assert (run.p50, run.runs, run.is_overlong) == (30, 50, False)
    assert forecast.run_of(job) is None


def why_unknown(*daemons: Daemon, policy: QueuePolicy | None = None, pools: bool = False) -> str:
    job: Job = a_job()
    found = [a_pool(autoscaling=scaling(3))] if pools else []
    queues = [] if policy is None else [queue(policy)]
    return unknown_because(job, Snapshot([job], daemons, found, queues, now=NOW))


def test_what_is_unknown_is_so_for_a_reason() -> None:
    assert why_unknown() == "nobody runs jobs with these tags"
    assert why_unknown(daemon(tags={"a": "1"})) == "nobody runs jobs with these tags"
    assert "too few runs" in why_unknown(daemon())
    assert "too few runs" in why_unknown(pools=True)
    assert "a smaller share" in why_unknown(daemon(), policy=a_policy())
