"""Requests for the Lease that fail: when a leader steps down, what is reported, and how the election goes on."""

import asyncio

import pytest

from provisioner_operator.api.v1alpha1.names import LEASE, RESTORED_ANNOTATION
from provisioner_operator.controller import clock
from provisioner_operator.core.leadership import RENEW_SECONDS, RETRY_SECONDS, STEP_DOWN_SECONDS
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.kube.errors import BusyError, ForbiddenError, InternalError, NotFoundError
from support.candidate import AWAY, COLLECTION, OTHER, PATH, Candidate, a_lease
from support.scripted_client import Answer, Hang, Slow
from support.virtual_time import virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")


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


@virtual_time
async def test_a_restore_is_recorded_as_soon_as_the_api_server_answers_though_another_leads() -> None:
    candidate = Candidate(read=a_lease(OTHER), patched=AWAY)
    candidate.client.answers("PATCH", PATH, InternalError(500, "etcd"), Hang(), a_lease(OTHER, version=2))
    noticed = timestamp(clock.read().wall)
    await candidate.elector.record_restore()
    requests = candidate.client.sent("PATCH")
    assert [each.at for each in requests] == [0, RETRY_SECONDS, 2 * RETRY_SECONDS, 3 + 3 * RETRY_SECONDS]
    assert {str(each.body) for each in requests} == {str({"metadata": {"annotations": {RESTORED_ANNOTATION: noticed}}})}


@pytest.mark.parametrize("error", [ForbiddenError(403, "no"), NotFoundError(404, "none")])
@virtual_time
async def test_a_restore_that_may_not_be_recorded_is_logged_and_not_tried_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    candidate = Candidate(patched=error)
    await candidate.elector.record_restore()
    assert candidate.times("PATCH") == [0]
    assert "The restore of etcd cannot be recorded in the Lease system/provisioner-operator" in caplog.text
