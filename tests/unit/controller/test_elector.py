"""A candidate acquires, renews, loses and releases the Lease at the times that keep two leaders from overlapping."""

import asyncio

import pytest

from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.controller import clock
from provisioner_operator.controller.elector import identity
from provisioner_operator.core.leadership import LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS
from provisioner_operator.kube.errors import ConflictError, PreconditionFailedError
from support.candidate import COLLECTION, ME, OTHER, PATH, Candidate, a_lease
from support.scripted_client import Hang
from support.virtual_time import virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")


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


def test_two_processes_of_one_pod_have_different_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAME", "operator-0")
    one, two = identity(), identity()
    assert one != two
    assert one.startswith("operator-0_")
