"""The pages about metrics and Events agree with the code that makes them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest

import provisioner_operator.controller
from provisioner_operator.api.v1alpha1.enums import EndReason, PendingReason, Phase
from provisioner_operator.controller.telemetry import events
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.telemetry.reference import EventEntry, event_entries, events_page, metrics_page
from provisioner_operator.core.daemons.decisions import RegisterDaemon
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import DaemonPod, Offer
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.core.states.lock import LOCK_RELEASED
from provisioner_operator.core.workspaces.decisions import HoldWorkspace
from provisioner_operator.kube.event_objects import Notice
from support.builders.core import a_job
from support.builders.workspaces import a_workspace
from support.manifests import REPOSITORY

FOLDER = REPOSITORY / "docs" / "reference"
JOB_EVENTS = {entry.reason: entry for entry in event_entries() if entry.kind == "ProvisionerJob"}


@pytest.mark.parametrize(("name", "text"), [("metrics.md", metrics_page()), ("events.md", events_page())])
def test_the_page_is_up_to_date(name: str, text: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name} is out of date: run `make docs`"


def test_every_metric_that_is_served_is_listed() -> None:
    metrics = Metrics(Reconcilers.create(""), lambda: True, lambda: True)
    served = [
        line.split()
        for line in generate_latest(metrics.registry).decode().splitlines()
        if "# TYPE provisioner_" in line
    ]

    assert len(served) > 10
    assert [name for _, _, name, type_ in served if f"| `{name}` | {type_} |" not in metrics_page()] == []


@pytest.mark.parametrize("reason", sorted({*EndReason} - {EndReason.COMPLETED, EndReason.CANCELED}))
def test_a_failure_makes_the_event_that_is_listed(reason: EndReason) -> None:
    assert _entry(events.ended(a_job(phase=Phase.FAILED, reason=reason))) == _without_occasion(JOB_EVENTS[reason])


@pytest.mark.parametrize("reason", sorted(STUCK))
def test_a_stuck_job_makes_the_event_that_is_listed(reason: PendingReason) -> None:
    assert _entry(events.stuck(a_job(reason=reason))) == _without_occasion(JOB_EVENTS[reason])


def test_no_other_event_of_a_job_is_listed() -> None:
    assert events.ended(a_job(phase=Phase.COMPLETED, reason=EndReason.COMPLETED)) is None
    assert events.ended(a_job(phase=Phase.CANCELED, reason=EndReason.CANCELED)) is None
    assert set(JOB_EVENTS) == {*EndReason, *STUCK, LOCK_RELEASED} - {EndReason.COMPLETED, EndReason.CANCELED}


def test_every_reason_that_the_controller_spells_out_is_listed() -> None:
    listed = {(entry.reason, entry.action) for entry in event_entries()}

    assert set(_spelled_out()) == {("Unparseable", "Parse"), ("GracePeriodTooShort", "Run")}
    assert set(_spelled_out()) <= listed


def test_both_reasons_of_a_refused_write_are_listed() -> None:
    build = HoldWorkspace(a_workspace())
    pod = RegisterDaemon(
        DaemonPod(
            "acme", "pod", "uid", 1, Offer(frozenset(), frozenset(), capacity=1, lost_after=300, cancel_grace=180)
        )
    )
    notices = [events.refused(build, Refusal("Denied", "no")), events.refused(pod, Refusal("Invalid", "no"))]
    assert [notice.reason for notice in notices] == ["WriteRefused", "DaemonRefused"]
    assert {notice.reason for notice in notices} <= {entry.reason for entry in event_entries()}
    assert notices[1].action in next(each.action for each in event_entries() if each.reason == "DaemonRefused")


def _entry(notice: Notice | None) -> tuple[str, str, str, str]:
    assert notice is not None
    return notice.kind, notice.reason, "Warning" if notice.warning else "Normal", notice.action


def _without_occasion(entry: EventEntry) -> tuple[str, str, str, str]:
    return entry.kind, entry.reason, entry.type, entry.action


def _spelled_out() -> Iterator[tuple[str, str]]:
    """Reason and action of each Notice whose reason is a literal in the controller's code."""
    for file in Path(provisioner_operator.controller.__path__[0]).rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match call:
                case ast.Call(
                    func=ast.Name(id="Notice"),
                    args=[_, _, _, _, ast.Constant(value=str(reason)), _, ast.Constant(value=str(action))],
                ):
                    yield reason, action
