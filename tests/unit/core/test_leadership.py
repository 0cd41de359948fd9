"""Steps of a candidate for the Lease, and the writes of the Lease."""

from dataclasses import replace

from provisioner_operator.core.leadership import (
    LEASE_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    STEP_DOWN_SECONDS,
    WRITES_END_SECONDS,
    Candidacy,
    Create,
    Lease,
    Read,
    Renew,
    TakeOver,
    Wait,
    recorded_restore,
)
from support.builders.core import NOON


def a_lease(holder: str | None = "other", *, version: int = 1, renewed: str | None = "noon", **fields: float) -> Lease:
    return Lease(version, holder, renewed, fields.get("seconds", LEASE_SECONDS))


def a_leader(at: float = 0.0) -> Candidacy:
    """A candidate that took the Lease over by a request sent at that time."""
    candidacy = Candidacy("me")
    candidacy.renewed(a_lease("me"), sent=at, now=at)
    assert candidacy.leads(at)
    return candidacy


def a_standby(at: float = 0.0) -> Candidacy:
    """A candidate that saw at that time that another holds the Lease."""
    candidacy = Candidacy("me")
    candidacy.saw(a_lease(), at)
    return candidacy


def test_a_new_candidate_reads_before_it_does_anything() -> None:
    assert Candidacy("me").next_step(0) == Read()


def test_where_there_was_never_a_lease_it_makes_one() -> None:
    candidacy = Candidacy("me")
    candidacy.saw_none()
    assert candidacy.next_step(0) == Create()


def test_a_released_lease_is_taken_at_once() -> None:
    candidacy = a_standby(0)
    released = a_lease(None, version=2)
    candidacy.saw(released, 1)
    assert candidacy.next_step(1) == TakeOver(released)


def test_a_lease_is_taken_over_once_it_did_not_change_for_as_long_as_it_says() -> None:
    candidacy = Candidacy("me")
    lease = a_lease(seconds=40)
    candidacy.saw(lease, 100)
    candidacy.saw(replace(lease, version=2), 130)  # somebody labeled it: that is no renewal
    assert candidacy.next_step(139) == Wait(140)
    assert candidacy.next_step(140) == TakeOver(replace(lease, version=2))


def test_a_lease_that_was_edited_to_end_sooner_is_not_taken_from_its_holder() -> None:
    candidacy = Candidacy("me")
    candidacy.saw(a_lease(seconds=1), 0)
    assert candidacy.next_step(5) == Wait(LEASE_SECONDS)


def test_each_renewal_that_is_seen_makes_a_standby_wait_anew() -> None:
    candidacy = a_standby(0)
    candidacy.saw(a_lease(version=2, renewed="later"), 14)
    assert candidacy.next_step(15) == Wait(14 + LEASE_SECONDS)


def test_a_leader_renews_in_time_and_counts_from_when_it_asked() -> None:
    candidacy = a_leader(100)
    assert candidacy.next_step(100) == Wait(100 + RENEW_SECONDS)
    assert candidacy.next_step(100 + RENEW_SECONDS) == Renew()
    candidacy.renewed(a_lease("me", version=2, renewed="later"), sent=105, now=109)
    assert candidacy.next_step(109) == Wait(105 + RENEW_SECONDS)
    assert candidacy.leads(105 + STEP_DOWN_SECONDS - 0.001)
    assert not candidacy.leads(105 + STEP_DOWN_SECONDS)


def test_a_write_may_take_no_longer_than_the_lease_surely_lasts() -> None:
    candidacy = a_leader(100)
    assert candidacy.tenure(103) == WRITES_END_SECONDS - 3
    assert candidacy.tenure(100 + STEP_DOWN_SECONDS) == 0
    assert a_standby().tenure(1) == 0


def test_a_leader_whose_renewals_fail_tries_on_and_steps_down_before_its_lease_is_over() -> None:
    candidacy = a_leader(0)
    at = RENEW_SECONDS
    while candidacy.leads(at):
        assert candidacy.next_step(at) == Renew()
        candidacy.failed(at)
        assert candidacy.next_step(at) == Wait(at + RETRY_SECONDS)
        at += RETRY_SECONDS
    assert at <= STEP_DOWN_SECONDS < WRITES_END_SECONDS < LEASE_SECONDS


def test_who_stepped_down_and_still_holds_the_lease_leads_again_by_renewing_it() -> None:
    candidacy = a_leader(0)
    assert not candidacy.leads(12)
    assert candidacy.next_step(12) == Renew()
    candidacy.renewed(a_lease("me", version=2), sent=12, now=12)
    assert candidacy.leads(12)


def test_a_term_lasts_as_long_as_nobody_else_can_have_led() -> None:
    candidacy = a_leader()
    assert candidacy.term == 1
    candidacy.renewed(a_lease("me", version=2), sent=RENEW_SECONDS, now=RENEW_SECONDS)
    assert candidacy.term == 1
    late = RENEW_SECONDS + STEP_DOWN_SECONDS
    candidacy.renewed(a_lease("me", version=3), sent=late, now=late)
    assert candidacy.term == 2


def test_a_refused_renewal_ends_the_lead_at_once() -> None:
    candidacy = a_leader(0)
    candidacy.refused(5)
    assert not candidacy.leads(5)
    assert candidacy.next_step(5) == Wait(5 + RETRY_SECONDS)
    assert candidacy.next_step(5 + RETRY_SECONDS) == Read()


def test_news_that_another_holds_the_lease_ends_the_lead_at_once() -> None:
    candidacy = a_leader(0)
    candidacy.saw(a_lease("other", version=2), 1)
    assert not candidacy.leads(1)


def test_old_news_changes_nothing() -> None:
    candidacy = Candidacy("me")
    candidacy.saw(a_lease("other", version=4), 0)
    candidacy.renewed(a_lease("me", version=5), sent=20, now=20)
    candidacy.saw(a_lease("other", version=4), 21)
    candidacy.saw_none(3)
    assert candidacy.leads(21)
    assert candidacy.holder == "me"


def test_of_a_deleted_lease_its_holder_makes_a_new_one_at_once_and_others_wait() -> None:
    leader, standby = a_leader(0), a_standby(0)
    leader.saw_none(2)
    standby.saw_none(2)
    assert not leader.leads(3)
    assert leader.next_step(3) == Create()
    assert standby.next_step(3) == Wait(LEASE_SECONDS)
    assert standby.next_step(LEASE_SECONDS) == Create()


def test_who_resigns_leads_no_more_and_has_a_lease_to_release() -> None:
    leader, standby = a_leader(0), a_standby(0)
    assert leader.resign()
    assert not leader.leads(0)
    assert not standby.resign()


def test_resigning_without_the_lease_leaves_nothing_to_release() -> None:
    assert not a_standby().resign()
    assert not Candidacy("me").resign()


def test_a_renewal_that_comes_back_as_anothers_lease_makes_no_leader() -> None:
    candidacy = a_standby()
    candidacy.renewed(a_lease("other", version=2), sent=1, now=2)
    assert not candidacy.leads(2)


def test_a_lease_is_made_held_by_its_candidate() -> None:
    assert Candidacy("me").content(NOON) == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2027-01-15T08:00:00.000000Z",
        "renewTime": "2027-01-15T08:00:00.000000Z",
        "leaseTransitions": 0,
    }


def test_a_takeover_fails_unless_the_lease_is_as_it_was_seen_and_counts_as_a_transition() -> None:
    patch = Candidacy("me").taking_over(replace(a_lease("other", renewed="noon"), transitions=4), NOON)

    assert patch.tests == (("/spec/holderIdentity", "other"), ("/spec/renewTime", "noon"))
    assert dict(patch.sets)["/spec/holderIdentity"] == "me"
    assert dict(patch.sets)["/spec/leaseTransitions"] == 5
    assert dict(patch.sets)["/spec/acquireTime"] == dict(patch.sets)["/spec/renewTime"]


def test_a_renewal_and_a_release_fail_once_another_holds_the_lease() -> None:
    renewal, release = Candidacy("me").renewing(NOON), Candidacy("me").releasing(NOON)

    assert renewal.tests == release.tests == (("/spec/holderIdentity", "me"),)
    assert dict(renewal.sets) == {
        "/spec/renewTime": "2027-01-15T08:00:00.000000Z",
        "/spec/leaseDurationSeconds": 15,
    }
    assert release.removes == ("/spec/holderIdentity",)
    assert dict(release.sets) == {"/spec/renewTime": "2027-01-15T08:00:00.000000Z"}


def test_the_restore_that_the_lease_records_is_known_to_each_candidate() -> None:
    candidacy = Candidacy("me")
    assert candidacy.restored is None
    candidacy.saw(a_lease(), 0)
    assert candidacy.restored is None
    candidacy.saw(replace(a_lease(version=2), restored=NOON), 1)
    assert candidacy.restored == NOON


def test_a_restore_is_recorded_beside_what_the_lease_says() -> None:
    said = "2027-01-15T08:00:00.000000Z"
    assert recorded_restore(NOON) == {"metadata": {"annotations": {"provisioner.dev/restored-at": said}}}
