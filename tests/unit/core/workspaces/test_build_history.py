"""The history of a workspace's builds: the one that determines its state, and whether another is needed."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.workspaces.build_history import SUPERSEDED, BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.records import JOB_DELETED, VANISHED, Build, WorkspaceStatus
from support.builders.workspaces import a_build, a_workspace

BUILT = a_build(1, change="built")


def a_history(*builds: Build) -> BuildHistory:
    facts = BuildFacts({build.record.number: build for build in builds}, searched=True)
    history = BuildHistory.of(a_workspace(), facts)
    assert history is not None
    return history


def never_began(number: int, *, reason: str | None = None, change: str = "another") -> Build:
    return a_build(number, phase=Phase.CANCELED, began=False, reason=reason, change=change)


def test_after_a_superseded_build_the_last_run_determines_the_state() -> None:
    assert a_history(BUILT, never_began(2, reason=SUPERSEDED)).effective_build == BUILT.record
    assert a_history(never_began(1, reason=SUPERSEDED)).effective_build is None
    canceled = never_began(2)
    assert a_history(BUILT, canceled).effective_build == canceled.record


@pytest.mark.parametrize("reason", [None, SUPERSEDED, JOB_DELETED])
def test_what_was_built_need_not_be_built_again_after_a_build_that_never_began(reason: str | None) -> None:
    history = a_history(BUILT, never_began(2, reason=reason))

    assert history.is_already_built("built")
    assert not history.needs_build("built", Transition.START)
    assert history.needs_build("third", Transition.START)


@pytest.mark.parametrize(
    "later",
    [a_build(2, change="another"), a_build(2, change="another", phase=Phase.FAILED), never_began(2, reason=VANISHED)],
    ids=["done", "failed", "vanished"],
)
def test_what_a_later_run_changed_has_to_be_built_again(later: Build) -> None:
    history = a_history(BUILT, later)

    assert not history.is_already_built("built")
    assert history.needs_build("built", Transition.START)


def test_a_run_that_failed_built_nothing() -> None:
    failed = a_build(1, change="built", phase=Phase.FAILED)

    assert not a_history(failed, never_began(2)).is_already_built("built")


def test_only_a_stop_of_what_never_ran_needs_no_build() -> None:
    assert not a_history().needs_build("stop", Transition.STOP)
    assert a_history().needs_build("start", Transition.START)
    assert a_history(BUILT).needs_build("stop", Transition.STOP)


@pytest.mark.parametrize(("phase", "reason"), [(Phase.PENDING, VANISHED), (Phase.RUNNING, JOB_DELETED)])
def test_a_job_that_the_status_records_as_unfinished_and_that_is_gone_may_have_begun(phase: Phase, reason: str) -> None:
    unfinished = a_build(3, phase=phase).record
    workspace = a_workspace(status=WorkspaceStatus(latest_build=unfinished, last_run=BUILT.record))

    assert BuildHistory.of(workspace, BuildFacts(searched=False)) is None
    history = BuildHistory.of(workspace, BuildFacts(searched=True))
    assert history is not None
    assert history.latest == replace(unfinished, phase=Phase.CANCELED, reason=reason)
    assert history.last_run == history.latest
    assert not history.is_building


def test_a_job_that_was_deleted_after_its_end_ended_as_it_did() -> None:
    for ended in (BUILT, never_began(1), never_began(1, reason=SUPERSEDED)):
        assert ended.record.vanished() == ended.record.deleted() == ended.record


def test_a_build_whose_job_was_deleted_while_it_waited_never_began_unless_it_may_have_changed_before() -> None:
    pending = a_build(phase=Phase.PENDING).record

    assert pending.deleted() == replace(pending, phase=Phase.CANCELED, reason=JOB_DELETED)
    assert not pending.deleted().may_have_begun
    assert pending.vanished().may_have_begun


@pytest.mark.parametrize(
    ("latest", "superseded"),
    [
        (a_build(phase=Phase.PENDING), True),
        (a_build(phase=Phase.PENDING, change="wanted"), False),
        (a_build(phase=Phase.PENDING, cancel=True), False),
        (a_build(phase=Phase.PENDING, transition=Transition.DELETE), False),
        (a_build(phase=Phase.RUNNING), False),
        (a_build(), False),
    ],
)
def test_only_a_build_of_another_change_that_has_not_begun_is_superseded(latest: Build, superseded: bool) -> None:  # noqa: FBT001 - a column
    assert a_history(latest).build_to_supersede("wanted") == (latest if superseded else None)


def test_a_build_that_only_the_status_records_is_not_superseded() -> None:
    pending = a_build(phase=Phase.PENDING).record
    history = BuildHistory(pending, None, None, None)

    assert history.build_to_supersede("wanted") is None
