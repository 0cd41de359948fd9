"""Explanations of a waiting job: what is missing, and the change that is advised."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState, PendingReason, Provisioner
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.scheduling.explanation import Explanation, Growth, explain
from provisioner_operator.core.scheduling.smallest_change import (
    AddProvisioner,
    AwaitSlot,
    BringOnline,
    Candidate,
    ScopeDaemon,
    ScopeJob,
    StartDaemon,
    TagDaemon,
    TagJob,
    Uncordon,
)
from support.builders.core import a_daemon, a_demand


def ready(name: str, *, online: bool = True, free: bool = True, cordoned: bool = False, **tags: str) -> Candidate:
    return Candidate(a_daemon(name, tags=tags, cordoned=cordoned), online, free)


def of(demand: Demand, *candidates: Candidate) -> Explanation:
    explanation = explain(demand, candidates)
    assert explanation is not None
    return explanation


def test_a_demand_that_a_daemon_can_take_now_needs_no_explanation() -> None:
    assert explain(a_demand(env="1"), [ready("d1", env="1")]) is None


def test_without_any_daemon_one_must_be_started() -> None:
    found = of(a_demand(env="1"))
    assert found.reason is PendingReason.NO_MATCHING_DAEMON
    assert found.edits == (StartDaemon(a_demand(env="1")),)
    assert found.message == (
        "There is no daemon in namespace acme. To unblock it: start a daemon with provisioner terraform and tags env=1."
    )


def test_the_one_tag_that_is_missing_is_named_with_its_daemon() -> None:
    found = of(a_demand(env="1", dc="chicago"), ready("d7", env="1"), ready("d8", other="2"))
    assert found.reason is PendingReason.NO_MATCHING_DAEMON
    assert found.message == (
        "No daemon matches provisioner terraform and tags dc=chicago,env=1 (2 daemons in namespace acme). "
        "Daemon d7 would match without tag dc=chicago: give it the tag, or submit the job without it."
    )


def test_a_tag_is_not_all_that_an_offline_daemon_lacks() -> None:
    found = of(a_demand(env="1", dc="chicago"), ready("d7", online=False, env="1"))
    assert set(found.edits) == {BringOnline("d7"), TagDaemon("d7", "dc", "chicago")}
    assert "would match without" not in found.message


def test_to_leave_out_the_last_tag_is_not_advised_where_an_untagged_job_would_not_match() -> None:
    found = of(a_demand(env="1"), ready("d7", dc="2"))
    assert found.message.endswith("Daemon d7 lacks only the tag env=1: give it the tag.")


def test_an_untagged_job_learns_the_tag_to_take() -> None:
    found = of(a_demand(), ready("d1", env="1"))
    assert found.edits == (TagJob("d1", "env", "1"),)
    assert "a job without tags runs only on daemons without tags" in found.message


def test_busy_daemons_are_waited_for() -> None:
    found = of(a_demand(), ready("d1", free=False))
    assert (found.reason, found.edits) == (PendingReason.DAEMONS_BUSY, (AwaitSlot("d1"),))
    assert found.message.startswith("The matching daemons are busy: d1.")


def test_cordoned_daemons_are_to_be_uncordoned() -> None:
    found = of(a_demand(), ready("d1", cordoned=True), ready("d2", online=False))
    assert (found.reason, found.edits) == (PendingReason.DAEMONS_CORDONED, (Uncordon("d1"),))


def test_offline_daemons_are_to_be_brought_back() -> None:
    found = of(a_demand(), ready("d1", online=False))
    assert (found.reason, found.edits) == (PendingReason.DAEMONS_OFFLINE, (BringOnline("d1"),))


def test_of_changes_of_one_size_the_least_intrusive_is_advised() -> None:
    found = of(a_demand(env="1"), ready("d1"), ready("d2", env="1", online=False), ready("d3", env="1", free=False))
    assert found.edits == (AwaitSlot("d3"),)


def test_many_names_are_cut_short() -> None:
    found = of(a_demand(), *(ready(f"d{number}", free=False) for number in range(5)))
    assert "d0, d1, d2 and 2 more" in found.message


def test_the_program_may_be_what_is_missing() -> None:
    found = of(a_demand(provisioner=Provisioner.ECHO), ready("d1"))
    assert found.edits == (AddProvisioner("d1", Provisioner.ECHO),)
    assert found.message.endswith("To unblock it: add echo to spec.provisioners of daemon d1.")


def test_a_job_of_a_user_needs_a_daemon_of_that_user() -> None:
    found = of(a_demand(scope="user", owner="ann", env="1"), ready("d1", env="1"))
    assert found.edits == (ScopeDaemon("d1", "user", "ann"),)
    assert of(a_demand(), ready("d1", scope="user", owner="ann")).edits == (ScopeJob("d1", "user", "ann"),)


def test_a_draining_daemon_counts_as_one_that_takes_nothing() -> None:
    draining = Candidate(a_daemon("d1", state=DaemonState.DRAINING), online=False, free=True)
    assert of(a_demand(), draining).reason is PendingReason.DAEMONS_OFFLINE


def a_growth(pool: str = "pool", *, has_room: bool = True, trouble: str | None = None, **tags: str) -> Growth:
    return Growth(pool, a_daemon(tags=tags).supply, has_room=has_room, trouble=trouble)


def test_a_pool_that_brings_up_a_daemon_is_what_a_job_waits_for() -> None:
    found = explain(a_demand(zone="a"), (), [a_growth("other", zone="b"), a_growth("mine", zone="a")])
    assert found == Explanation(PendingReason.DAEMONS_STARTING, "Pool mine is starting a daemon that matches.", ())


def test_a_pool_that_cannot_is_named_with_what_is_wrong_with_it() -> None:
    failing = a_growth(trouble="0 of 1 daemons are ready. Pod pool-x: ErrImagePull")
    found = explain(a_demand(), (), [failing])
    assert found is not None
    assert found.reason is PendingReason.DAEMONS_OFFLINE
    assert (
        "Pool pool cannot start a daemon that matches. 0 of 1 daemons are ready. Pod pool-x: ErrImagePull"
        in found.message
    )
    sound = explain(a_demand(), (), [failing, a_growth("sound")])
    assert sound is not None
    assert sound.reason is PendingReason.DAEMONS_STARTING


def test_a_pool_that_has_all_its_daemons_brings_up_only_those_that_have_not_reported_yet() -> None:
    def explained(**fields: Any) -> PendingReason | None:
        offline = Candidate(a_daemon(pod_uid="pod", **fields), online=False, free=True)
        found = explain(a_demand(), (offline,), [a_growth(has_room=False)])
        return None if found is None else found.reason

    assert explained(heartbeat=None) is PendingReason.DAEMONS_STARTING
    assert explained() is PendingReason.DAEMONS_OFFLINE


def test_a_pool_changes_nothing_while_its_daemons_take_jobs() -> None:
    busy = Candidate(a_daemon(), online=True, free=False)
    found = explain(a_demand(), (busy,), [a_growth()])
    assert found is not None
    assert found.reason is PendingReason.DAEMONS_BUSY
