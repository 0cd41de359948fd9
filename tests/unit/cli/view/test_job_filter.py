"""Jobs, selected by status, type and other properties."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.view.job_filter import Selection, parse_statuses, parse_type
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.selectors import UNFINISHED_JOBS
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_ended_job


def viewed(name: str = "job", initiator: str = "ann", template: str | None = None, **fields: Any) -> JobView:
    return JobView(a_job(name, **fields), initiator, template, None)


def test_statuses_are_read_in_any_spelling() -> None:
    assert parse_statuses(["pending,Running", "succeeded"]) == (
        frozenset({Phase.PENDING, Phase.RUNNING, Phase.COMPLETED}),
        False,
    )
    assert parse_statuses(["cancelled", "stuck"]) == (frozenset({Phase.CANCELED}), True)
    assert parse_statuses([]) == (frozenset(), False)


def test_an_unknown_status_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no status 'waiting'\. Choose from: pending, running"):
        parse_statuses(["waiting"])


def test_coders_names_of_types_are_understood() -> None:
    assert parse_type("workspace_build") is JobType.WORKSPACE_BUILD
    assert parse_type("workspaceplan") is JobType.WORKSPACE_PLAN
    assert parse_type("templateimport") is JobType.TEMPLATE_IMPORT
    with pytest.raises(UsageError, match="no job type"):
        parse_type("build")


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), ""),
        (Selection(phases=frozenset({Phase.FAILED})), "status.phase=Failed"),
        (Selection(phases=frozenset({Phase.PENDING, Phase.RUNNING})), UNFINISHED_JOBS),
        (Selection(stuck=True), UNFINISHED_JOBS),
        (Selection(phases=frozenset({Phase.FAILED, Phase.PENDING})), ""),
        (Selection(initiator="a,b=c"), "spec.initiator=a\\,b\\=c"),
        (Selection(workspace="dev", daemon="d1"), "spec.workspaceRef.name=dev,status.assignment.daemon=d1"),
    ],
)
def test_the_api_server_chooses_what_it_can(selection: Selection, expected: str) -> None:
    assert selection.field_selector() == expected


def test_a_job_must_have_every_selected_property() -> None:
    view = viewed(tags={"a": "1", "b": "2"}, template="docker", workspace="dev")
    assert Selection(tags=frozenset({("a", "1")}), template="docker", initiator="ann").includes(view, None)
    assert not Selection(tags=frozenset({("a", "2")})).includes(view, None)
    assert not Selection(template="other").includes(view, None)
    assert not Selection(since=NOON + 1).includes(view, None)
    assert Selection(since=NOON).includes(view, None)


def test_stuck_jobs_are_those_that_no_daemon_will_start() -> None:
    busy = a_daemon(tags={"a": "1"})
    running = a_running_job("runs", tags={"a": "1"})
    waits = a_job("waits", tags={"a": "1"})
    stuck = a_job("stuck", tags={"a": "2"})
    snapshot = Snapshot([running, waits, stuck], [replace(busy, heartbeat="2027-01-15T08:00:00Z")], now=NOON + 5)
    selection = Selection(stuck=True)
    included = [
        job.name for job in (running, waits, stuck) if selection.includes(JobView(job, None, None, None), snapshot)
    ]
    assert included == ["stuck"]


def test_a_job_that_has_ended_is_never_stuck() -> None:
    ended = an_ended_job()
    assert not Selection(stuck=True).includes(JobView(ended, None, None, None), Snapshot([ended], now=NOON))
