from collections.abc import Iterable

from provisioner_operator.api.enums import PendingReason
from provisioner_operator.core.explanation import Explanation
from provisioner_operator.core.pending_reasons import PATIENCE_SECONDS, SETTLE_SECONDS, PendingReasons
from provisioner_operator.core.records import Daemon
from support.core_builders import a_daemon, a_job, at

JOB = a_job("dev-2", workspace="dev")


class AFleet:
    """One daemon, asked for how often."""

    def __init__(self, *, online: bool = True, free: bool = True) -> None:
        self.online = online
        self.free = free
        self.asked = 0

    def __call__(self, namespace: str) -> Iterable[tuple[Daemon, bool, bool]]:
        self.asked += 1
        return [(a_daemon(namespace=namespace), self.online, self.free)]


def waiting_since_noon() -> PendingReasons:
    reasons = PendingReasons()
    reasons.waits(JOB, at(0))
    return reasons


def reason_of(explanation: Explanation | None) -> PendingReason | None:
    return None if explanation is None else explanation.reason


def test_a_job_is_looked_at_as_soon_as_the_fleet_has_settled() -> None:
    reasons = waiting_since_noon()
    assert reasons.pop_due(at(SETTLE_SECONDS / 2)) == []
    assert reasons.pop_due(at(SETTLE_SECONDS)) == [JOB.uid]


def test_what_only_an_admin_can_change_is_said_at_once() -> None:
    reasons = waiting_since_noon()
    assert reason_of(reasons.of(JOB, None, AFleet(online=False), at(1))) is PendingReason.DAEMONS_OFFLINE


def test_what_passes_by_itself_is_said_only_after_a_while() -> None:
    reasons = waiting_since_noon()
    busy = AFleet(free=False)
    assert reasons.of(JOB, None, busy, at(1)) is None
    assert reasons.pop_due(at(PATIENCE_SECONDS)) == [JOB.uid]
    assert reason_of(reasons.of(JOB, None, busy, at(PATIENCE_SECONDS))) is PendingReason.DAEMONS_BUSY


def test_a_job_behind_another_of_its_workspace_is_told_which() -> None:
    explanation = waiting_since_noon().of(JOB, "dev-1", AFleet(), at(PATIENCE_SECONDS))
    assert explanation is not None
    assert explanation.reason is PendingReason.WORKSPACE_BUSY
    assert explanation.message == "Workspace dev is busy: dev-1 goes first, one job of a workspace at a time."


def test_one_look_at_the_fleet_serves_all_jobs_of_a_demand() -> None:
    reasons, fleet = waiting_since_noon(), AFleet(online=False)
    other = a_job("other")
    reasons.waits(other, at(0))
    reasons.of(JOB, None, fleet, at(1))
    reasons.of(other, None, fleet, at(1))
    assert fleet.asked == 1


def test_a_change_of_the_fleet_has_all_its_jobs_explained_anew() -> None:
    reasons, fleet = waiting_since_noon(), AFleet(online=False)
    reasons.pop_due(at(1))
    reasons.of(JOB, None, fleet, at(1))
    reasons.fleet_changed("other", at(2))
    assert reasons.pop_due(at(9)) == []
    reasons.fleet_changed(JOB.namespace, at(10))
    assert reasons.pop_due(at(11)) == [JOB.uid]
    reasons.of(JOB, None, fleet, at(11))
    assert fleet.asked == 2


def test_that_a_daemon_is_free_is_not_remembered() -> None:
    reasons, fleet = waiting_since_noon(), AFleet()
    assert reasons.of(JOB, None, fleet, at(1)) is None
    fleet.free = False
    assert reasons.pop_due(at(1 + PATIENCE_SECONDS)) == [JOB.uid]
    assert reason_of(reasons.of(JOB, None, fleet, at(1 + PATIENCE_SECONDS))) is PendingReason.DAEMONS_BUSY


def test_a_job_that_waits_no_more_is_not_looked_at() -> None:
    reasons = waiting_since_noon()
    reasons.forget(JOB.uid)
    reasons.look_soon(JOB.uid, at(0))
    reasons.fleet_changed(JOB.namespace, at(0))
    assert reasons.pop_due(at(1e6)) == []


def test_to_look_soon_does_not_wait_for_a_look_that_is_due_later() -> None:
    reasons = waiting_since_noon()
    reasons.look_again(JOB.uid, at(0))
    reasons.look_soon(JOB.uid, at(0))
    assert reasons.pop_due(at(SETTLE_SECONDS)) == [JOB.uid]
