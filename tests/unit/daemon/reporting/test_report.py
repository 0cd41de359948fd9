import pytest

from provisioner_operator.api.v1alpha1.daemon import DaemonStatus, ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase
from provisioner_operator.daemon.reporting.report import Report, RunningJob, Tally, status_content

IDLE = Report(DaemonState.IDLE, ())


def a_daemon(**status: object) -> ProvisionerDaemon:
    meta = {"name": "d1", "namespace": "acme", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return ProvisionerDaemon.model_validate(
        {"metadata": meta, "spec": {"tags": {"b": "2", "a": "1"}}, "status": status}
    )


def content(report: Report = IDLE, daemon: ProvisionerDaemon | None = None) -> dict[str, object]:
    return status_content(report, Tally(), daemon or a_daemon(), instance="i", lost_after_seconds=300, now=1000.0)


def test_a_heartbeat_fits_the_api() -> None:
    job = RunningJob("dev-7", "u7", "dev", 900.0)
    status = DaemonStatus.model_validate(content(Report(DaemonState.BUSY, (job,))))
    assert status.state is DaemonState.BUSY
    assert [(each.name, each.uid, each.workspace) for each in status.current_jobs] == [("dev-7", "u7", "dev")]
    assert status.tags == "a=1,b=2"


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
        tally.count(phase)
    assert (tally.failed, tally.canceled, tally.consecutive_failures) == (3, 1, 3)
    tally.count(Phase.COMPLETED)
    assert (tally.completed, tally.consecutive_failures) == (5, 0)
