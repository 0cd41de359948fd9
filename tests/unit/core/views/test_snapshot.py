"""The queue and the daemons that serve it, from lists."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase
from provisioner_operator.core.model.records import Daemon, Job, ReportedState
from provisioner_operator.core.scheduling.explanation import explain_unsaved_state
from provisioner_operator.core.views.snapshot import Snapshot, ran, waited
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_assigned_job, an_ended_job
from support.builders.pools import a_pool

HEARTBEAT = "2027-01-15T08:00:00+00:00"


def daemon(name: str = "daemon", **fields: Any) -> Daemon:
    return replace(a_daemon(name, **fields), heartbeat=HEARTBEAT)


def places(*jobs: Job) -> dict[str, str]:
    snapshot = Snapshot(jobs, now=NOON + 60)
    return {job.name: str(snapshot.places[job.uid]) for job in jobs if job.uid in snapshot.places}


def details(snapshot: Snapshot, job: Job) -> str:
    busy = snapshot.busy(job)
    assert busy is not None
    return busy.details


def test_the_oldest_is_first_and_priority_goes_before_age() -> None:
    assert places(a_job("new", created=5), a_job("old"), a_job("urgent", created=9, priority=1)) == {
        "urgent": "1/3",
        "old": "2/3",
        "new": "3/3",
    }


def test_each_demand_has_a_queue_of_its_own() -> None:
    assert places(a_job("a", tags={"x": "1"}), a_job("b", created=1, tags={"x": "2"})) == {"a": "1/1", "b": "1/1"}


def test_jobs_that_are_held_or_wait_for_their_workspace_stand_in_no_queue() -> None:
    assert places(
        a_job("held", suspend=True),
        a_job("canceled", cancel=True),
        a_job("deleted", deleting=True),
        a_job("dev-1", workspace="dev"),
        a_job("dev-2", workspace="dev", created=1),
    ) == {"dev-1": "1/1"}


def test_a_daemon_that_is_being_deleted_takes_no_jobs() -> None:
    job, leaving = a_job(), daemon(deleting=True)
    snapshot = Snapshot([job], [leaving], now=NOON + 1)
    assert snapshot.takers(job.demand) == []
    assert snapshot.reason_of(job) == "DaemonsOffline"


def test_a_job_that_has_ended_is_passed_over() -> None:
    assert places(an_ended_job("over", workspace="dev"), a_job("dev-2", workspace="dev")) == {"dev-2": "1/1"}


def test_what_goes_first_in_a_workspace_is_named() -> None:
    running, waiting = a_running_job("dev-1", workspace="dev"), a_job("dev-2", workspace="dev", created=1)
    snapshot = Snapshot([running, waiting], [daemon(runs=(running,))], now=NOON + 1)
    assert details(snapshot, waiting) == "First goes dev-1."
    assert snapshot.reason_of(waiting) == "WorkspaceBusy"


@pytest.mark.parametrize(
    ("fleet", "reason"),
    [
        ([], "NoMatchingDaemon"),
        ([daemon(tags={"a": "1"})], "NoMatchingDaemon"),
        ([daemon(cordoned=True)], "DaemonsCordoned"),
        ([daemon(state=DaemonState.OFFLINE)], "DaemonsOffline"),
        ([daemon()], ""),
    ],
)
def test_reasons_are_the_cores(fleet: list[Daemon], reason: str) -> None:
    job = a_job()
    assert Snapshot([job], fleet, now=NOON).reason_of(job) == reason


def test_a_daemon_that_says_it_is_idle_is_offline_when_it_said_so_long_ago() -> None:
    job = a_job()
    assert Snapshot([job], [daemon()], now=NOON + 39).reason_of(job) == ""
    assert Snapshot([job], [daemon()], now=NOON + 41).reason_of(job) == "DaemonsOffline"


def test_a_daemon_that_announced_a_later_heartbeat_is_given_that_time() -> None:
    job, resting = a_job(), daemon(idle_interval=60)
    assert Snapshot([job], [resting], now=NOON + 89).reason_of(job) == ""
    assert Snapshot([], [resting], now=NOON + 89).reports(resting)
    assert Snapshot([job], [resting], now=NOON + 91).reason_of(job) == "DaemonsOffline"
    assert not Snapshot([], [resting], now=NOON + 91).reports(resting)


def test_a_run_on_a_daemon_that_is_gone_is_stuck() -> None:
    running = a_running_job()
    assert Snapshot([running], now=NOON).is_stuck(running)
    assert not Snapshot([running], [daemon(runs=(running,))], now=NOON).is_stuck(running)


def test_waiting_does_not_count_what_was_suspended_and_ends_with_the_start() -> None:
    assert waited(a_job(suspended_seconds=20), NOON + 60) == 40
    assert waited(a_job(suspended_at=NOON + 10), NOON + 60) == 10
    assert waited(a_running_job(started=7), NOON + 60) == 7
    assert ran(a_running_job(started=7), NOON + 60) == 53
    assert ran(an_ended_job(finished=30), NOON + 60) == 30
    assert ran(a_job(), NOON + 60) is None


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (a_job(suspend=True), "Suspended"),
        (a_job(cancel=True), ""),
        (an_assigned_job(), ""),
        (a_running_job(), ""),
        (an_ended_job(), ""),
    ],
)
def test_only_a_job_that_waits_has_a_reason(job: Job, reason: str) -> None:
    assert Snapshot([job], [daemon()], now=NOON).reason_of(job) == reason


def test_a_run_that_outlives_its_job_is_named_as_what_goes_first() -> None:
    waiting, over = a_job("dev-2", workspace="dev"), a_running_job("dev-1", workspace="dev")
    snapshot = Snapshot([waiting], [daemon(runs=(over,))], now=NOON + 1)

    assert details(snapshot, waiting) == "First goes an earlier job whose run may not have ended yet."


def test_a_pool_that_grows_for_jobs_explains_their_wait_if_it_is_of_their_organization() -> None:
    job = a_job()
    pools = [a_pool("mine", replicas=2), a_pool("idle", replicas=0)]
    foreign = a_pool("foreign", replicas=2)
    foreign = replace(foreign, supply=replace(foreign.supply, namespace="elsewhere"))

    assert Snapshot([job], pools=[*pools, foreign], now=NOON).reason_of(job) == "DaemonsStarting"
    assert Snapshot([job], pools=[foreign], now=NOON).reason_of(job) == "NoMatchingDaemon"


def test_an_explanation_is_made_once_for_a_demand() -> None:
    job = a_job()
    snapshot = Snapshot([job], now=NOON)

    assert snapshot.explain(job.demand) is snapshot.explain(job.demand)


def test_a_waiting_job_is_stuck_where_only_somebody_can_help() -> None:
    job = a_job()
    assert Snapshot([job], now=NOON).is_stuck(job)
    assert not Snapshot([job], [daemon(runs=(a_running_job(),))], now=NOON).is_stuck(job)


def test_a_daemon_that_never_reported_is_not_online() -> None:
    fleet = [replace(daemon(), heartbeat=None)]
    assert Snapshot([], fleet, now=NOON).is_online(fleet[0]) is False


@pytest.mark.parametrize(
    ("state", "deleting", "age", "reports"),
    [
        (DaemonState.IDLE, True, 1, True),
        (DaemonState.DRAINING, False, 1, True),
        (DaemonState.OFFLINE, False, 1, False),
        (DaemonState.BUSY, True, 3_600, False),
    ],
)
def test_a_daemon_reports_also_while_it_takes_no_more_jobs(
    state: DaemonState,
    deleting: bool,  # noqa: FBT001 - a parameter of pytest
    age: float,
    reports: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    known = replace(daemon(), state=state, deleting=deleting)
    assert known.heartbeat is not None
    last = datetime.fromisoformat(known.heartbeat).timestamp()
    assert Snapshot([], [known], now=last + age).reports(known) is reports


def test_a_job_that_was_canceled_before_it_started_waited_until_its_end() -> None:
    canceled = a_job(phase=Phase.CANCELED, finished=NOON + 25)
    assert waited(canceled, NOON + 60) == 25


def test_a_workspace_whose_state_is_not_saved_yet_waits_for_the_daemon_that_has_it() -> None:
    state = ReportedState("dev", "dev-6", "no quota")
    job, other = a_job("dev-7", workspace="dev"), a_job("test-1", workspace="test")
    snapshot = Snapshot([job, other], [daemon("keeper", unsaved=(state,))], now=NOON + 1)

    assert snapshot.busy(job) == explain_unsaved_state(state, "keeper")
    assert snapshot.reason_of(job) == "StateUnsaved"
    assert snapshot.place_of(job.uid) is None
    assert snapshot.busy(other) is None


def test_an_assigned_job_has_its_workspace_before_an_older_one() -> None:
    older, assigned = a_job("dev-1", workspace="dev"), an_assigned_job("dev-2", workspace="dev")
    snapshot = Snapshot([older, assigned], [daemon()], now=NOON + 1)

    assert details(snapshot, older) == "First goes dev-2."
    assert snapshot.place_of(older.uid) is None
