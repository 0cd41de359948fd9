"""The explanation of a pending job in words and as JSON."""

from dataclasses import replace

from provisioner_operator.cli.jobs.why import describe, describe_place, explanation_document
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.views.fit import fits
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job, a_running_job, an_assigned_job, an_ended_job
from support.builders.queues import BY_INITIATOR, a_policy, fair

HEARTBEAT = "2027-01-15T08:00:00+00:00"


def a_snapshot(*jobs: Job, daemons: tuple[Daemon, ...] = (), policy: QueuePolicy = NO_POLICY) -> Snapshot:
    queue = Queue(NAMESPACE, "default", "uid-of-queue", 1, 1, policy)
    return Snapshot(jobs, [replace(daemon, heartbeat=HEARTBEAT) for daemon in daemons], (), [queue], now=NOON + 10)


def described(job: Job, snapshot: Snapshot, guess: StartEstimate | None = None) -> str:
    return "\n".join(line.plain for line in describe(job, snapshot, guess, utc=True))


def test_a_job_that_is_not_pending_needs_no_explanation() -> None:
    job = an_ended_job()
    assert described(job, a_snapshot(job)) == "job is Completed, not pending.\n`jobs show job` shows its history."


def test_a_waiting_job_is_described_with_reason_wait_and_deadline() -> None:
    job = a_job(tags={"a": "1"})
    text = described(job, a_snapshot(job))
    assert text.startswith("job is Pending for 10s\nIt needs provisioner terraform and tags a=1.\nNoMatchingDaemon: ")
    assert "When it starts is unknown: nobody runs jobs with these tags." in text
    assert "If it has not started by 2027-01-15T08:30:00Z, in 29m, it fails: PendingTimeout." in text


def test_an_estimate_names_its_basis() -> None:
    running, job = a_running_job("runs"), a_job("waits")
    snapshot = a_snapshot(running, job, daemons=(a_daemon(runs=(running,)),))
    guess = StartEstimate(20, 70, 12)
    assert "It starts in 20s (p50), or 1m10s (p90), estimated from at least 12 past runs of each kind." in described(
        job, snapshot, guess
    )
    assert "When it starts is unknown: too few runs have ended in the namespace" in described(job, snapshot)


def test_a_limit_is_named_with_the_jobs_that_run_under_it() -> None:
    policy = a_policy(Limit("each", 1, per=BY_INITIATOR), fairness=fair())
    running, job = a_running_job("runs", initiator="ann"), a_job("waits", initiator="ann")
    snapshot = a_snapshot(running, job, daemons=(a_daemon(capacity=3),), policy=policy)
    text = described(job, snapshot)
    assert (
        "LimitReached: Limit each of ProvisionerQueue default lets 1 such job run at a time for initiator ann." in text
    )
    assert "wait until one of them ends, or raise its maxRunning. Running under it: runs." in text
    assert "It counts for initiator ann, with 1 of the 1 jobs that run." in text
    assert "When it starts is unknown: jobs of groups with a smaller share may come and go first" in text


def test_a_place_is_that_of_the_policy() -> None:
    jobs = [a_job(f"anns-{number}", initiator="ann") for number in range(5)]
    bobs = a_job("bobs", initiator="bob", created=5)
    busy = a_daemon(runs=(a_running_job("busy"),))
    snapshot = a_snapshot(a_running_job("busy"), *jobs, bobs, daemons=(busy,), policy=a_policy())
    assert "It is number 2 of 6 in the queue for these tags." in described(bobs, snapshot)


def test_a_job_that_is_about_to_start_is_described_so() -> None:
    job = a_job()
    text = described(job, a_snapshot(job, daemons=(a_daemon(),)), StartEstimate(0, 0, 0))
    assert "A daemon is free for it." in text
    assert "run `doctor` to check" in text
    assert "It is about to start" in text


def test_a_build_may_wait_for_the_reports_of_all_daemons_although_one_is_free() -> None:
    job = a_job(workspace="dev")
    text = described(job, a_snapshot(job, daemons=(a_daemon(),)))
    assert "An operator that has just started waits for two heartbeats of each daemon first." in text


def test_an_assigned_and_a_canceled_job_wait_for_others() -> None:
    assigned, canceled = an_assigned_job("given"), a_job("canceled", cancel=True)
    snapshot = a_snapshot(assigned, canceled, daemons=(a_daemon(),))
    assert "It is assigned to daemon daemon, which is about to start it." in described(assigned, snapshot)
    assert "Its cancel was requested: the operator is about to end it." in described(canceled, snapshot)


def test_a_place_in_the_queue_is_described_in_words() -> None:
    assert describe_place(Place(1, 1)) == "It is the only job in the queue for these tags"
    assert describe_place(Place(2, 5)) == "It is number 2 of 5 in the queue for these tags"


def test_the_document_has_every_daemon_with_what_it_lacks() -> None:
    job = a_job(tags={"a": "1"})
    snapshot = a_snapshot(job, daemons=(a_daemon("d1", tags={"a": "2"}),))
    document = explanation_document(job, snapshot, StartEstimate(20.1, 30, 7), fits(job.demand, snapshot))
    assert document["stuck"] is True
    assert document["reason"] == "NoMatchingDaemon"
    assert document["queue"] == {"position": 1, "size": 1}
    assert isinstance(document["nearest"], list)
    assert document["nearest"][0].startswith("d1 has a=2, not 1.")
    assert document["nearest"][0] in described(job, snapshot)
    assert document["waitedSeconds"] == 10
    assert document["estimate"] == {"p50Seconds": 21, "p90Seconds": 30, "runs": 7}
    assert explanation_document(job, snapshot, None, ())["estimate"] is None
    assert document["daemons"] == [
        {
            "name": "d1",
            "matches": False,
            "state": "free",
            "lacks": ("a=1",),
            "hasTooMany": (),
            "lastSeenSeconds": 10,
        }
    ]
