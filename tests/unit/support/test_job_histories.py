"""The check of jobs' histories, which every test of the product passes: it finds each kind of fault."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import TERMINAL, TRANSITIONS
from support.cluster.job_histories import faults_of, require_legal_histories
from support.cluster.watching import Version, Watch
from support.manifests import Manifest
from unit.support.scripted_watch import ScriptedSource, ScriptedStream

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
GIVEN = {"daemon": "d", "daemonUID": "1", "id": "first", "time": NOW}
ACKNOWLEDGED = GIVEN | {"instance": "process"}
PENDING: Manifest = {"phase": "Pending"}
ASSIGNED: Manifest = {"phase": "Pending", "assignment": GIVEN}
RUNNING: Manifest = {"phase": "Running", "assignment": ACKNOWLEDGED, "startedAt": NOW}
CANCELING = RUNNING | {"phase": "Canceling"}
COMPLETED = RUNNING | {"phase": "Completed", "reason": "Completed", "finishedAt": LATER}
NEVER_RAN: Manifest = {"phase": "Failed", "reason": "PendingTimeout", "finishedAt": LATER}


def a_job(version: int, status: Manifest, **spec: Any) -> Manifest:
    meta = {"name": "job", "uid": "uid", "resourceVersion": str(version), "generation": 1}
    return {"metadata": meta, "spec": spec, "status": status}


def history(*statuses: Manifest) -> list[Version]:
    """Versions of one job that one watch showed."""
    return [Version(a_job(number, status), 1) for number, status in enumerate(statuses, 1)]


def as_of(phase: Phase) -> Manifest:
    """A status that fits the phase, of a job that ran."""
    if phase is Phase.PENDING:
        return ASSIGNED
    ended = {"reason": "Because", "finishedAt": LATER} if phase in TERMINAL else {}
    return RUNNING | {"phase": str(phase)} | ended


@pytest.mark.parametrize(
    "statuses",
    [
        [],
        [PENDING, ASSIGNED, PENDING, ASSIGNED, RUNNING, RUNNING | {"stage": "plan"}, COMPLETED, COMPLETED],
        [PENDING, ASSIGNED, RUNNING, CANCELING, CANCELING | {"phase": "Canceled", "finishedAt": LATER}],
        [PENDING, NEVER_RAN],
        [{}, PENDING],
    ],
    ids=lambda statuses: ">".join(each.get("phase", "none") for each in statuses),
)
def test_a_path_of_the_transition_table_has_no_fault(statuses: list[Manifest]) -> None:
    assert faults_of(history(*statuses)) == []


@pytest.mark.parametrize("former", Phase)
@pytest.mark.parametrize("phase", Phase)
def test_each_step_that_the_table_lacks_is_a_fault(former: Phase, phase: Phase) -> None:
    is_legal = phase is former or phase in TRANSITIONS[former]

    found = faults_of(history(as_of(former), as_of(phase)))

    assert (f"{former} became {phase}" not in found) is is_legal


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (RUNNING, RUNNING | {"startedAt": LATER}, f"startedAt of a job that is Running changed to {LATER}"),
        (RUNNING, RUNNING | {"assignment": GIVEN | {"id": "second"}}, "assignment of a job that is Running changed"),
        (RUNNING, RUNNING | {"assignment": GIVEN}, "assignment of a job that is Running changed"),
        (COMPLETED, COMPLETED | {"finishedAt": NOW}, "finishedAt of a job that is Completed changed"),
        (COMPLETED, COMPLETED | {"reason": "Another"}, "reason of a job that is Completed changed"),
        (ASSIGNED, RUNNING | {"assignment": ACKNOWLEDGED | {"id": "second"}}, "it started by another assignment"),
        (PENDING, RUNNING, "it started by another assignment"),
        (ASSIGNED, NEVER_RAN | {"startedAt": NOW}, "Pending became Failed with startedAt, although it never ran"),
        (RUNNING | {"suspendedSeconds": 2}, RUNNING | {"suspendedSeconds": 1}, "status.suspendedSeconds decreased"),
        (RUNNING | {"observedGeneration": 2}, RUNNING, "status.observedGeneration decreased"),
        (RUNNING, RUNNING | {"finishedAt": LATER}, "Running with finishedAt"),
        (RUNNING, RUNNING | {"phase": "Failed"}, "Failed without finishedAt"),
        (ASSIGNED, {"phase": "Running", "assignment": ACKNOWLEDGED}, "Running without startedAt"),
        (ASSIGNED, {"phase": "Running", "startedAt": NOW}, "Running without assignment"),
    ],
    ids=str,
)
def test_what_goes_back_or_changes_too_late_is_a_fault(before: Manifest, after: Manifest, fault: str) -> None:
    assert any(each.startswith(fault) for each in faults_of(history(before, after)))


def test_a_version_that_is_older_than_the_one_before_is_a_fault() -> None:
    assert faults_of(history(PENDING, ASSIGNED)[::-1]) == ["an earlier version after a later one"]


def test_a_cancel_is_not_withdrawn_and_a_generation_never_less() -> None:
    canceled, after = a_job(1, PENDING, cancel=True), a_job(2, PENDING)
    canceled["metadata"]["generation"] = 2

    assert faults_of([Version(canceled, 1), Version(after, 1)]) == [
        "metadata.generation decreased",
        "the cancel was withdrawn",
    ]


def test_between_two_watches_versions_may_be_missing_but_nothing_goes_back() -> None:
    def of_two_watches(before: Manifest, after: Manifest) -> list[str]:
        return faults_of([Version(a_job(1, before), 1), Version(a_job(9, after), 2)])

    assert of_two_watches(PENDING, COMPLETED) == []
    assert of_two_watches(ASSIGNED, NEVER_RAN | {"startedAt": NOW, "assignment": GIVEN | {"id": "second"}}) == []
    assert of_two_watches(RUNNING, ASSIGNED) != []
    assert of_two_watches(RUNNING, COMPLETED | {"startedAt": LATER}) != []


def test_the_check_of_a_watch_names_the_job_and_its_fault() -> None:
    events = [{"type": "MODIFIED", "object": a_job(*each)} for each in ((1, COMPLETED), (2, RUNNING))]
    watch = Watch(ScriptedSource(ScriptedStream(*events)), "pj")
    watch.open()
    watch.until("job", "Running")
    with pytest.raises(AssertionError, match=r"job \(uid\).*Completed became Running"):
        require_legal_histories(watch)
    watch.close()


def test_an_object_of_the_same_name_has_a_history_of_its_own() -> None:
    another = a_job(3, PENDING)
    another["metadata"]["uid"] = "another"
    bodies = [a_job(1, RUNNING), a_job(2, COMPLETED), another]
    watch = Watch(ScriptedSource(ScriptedStream(*({"type": "MODIFIED", "object": each} for each in bodies))), "pj")
    watch.open()
    watch.until_latest("job", lambda body: body["metadata"]["uid"] == "another")
    require_legal_histories(watch)
    assert [len(each) for each in watch.histories().values()] == [2, 1]
    watch.close()
