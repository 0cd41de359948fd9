"""A candidate acquires, renews, loses and releases the Lease at the times that keep two leaders from overlapping."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.controller import clock
from provisioner_operator.controller.elector import Elector, identity
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.core.leadership import (
    LEASE_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    STEP_DOWN_SECONDS,
    Candidacy,
)
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)
from support.scripted_client import Answer, Hang, ScriptedClient, Slow
from support.virtual_time import virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")

ME, OTHER = "me", "other"
PATH = paths.lease("system", LEASE)
COLLECTION = paths.leases("system")
NONE = NotFoundError(404, "no such Lease")
AWAY = UnreachableError("no answer")


def a_lease(holder: str | None = ME, *, version: int = 1, renewed: str = "noon") -> dict[str, Any]:
    spec: dict[str, Any] = {"renewTime": renewed, "leaseDurationSeconds": 15, "leaseTransitions": 0}
    return {
        "metadata": {"namespace": "system", "name": LEASE, "uid": "u", "resourceVersion": str(version)},
        "spec": spec | ({"holderIdentity": holder} if holder else {}),
    }


class Candidate:
    """An elector with everything around it, and the client that it talks to."""

    def __init__(self, *, read: Answer = NONE, created: Answer | None = None, patched: Answer | None = None) -> None:
        self.client = ScriptedClient()
        self.client.answers("GET", PATH, read)
        self.client.answers("POST", COLLECTION, created or a_lease())
        self.client.answers("PATCH", PATH, patched or a_lease(version=100))
        self.candidacy = Candidacy(ME)
        reconcilers = Reconcilers.create("image")
        metrics = Metrics(reconcilers, self.leads)
        recorder = EventRecorder(self.client, metrics, self.leads, WriteGate(1))
        self.observer = Observer(reconcilers, metrics, recorder, self.leads)
        self.elector = Elector(self.client, self.candidacy, "system", self.observer)

    def leads(self) -> bool:
        return self.candidacy.leads(clock.since_boot())

    def in_contact(self) -> bool:
        return self.observer.in_contact

    def problem(self) -> str:
        return self.elector.problem or ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.elector.run()), asyncio.create_task(self.elector.watch())]
        try:
            yield
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def times(self, method: str) -> list[float]:
        """When each request of a method was sent."""
        return [request.at for request in self.client.sent(method)]


@virtual_time
async def test_where_there_is_no_lease_one_is_made_and_renewed_in_time() -> None:
    candidate = Candidate()
    async with candidate.running():
        await asyncio.sleep(0.1)
        assert candidate.leads()
        assert candidate.observer.wake.waiting(clock.read().monotonic) > 0, "there may be something to decide now"
        await asyncio.sleep(3 * RENEW_SECONDS)
        assert candidate.leads()
        (created,) = candidate.client.sent("POST")
        assert created.body["metadata"] == {"name": LEASE, "namespace": "system"}
        assert created.body["spec"]["holderIdentity"] == ME
        assert candidate.times("PATCH") == [RENEW_SECONDS, 2 * RENEW_SECONDS, 3 * RENEW_SECONDS]


@virtual_time
async def test_a_holder_that_is_silent_is_replaced_once_its_lease_has_expired() -> None:
    candidate = Candidate(read=a_lease(OTHER))
    async with candidate.running():
        await asyncio.sleep(LEASE_SECONDS - 0.1)
        assert not candidate.leads()
        assert candidate.times("PATCH") == []
        await asyncio.sleep(0.2)
        assert candidate.leads()
        assert candidate.times("PATCH") == [LEASE_SECONDS]
        tests = [each for each in candidate.client.sent("PATCH")[0].body if each["op"] == "test"]
        assert {(each["path"], each["value"]) for each in tests} == {
            ("/spec/holderIdentity", OTHER),
            ("/spec/renewTime", "noon"),
        }


@virtual_time
async def test_a_renewal_that_the_watch_reports_extends_the_wait() -> None:
    candidate = Candidate(read=a_lease(OTHER))
    candidate.client.watched(COLLECTION, 10.0, ("MODIFIED", a_lease(OTHER, version=5, renewed="later")), Hang())
    async with candidate.running():
        await asyncio.sleep(LEASE_SECONDS + 9.9)
        assert not candidate.leads()
        await asyncio.sleep(0.2)
        assert candidate.times("PATCH") == [10 + LEASE_SECONDS]
        assert candidate.leads()


@virtual_time
async def test_a_lease_that_is_released_is_taken_at_once() -> None:
    candidate = Candidate(read=a_lease(OTHER))
    candidate.client.watched(COLLECTION, 2.0, ("MODIFIED", a_lease(None, version=5)), Hang())
    async with candidate.running():
        await asyncio.sleep(2.1)
        assert candidate.times("PATCH") == [2]
        assert candidate.leads()


@virtual_time
async def test_a_candidate_that_was_overtaken_reads_again_before_it_tries_again() -> None:
    candidate = Candidate(read=a_lease(None), patched=PreconditionFailedError(422, "test failed"))
    async with candidate.running():
        await asyncio.sleep(3.5)
        assert not candidate.leads()
        assert candidate.times("GET") == [0, RETRY_SECONDS, 2 * RETRY_SECONDS, 3 * RETRY_SECONDS]
        assert candidate.times("PATCH") == [0, RETRY_SECONDS, 2 * RETRY_SECONDS, 3 * RETRY_SECONDS]
        assert candidate.problem() == ""


@virtual_time
async def test_a_name_that_is_taken_when_the_lease_is_made_means_that_another_was_faster() -> None:
    candidate = Candidate(created=ConflictError(409, "exists"))
    candidate.client.answers("GET", PATH, a_lease(OTHER))
    async with candidate.running():
        await asyncio.sleep(5)
        assert candidate.times("GET") == [0, RETRY_SECONDS]
        assert len(candidate.client.sent("POST")) == 1
        assert candidate.problem() == ""


@virtual_time
async def test_a_leader_without_answers_leads_until_the_time_to_step_down_and_no_longer() -> None:
    candidate = Candidate(patched=AWAY)
    async with candidate.running():
        await asyncio.sleep(STEP_DOWN_SECONDS - 0.1)
        assert candidate.leads()
        assert candidate.in_contact()
        await asyncio.sleep(RETRY_SECONDS + 0.2)
        assert not candidate.leads()
        assert not candidate.in_contact(), "the silence of daemons means nothing now"
        assert candidate.times("PATCH")[:3] == [5, 6, 7]


@virtual_time
async def test_the_time_to_step_down_counts_from_the_sending_of_the_last_renewal() -> None:
    candidate = Candidate(created=Slow(2, a_lease()), patched=AWAY)
    async with candidate.running():
        await asyncio.sleep(STEP_DOWN_SECONDS - 0.1)
        assert candidate.leads()
        await asyncio.sleep(0.2)
        assert not candidate.leads(), "the answer came two seconds after the request"


@virtual_time
async def test_a_renewal_that_hangs_is_given_up_in_time_for_another() -> None:
    candidate = Candidate(patched=Hang())
    candidate.client.answers("PATCH", PATH, a_lease(version=100))
    async with candidate.running():
        await asyncio.sleep(STEP_DOWN_SECONDS + 3)
        assert candidate.times("PATCH")[:2] == [RENEW_SECONDS, RENEW_SECONDS + 3 + RETRY_SECONDS]
        assert candidate.leads()


@virtual_time
async def test_a_leader_that_another_has_replaced_stops_at_once(caplog: pytest.LogCaptureFixture) -> None:
    candidate = Candidate()
    candidate.client.watched(COLLECTION, 3.0, ("MODIFIED", a_lease(OTHER, version=9, renewed="later")), Hang())
    async with candidate.running():
        await asyncio.sleep(2.9)
        assert candidate.leads()
        candidate.observer.wake.clear()
        await asyncio.sleep(0.2)
        assert not candidate.leads()
        assert candidate.observer.wake.waiting(clock.read().monotonic) > 0
    assert "Lost the leadership" in caplog.text


@virtual_time
async def test_a_lease_that_somebody_deleted_is_made_again_by_its_holder() -> None:
    candidate = Candidate()
    candidate.client.watched(COLLECTION, 2.0, ("DELETED", a_lease(version=9)), Hang())
    async with candidate.running():
        await asyncio.sleep(2.1)
        assert candidate.times("POST") == [0, 2]
        assert candidate.leads()


@virtual_time
async def test_a_standby_names_the_leader_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    candidate = Candidate(read=a_lease(OTHER))
    candidate.client.watched(COLLECTION, 3.0, ("MODIFIED", a_lease(OTHER, version=5, renewed="later")), Hang())
    async with candidate.running():
        await asyncio.sleep(10)
    assert [record.getMessage() for record in caplog.records] == [f"Stands by: {OTHER} holds the Lease system/{LEASE}"]


@virtual_time
async def test_the_watch_is_resumed_after_a_pause_whatever_ends_it() -> None:
    candidate = Candidate(read=a_lease(OTHER, renewed="always"))
    candidate.client.watched(COLLECTION, AWAY)
    candidate.client.watched(COLLECTION, OSError("reset"))
    candidate.client.watched(COLLECTION)
    async with candidate.running():
        await asyncio.sleep(10)
        assert candidate.times("WATCH") == [0, 1, 2, 3]
        watch = candidate.client.sent("WATCH")[0]
        assert watch.parameters == {"resourceVersion": "", "fieldSelector": f"metadata.name={LEASE}"}


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ForbiddenError(403, "no"), "Bind the Role provisioner-operator of namespace system"),
        (NotFoundError(404, "namespace"), "Create the namespace system, or name another by --lease-namespace"),
    ],
)
@virtual_time
async def test_a_refusal_is_shown_until_it_ends_and_logged_once(
    error: Exception, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    candidate = Candidate(created=error)
    candidate.client.answers("POST", COLLECTION, error, error, a_lease())
    async with candidate.running():
        await asyncio.sleep(2.5)
        assert remedy in candidate.problem()
        assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
        await asyncio.sleep(1)
        assert candidate.problem() == ""
        assert candidate.leads()


@virtual_time
async def test_a_busy_api_server_is_in_contact() -> None:
    candidate = Candidate(patched=BusyError("busy", 1))
    async with candidate.running():
        await asyncio.sleep(1)
        candidate.observer.contact_lost(AWAY)
        await asyncio.sleep(2 * STEP_DOWN_SECONDS)
        assert not candidate.leads()
        assert candidate.in_contact()


@virtual_time
async def test_an_error_in_the_code_does_not_end_the_election(caplog: pytest.LogCaptureFixture) -> None:
    candidate = Candidate(created={"metadata": {}})
    candidate.client.answers("POST", COLLECTION, a_lease())
    async with candidate.running():
        await asyncio.sleep(2)
        assert candidate.times("POST") == [0, RETRY_SECONDS]
        assert candidate.leads()
    assert "The election failed unexpectedly" in caplog.text


@virtual_time
async def test_a_released_lease_has_no_holder_and_this_process_leads_no_more() -> None:
    candidate = Candidate()
    async with candidate.running():
        await asyncio.sleep(1)
    await candidate.elector.release()
    assert not candidate.leads()
    (release,) = candidate.client.sent("PATCH")
    assert {"op": "remove", "path": "/spec/holderIdentity"} in release.body
    assert {"op": "test", "path": "/spec/holderIdentity", "value": ME} in release.body


@virtual_time
async def test_a_standby_releases_nothing() -> None:
    candidate = Candidate(read=a_lease(OTHER))
    async with candidate.running():
        await asyncio.sleep(1)
    await candidate.elector.release()
    assert candidate.client.sent("PATCH") == []


@pytest.mark.parametrize("answer", [AWAY, Hang()], ids=["no answer", "hangs"])
@virtual_time
async def test_a_release_that_fails_holds_up_nothing(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    candidate = Candidate(patched=answer)
    async with candidate.running():
        await asyncio.sleep(1)
    async with asyncio.timeout(4):
        await candidate.elector.release()
    assert not candidate.leads()
    assert "will expire" in caplog.text


def test_two_processes_of_one_pod_have_different_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAME", "operator-0")
    one, two = identity(), identity()
    assert one != two
    assert one.startswith("operator-0_")
