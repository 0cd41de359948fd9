from collections.abc import Sequence
from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.scheduling.explanation import Explanation, Growth, explain_busy_workspace
from provisioner_operator.core.scheduling.explanation_timing import (
    DEMANDS_A_ROUND,
    PATIENCE_SECONDS,
    SETTLE_SECONDS,
    PendingReasons,
)
from provisioner_operator.core.scheduling.smallest_change import BringOnline, Candidate
from support.builders.core import a_daemon, a_job, at

JOB = a_job("dev-2", workspace="dev")


class AFleet:
    """Daemons that are all alike, and how often they were asked for."""

    def __init__(self, *names: str, online: bool = True, free: bool = True) -> None:
        self.names = names or ("daemon",)
        self.online = online
        self.free = free
        self.asked = 0

    def __call__(self, namespace: str) -> Sequence[Candidate]:
        self.asked += 1
        return [Candidate(a_daemon(name, namespace=namespace), self.online, self.free) for name in self.names]


def waiting_since_noon() -> PendingReasons:
    reasons = PendingReasons()
    reasons.waits(JOB, at(0))
    return reasons


def due(reasons: PendingReasons, now: Instant, fleet: AFleet | None = None) -> list[str]:
    return list(reasons.due(fleet or AFleet(), now))


def reason_of(explanation: Explanation | None) -> PendingReason | None:
    return None if explanation is None else explanation.reason


def test_a_job_is_looked_at_as_soon_as_the_fleet_has_settled() -> None:
    reasons = waiting_since_noon()
    assert due(reasons, at(SETTLE_SECONDS / 2)) == []
    assert due(reasons, at(SETTLE_SECONDS)) == [JOB.uid]


def test_what_only_an_admin_can_change_is_said_at_once() -> None:
    reasons = waiting_since_noon()
    assert reason_of(reasons.of(JOB, None, AFleet(online=False), at(1))) is PendingReason.DAEMONS_OFFLINE


def test_a_transient_reason_is_written_only_after_a_while() -> None:
    reasons = waiting_since_noon()
    busy = AFleet(free=False)
    assert reasons.of(JOB, None, busy, at(1)) is None
    assert due(reasons, at(PATIENCE_SECONDS)) == [JOB.uid]
    assert reason_of(reasons.of(JOB, None, busy, at(PATIENCE_SECONDS))) is PendingReason.DAEMONS_BUSY


def test_a_job_behind_others_of_its_workspace_does_not_name_one_that_may_end_before_it_can_start() -> None:
    explanation = waiting_since_noon().of(JOB, explain_busy_workspace("dev", "dev-1"), AFleet(), at(PATIENCE_SECONDS))
    assert explanation is not None
    assert explanation.reason is PendingReason.WORKSPACE_BUSY
    assert explanation.message == (
        "Waiting for earlier jobs of workspace dev, which runs one job at a time, in order of creation."
    )
    assert explanation.details == "First goes dev-1."


def test_one_look_at_the_fleet_serves_all_jobs_of_a_demand() -> None:
    reasons, fleet = waiting_since_noon(), AFleet(online=False)
    other = a_job("other")
    reasons.waits(other, at(0))
    reasons.of(JOB, None, fleet, at(1))
    reasons.of(other, None, fleet, at(1))
    assert fleet.asked == 1


def test_a_change_of_the_fleet_has_all_its_jobs_explained_anew() -> None:
    reasons, fleet = waiting_since_noon(), AFleet(online=False)
    due(reasons, at(1))
    reasons.of(JOB, None, fleet, at(1))
    reasons.fleet_changed("other", at(2))
    assert due(reasons, at(9), fleet) == []
    reasons.fleet_changed(JOB.namespace, at(10))
    assert due(reasons, at(11), fleet) == [JOB.uid]
    reasons.of(JOB, None, fleet, at(11))
    assert fleet.asked == 2


def test_a_change_of_the_fleet_after_which_the_same_is_to_be_said_concerns_no_job() -> None:
    reasons, fleet = waiting_since_noon(), AFleet(online=False)
    due(reasons, at(1))
    reasons.fleet_changed(JOB.namespace, at(10))
    due(reasons, at(11), fleet)
    reasons.fleet_changed(JOB.namespace, at(20))
    assert due(reasons, at(21), fleet) == []
    fleet.online, fleet.free = True, False
    reasons.fleet_changed(JOB.namespace, at(40))
    assert due(reasons, at(41), fleet) == [JOB.uid]


def test_a_daemon_that_joins_changes_no_advice_and_one_that_leaves_only_the_advice_about_it() -> None:
    reasons, fleet = waiting_since_noon(), AFleet("d5", online=False)
    due(reasons, at(1))
    reasons.fleet_changed(JOB.namespace, at(1))
    due(reasons, at(2), fleet)
    assert reasons.advised(JOB.namespace) == {"d5"}
    assert reasons.advised("other") == frozenset()

    fleet.names = ("d1", "d5", "d9")
    reasons.fleet_changed(JOB.namespace, at(10))
    assert due(reasons, at(11), fleet) == []

    fleet.names = ("d1", "d9")
    reasons.fleet_changed(JOB.namespace, at(20))
    assert due(reasons, at(21), fleet) == [JOB.uid]
    explanation = reasons.of(JOB, None, fleet, at(21))
    assert explanation is not None
    assert explanation.edits == (BringOnline("d1"),)


def test_a_job_with_another_explanation_meanwhile_is_explained_again() -> None:
    reasons, offline, busy = waiting_since_noon(), AFleet(online=False), AFleet(free=False)
    late = a_job("late")
    reasons.fleet_changed(JOB.namespace, at(0))
    assert due(reasons, at(1), offline) == [JOB.uid]
    reasons.fleet_changed(JOB.namespace, at(40))
    reasons.waits(late, at(40))
    reasons.of(late, None, busy, at(40))  # before the demand is looked at, and in other words
    reasons.fleet_changed(JOB.namespace, at(40))
    assert set(due(reasons, at(41), offline)) == {JOB.uid, late.uid}


def test_a_job_whose_explanation_somebody_else_replaced_is_looked_at() -> None:
    reasons, fleet = waiting_since_noon(), AFleet(online=False)
    reasons.fleet_changed(JOB.namespace, at(0))
    assert due(reasons, at(1), fleet) == [JOB.uid]
    reasons.waits(replace(JOB, reason="DaemonsBusy", message="Wait."), at(5))
    assert due(reasons, at(6), fleet) == [JOB.uid]


def test_that_a_daemon_is_free_is_not_remembered() -> None:
    reasons, fleet = waiting_since_noon(), AFleet()
    assert reasons.of(JOB, None, fleet, at(1)) is None
    due(reasons, at(1), fleet)
    fleet.free = False
    assert due(reasons, at(1 + PATIENCE_SECONDS), fleet) == [JOB.uid]
    assert reason_of(reasons.of(JOB, None, fleet, at(1 + PATIENCE_SECONDS))) is PendingReason.DAEMONS_BUSY


def test_a_job_that_waits_no_more_is_not_looked_at() -> None:
    reasons = waiting_since_noon()
    reasons.forget(JOB.uid)
    reasons.look_soon(JOB.uid, at(0))
    reasons.fleet_changed(JOB.namespace, at(0))
    assert due(reasons, at(1e6)) == []


def test_to_look_soon_does_not_wait_for_a_look_that_is_due_later() -> None:
    reasons = waiting_since_noon()
    assert due(reasons, at(1)) == [JOB.uid]
    assert reasons.of(JOB, None, AFleet(free=False), at(1)) is None  # not yet: it may pass by itself
    reasons.look_soon(JOB.uid, at(2))
    assert due(reasons, at(2 + SETTLE_SECONDS)) == [JOB.uid]


def a_growth(pool: str = "pool", *, namespace: str = JOB.namespace, trouble: str | None = None) -> Growth:
    supply = a_daemon(namespace=namespace).supply
    return Growth(pool, supply, trouble=trouble)


def test_a_pool_that_begins_to_grow_changes_what_is_said_of_its_own_organizations_jobs() -> None:
    reasons, nobody = waiting_since_noon(), AFleet(online=False)
    due(reasons, at(1))
    assert reason_of(reasons.of(JOB, None, nobody, at(PATIENCE_SECONDS))) is PendingReason.DAEMONS_OFFLINE

    reasons.growth_changed("other", "uid-of-other", a_growth(namespace="other"), at(40))
    assert due(reasons, at(50), nobody) == []
    reasons.growth_changed(JOB.namespace, "uid-of-pool", a_growth(), at(50))
    assert due(reasons, at(51), nobody) == [JOB.uid]
    assert reason_of(reasons.of(JOB, None, nobody, at(51))) is PendingReason.DAEMONS_STARTING

    reasons.growth_changed(JOB.namespace, "uid-of-pool", a_growth(), at(60))  # nothing new
    assert due(reasons, at(70), nobody) == []
    reasons.growth_changed(JOB.namespace, "uid-of-pool", None, at(70))
    assert due(reasons, at(71), nobody) == [JOB.uid]
    assert reason_of(reasons.of(JOB, None, nobody, at(71))) is PendingReason.DAEMONS_OFFLINE
    reasons.growth_changed(JOB.namespace, "uid-of-pool", None, at(80))
    assert due(reasons, at(90), nobody) == []


def test_the_last_job_of_a_demand_that_waits_no_more_takes_all_with_it() -> None:
    reasons = waiting_since_noon()
    other = a_job("other", tags={"zone": "b"})
    reasons.waits(other, at(0))
    reasons.fleet_changed(JOB.namespace, at(0))

    reasons.forget(other.uid)
    reasons.forget(JOB.uid)

    assert reasons.next_look() is None
    assert not reasons._lines  # noqa: SLF001 - what is promised is that nothing is kept
    assert not reasons._demand_of  # noqa: SLF001


def test_a_job_of_a_demand_that_others_still_have_leaves_them_their_look() -> None:
    reasons = waiting_since_noon()
    other = a_job("other")
    reasons.waits(other, at(0))
    due(reasons, at(1))
    reasons.fleet_changed(JOB.namespace, at(1))

    reasons.forget(other.uid)

    assert due(reasons, at(2), AFleet(online=False)) == [JOB.uid]


def test_a_demand_that_is_looked_at_already_is_not_put_off() -> None:
    reasons, free = waiting_since_noon(), AFleet()
    due(reasons, at(1))
    assert reasons.of(JOB, None, free, at(1)) is None
    assert reasons.of(JOB, None, free, at(20)) is None
    assert reasons.next_look() == at(1 + PATIENCE_SECONDS).monotonic


def test_so_many_demands_are_explained_in_one_round_and_the_others_in_the_next() -> None:
    reasons, fleet = PendingReasons(), AFleet(online=False)
    for number in range(DEMANDS_A_ROUND + 1):
        reasons.waits(a_job(f"job-{number}", tags={"zone": str(number)}), at(0))
    due(reasons, at(1), fleet)
    reasons.fleet_changed(JOB.namespace, at(1))

    assert len(due(reasons, at(2), fleet)) == DEMANDS_A_ROUND
    assert len(due(reasons, at(2), fleet)) == 1
    assert fleet.asked == DEMANDS_A_ROUND + 1


def test_a_job_whose_reason_was_removed_is_explained_again_though_nothing_was_announced() -> None:
    reasons = waiting_since_noon()
    assert due(reasons, at(SETTLE_SECONDS)) == [JOB.uid]
    reasons.waits(replace(JOB, reason=PendingReason.NO_MATCHING_DAEMON), at(5))
    assert reasons.next_look() is None
    reasons.waits(JOB, at(9))
    reasons.waits(JOB, at(9.5))  # is due already
    assert due(reasons, at(9 + SETTLE_SECONDS)) == [JOB.uid]
