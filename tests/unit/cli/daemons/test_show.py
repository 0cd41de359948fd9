"""Everything about one daemon, in lines."""

from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.cli.daemons import table
from provisioner_operator.cli.daemons.show import describe
from provisioner_operator.cli.daemons.table import daemon_row
from provisioner_operator.core.model.records import Condition, Daemon, Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.object_states import daemon_report
from support.builders.core import NOON, a_daemon, a_job, an_ended_job


def shown(daemon: Daemon, *jobs: Job, **status: Any) -> str:
    daemon = replace(daemon, heartbeat="2027-01-15T08:00:00+00:00")
    snapshot = Snapshot(jobs, [daemon], now=NOON + 30)
    report = daemon_report({"metadata": {"name": daemon.name}, "status": status})
    row = daemon_row(daemon, report, snapshot, table.blocked_by_tags(snapshot), age=0.0)
    return "\n".join(line.plain for line in describe(row, jobs, snapshot, utc=True))


def test_a_daemon_is_shown_with_its_counts() -> None:
    text = shown(a_daemon("d1", capacity=2), completedJobs=7, failedJobs=5, consecutiveFailures=4, version="1.0")
    assert text.startswith("d1 in acme: Idle")
    assert "Slots:           0 of 2 in use" in text
    assert "Last seen:       30s ago" in text
    assert "Ended jobs:      7 completed, 5 failed, 4 failures in a row" in text
    assert "Pod:             none: registered by an admin" in text
    assert "Blocked by tags" not in text


def test_a_cordon_names_the_pool_that_set_it() -> None:
    assert "cordoned by pool blue" in shown(a_daemon(cordoned=True, cordoned_by="blue"))


def test_a_condition_that_is_not_true_is_shown() -> None:
    conditions = (
        Condition("Ready", ConditionStatus.FALSE, "NoDisk", "The disk is full.", NOON),
        Condition("Other", ConditionStatus.TRUE, "Fine", "All is well.", NOON),
    )
    text = shown(a_daemon(conditions=conditions))
    assert "The disk is full." in text
    assert "All is well." not in text


def test_jobs_blocked_by_tags_are_counted_with_the_way_to_the_remedy() -> None:
    text = shown(a_daemon(tags={"a": "1"}), a_job(tags={"a": "2"}))
    assert "Blocked by tags: 1 waiting job would run here with other tags: `jobs why JOB` names the change" in text


def test_the_last_jobs_are_listed_newest_first() -> None:
    text = shown(a_daemon(), an_ended_job("old", finished=10), an_ended_job("new", finished=20))
    assert text.endswith("Last jobs\n  2027-01-15T08:00:20Z  new: Completed\n  2027-01-15T08:00:10Z  old: Completed")
