import pytest

from provisioner_operator.api.v1alpha1.daemon import DaemonStatus, ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase
from provisioner_operator.daemon.reporting.report import ListedState, Report, RunningJob, Tally, status_content

AT_ONCE_SECONDS = 10.0
UNHEALTHY_FAILURES = 3
UNHEALTHY_SECONDS = 300.0

IDLE = Report(DaemonState.IDLE, ())


def a_daemon(**status: object) -> ProvisionerDaemon:
    meta = {"name": "d1", "namespace": "acme", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return ProvisionerDaemon.model_validate(
        {"metadata": meta, "spec": {"tags": {"b": "2", "a": "1"}}, "status": status}
    )


def content(
    report: Report = IDLE, daemon: ProvisionerDaemon | None = None, *, tally: Tally | None = None, now: float = 1000.0
) -> dict[str, object]:
    counts = tally or Tally()
    return status_content(
        report, counts, daemon or a_daemon(), instance="i", lost_after_seconds=300, idle_heartbeat_seconds=0, now=now
    )


def is_healthy(tally: Tally, now: float) -> bool:
    status = DaemonStatus.model_validate(content(tally=tally, now=now))
    [*_, last] = status.conditions
    return (last.type, last.status, last.reason) != ("Healthy", "False", "RunsFailAtOnce")


def test_a_heartbeat_fits_the_api() -> None:
    job = RunningJob("dev-7", "u7", "dev", 900.0)
    status = DaemonStatus.model_validate(content(Report(DaemonState.BUSY, (job,))))
    assert status.state is DaemonState.BUSY
    assert [(each.name, each.uid, each.workspace) for each in status.current_jobs] == [("dev-7", "u7", "dev")]
    assert status.tags == "a=1,b=2"


def test_a_state_that_only_the_daemon_has_is_listed() -> None:
    state = ListedState("dev", "dev-7", "u7", 900.0, "x" * 2000)
    (listed,) = DaemonStatus.model_validate(content(Report(DaemonState.IDLE, (), (state,)))).unsaved_states
    assert (listed.workspace, listed.job, listed.job_uid, len(listed.message)) == ("dev", "dev-7", "u7", 1024)
    assert content()["unsavedStates"] == []


def test_the_names_of_all_jobs_are_shown_in_one_line_as_far_as_it_reaches() -> None:
    jobs = [RunningJob(f"dev-{number}", f"u{number}", None, 900.0) for number in range(1, 301)]
    assert content(Report(DaemonState.BUSY, jobs[:2]))["jobs"] == "dev-1, dev-2"
    assert DaemonStatus.model_validate(content(Report(DaemonState.BUSY, jobs))).jobs.endswith("…")
    assert content()["jobs"] == ""


def test_ready_keeps_the_time_of_its_last_change() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "X", "lastTransitionTime": "1970-01-01T00:00:05Z"}
    status = DaemonStatus.model_validate(content(daemon=a_daemon(conditions=[ready])))
    assert status.conditions[0].last_transition_time.timestamp() == 5


@pytest.mark.parametrize(("state", "ready"), [(DaemonState.DRAINING, "True"), (DaemonState.OFFLINE, "False")])
def test_ready_changes_when_the_daemon_ends(state: DaemonState, ready: str) -> None:
    status = DaemonStatus.model_validate(content(Report(state, ())))
    assert (status.conditions[0].status, status.conditions[0].last_transition_time.timestamp()) == (ready, 1000)


def test_failures_in_a_row_end_with_a_success() -> None:
    tally = Tally.of(DaemonStatus(completed_jobs=4, failed_jobs=1, consecutive_failures=1))
    for phase in (Phase.FAILED, Phase.CANCELED, Phase.FAILED):
        tally.count(phase, started=0, now=60)
    assert (tally.failed, tally.canceled, tally.consecutive_failures) == (3, 1, 3)
    tally.count(Phase.COMPLETED, started=0, now=60)
    assert (tally.completed, tally.consecutive_failures) == (5, 0)


def test_a_daemon_whose_runs_fail_at_once_again_and_again_says_so_for_a_while() -> None:
    tally = Tally()
    for number in range(UNHEALTHY_FAILURES):
        assert is_healthy(tally, 100)
        tally.count(Phase.FAILED, started=90 + number, now=91 + number)
    last = 90 + UNHEALTHY_FAILURES
    assert not is_healthy(tally, last)
    assert not is_healthy(tally, last + UNHEALTHY_SECONDS - 1)
    assert is_healthy(tally, last + UNHEALTHY_SECONDS)
    # The next run decides.
    tally.count(Phase.FAILED, started=1000, now=1001)
    assert not is_healthy(tally, 1001)


@pytest.mark.parametrize(
    ("phase", "seconds"), [(Phase.COMPLETED, 1), (Phase.FAILED, AT_ONCE_SECONDS)], ids=["success", "a longer run"]
)
def test_a_run_that_gets_somewhere_ends_the_row(phase: Phase, seconds: float) -> None:
    tally = Tally()
    for _ in range(UNHEALTHY_FAILURES):
        tally.count(Phase.FAILED, started=0, now=1)
    tally.count(phase, started=1, now=1 + seconds)
    assert is_healthy(tally, 20)
    tally.count(Phase.FAILED, started=20, now=21)
    assert is_healthy(tally, 21)
