"""Traces of ends that the controller writes: by the leader at once, and again by the next one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from provisioner_operator.controller import clock
from provisioner_operator.controller.telemetry.traces import RECENT_SECONDS
from support.builders.controller import ControllerParts, stored
from support.builders.core import at
from support.builders.manifests import a_job_manifest

if TYPE_CHECKING:
    from provisioner_operator.core.tracing.job_spans import Span

NOON = "2027-01-15T08:00:00Z"
TIMED_OUT = {"phase": "Failed", "reason": "PendingTimeout", "finishedAt": NOON}
COMPLETED = {"phase": "Completed", "reason": "Completed", "startedAt": NOON, "finishedAt": NOON}


class Traced:
    """A controller's parts, and the traces that they sent."""

    def __init__(self, *, leads: bool = True) -> None:
        self.sent: list[Span] = []
        self.parts = ControllerParts(leads=leads, send=self.sent.extend)
        self.observer = self.parts.observer

    def pending_job_becomes(self, status: Mapping[str, Any]) -> None:
        """Observe the job pending, and then so."""
        self.observer.job(stored(a_job_manifest(), phase="Pending"))
        self.observer.job(stored(a_job_manifest(), version=2, **status))

    @property
    def names(self) -> list[str]:
        """Names of the spans that were sent."""
        return [each.name for each in self.sent]


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "read", lambda: at(0))


def test_the_leader_describes_an_end_that_it_wrote() -> None:
    traced = Traced()
    traced.pending_job_becomes(TIMED_OUT)
    assert traced.names == ["queue", "RUN WorkspaceBuild"]
    traced.observer.job(stored(a_job_manifest(), version=3, **TIMED_OUT))
    assert len(traced.sent) == 2


def test_the_end_of_a_run_is_its_daemons_to_describe() -> None:
    traced = Traced()
    traced.pending_job_becomes(COMPLETED)
    traced.observer.found_ended(stored(a_job_manifest("other"), version=2, **COMPLETED))
    assert traced.sent == []


def test_a_standby_describes_what_it_saw_once_it_leads() -> None:
    traced = Traced(leads=False)
    traced.pending_job_becomes(TIMED_OUT)
    assert traced.sent == []
    traced.parts.leading = True
    traced.observer.leadership_gained()
    assert traced.names == ["queue", "RUN WorkspaceBuild"]
    traced.observer.leadership_gained()
    assert len(traced.sent) == 2


def test_a_restarted_leader_describes_recent_ends_as_its_predecessor_did() -> None:
    first, second = Traced(), Traced()
    first.pending_job_becomes(TIMED_OUT)
    second.observer.found_ended(stored(a_job_manifest(), version=2, **TIMED_OUT))
    assert second.sent == first.sent != []


@pytest.mark.parametrize("leads", [True, False])
def test_an_old_end_is_not_described_again(monkeypatch: pytest.MonkeyPatch, *, leads: bool) -> None:
    traced = Traced(leads=leads)
    if not leads:
        traced.pending_job_becomes(TIMED_OUT)
    monkeypatch.setattr(clock, "read", lambda: at(RECENT_SECONDS + 1))
    traced.observer.found_ended(stored(a_job_manifest(), version=2, **TIMED_OUT))
    traced.parts.leading = True
    traced.observer.leadership_gained()
    assert traced.sent == []


def test_what_cannot_be_parsed_or_has_not_ended_is_left_out() -> None:
    traced = Traced()
    traced.observer.found_ended(stored(a_job_manifest(), phase="NotKnownYet", finishedAt=NOON))
    traced.observer.found_ended(stored(a_job_manifest(), phase="Running", finishedAt=NOON))
    traced.observer.found_ended(stored(a_job_manifest(), phase="Pending"))
    assert traced.sent == []


def test_off_nothing_is_described() -> None:
    parts = ControllerParts()
    parts.observer.found_ended(stored(a_job_manifest(), version=2, **TIMED_OUT))
    parts.observer.job(stored(a_job_manifest(), phase="Pending"))
    parts.observer.job(stored(a_job_manifest(), version=2, **TIMED_OUT))
    parts.observer.leadership_gained()
    assert not parts.traces.is_on
