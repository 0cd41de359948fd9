"""Lines of the list of jobs."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.page.jobs.table import (
    CancelRights,
    QueueFacts,
    cancel_button,
    elapsed_of,
    job_line,
    reason_of,
)
from support.builders.core import NAMESPACE, NOON, a_job, a_running_job

EVERYWHERE, NOWHERE = frozenset({NAMESPACE}), frozenset[str]()
ADMIN = CancelRights("grace", EVERYWHERE, EVERYWHERE)
SUBMITTER = CancelRights("ada", NOWHERE, EVERYWHERE)
VIEWER = CancelRights("ada", NOWHERE, NOWHERE)


def a_row(*, owner_may_cancel: bool = False, **fields: Any) -> JobRow:
    running = fields.get("phase") in (Phase.RUNNING, Phase.CANCELING)
    job = a_running_job("dev-7", **fields) if running else a_job("dev-7", **fields)
    return JobRow(job, "docker", None, "docker-1", None, 7, owner_may_cancel, None, None)


def test_a_pending_job_can_be_canceled() -> None:
    button = cancel_button(a_row(), ADMIN)
    assert button.works
    assert (button.state, button.label) == ("ready", "Cancel job dev-7")
    assert button.href == "/organizations/acme/provisioner-jobs/dev-7/cancel"


def test_without_the_right_the_button_names_the_missing_verb() -> None:
    for rights, verb in ((SUBMITTER, "cancel"), (VIEWER, "patch")):
        button = cancel_button(a_row(), rights)
        assert (button.works, button.state) == (False, "denied")
        assert f"you lack the verb {verb} on provisionerjobs" in button.explanation
        assert "provisioner-admin" in button.explanation


def test_an_owner_may_cancel_where_the_template_allows_it() -> None:
    own = a_row(owner_may_cancel=True, workspace_owner="ada")
    assert cancel_button(own, SUBMITTER).works
    assert not cancel_button(a_row(owner_may_cancel=False, workspace_owner="ada"), SUBMITTER).works
    assert not cancel_button(a_row(owner_may_cancel=True, workspace_owner="bob"), SUBMITTER).works
    assert not cancel_button(own, VIEWER).works


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.CANCELED])
def test_an_ended_job_has_nothing_to_cancel_whoever_asks(phase: Phase) -> None:
    assert cancel_button(a_row(phase=phase), ADMIN).state == "ended"
    assert cancel_button(a_row(phase=phase), VIEWER).state == "ended"


def test_a_canceling_job_can_be_forced_once() -> None:
    assert cancel_button(a_row(phase=Phase.CANCELING, cancel=True), ADMIN).state == "force"
    forced = a_row(phase=Phase.CANCELING, cancel=True, cancel_mode=CancelMode.FORCE)
    assert cancel_button(forced, ADMIN).state == "ended"
    assert cancel_button(a_row(cancel=True), ADMIN).state == "ended"


def test_nothing_can_be_canceled_while_the_api_server_is_away() -> None:
    button = cancel_button(a_row(), replace(ADMIN, is_away=True))
    assert button.state == "denied"
    assert "cannot be reached" in button.explanation


def test_a_line_has_a_word_place_and_reason() -> None:
    facts = QueueFacts(Place(3, 7), "NoMatchingDaemon", is_stuck=True)
    line = job_line(a_row(tags={"os": "linux", "zone": "a"}), facts, ADMIN, NOON + 65, ticking=False)
    assert (line.status.word, line.place, line.reason, line.is_stuck) == ("Pending", "3/7", "NoMatchingDaemon", True)
    assert (line.created.text, line.elapsed.text, line.elapsed.label) == ("1m ago", "1m 5s", "waited")
    assert (line.tags.first, line.tags.more) == ("os=linux", 1)
    assert line.retry_href == ""


def test_a_line_that_ticks_is_the_same_at_any_time() -> None:
    row = a_row()
    one, other = (job_line(row, QueueFacts(), ADMIN, NOON + age, ticking=True) for age in (5, 500))
    assert one == other
    assert one.elapsed.since == NOON


def test_the_workspace_is_a_link_if_there_is_one() -> None:
    assert job_line(a_row(workspace="dev"), QueueFacts(), ADMIN, NOON, ticking=False).workspace_href == ""
    built = a_row(workspace="dev", builds_workspace=True)
    assert (
        job_line(built, QueueFacts(), ADMIN, NOON, ticking=False).workspace_href == "/organizations/acme/workspaces/dev"
    )


def test_a_reason_that_repeats_the_phase_is_left_out() -> None:
    assert reason_of(a_job(phase=Phase.COMPLETED, reason="Completed"), QueueFacts()) == ""
    assert reason_of(a_job(phase=Phase.FAILED, reason="RunFailed"), QueueFacts()) == "RunFailed"
    assert reason_of(a_job(cancel=True), QueueFacts(reason="DaemonsBusy")) == "CancelRequested"


def test_time_counts_while_a_job_waits_or_runs() -> None:
    assert elapsed_of(a_job(), NOON + 9).since == NOON
    assert elapsed_of(a_job(suspended_at=NOON + 4), NOON + 9).since is None
    assert elapsed_of(a_running_job(started=5), NOON + 9).since == NOON + 5
    ended = elapsed_of(a_job(phase=Phase.CANCELED, finished=NOON + 3), NOON + 9)
    assert (ended.text, ended.since, ended.label) == ("3s", None, "waited")
