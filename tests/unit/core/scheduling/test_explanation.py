"""Explanations of a waiting job: what is missing, and the change that is advised."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, PendingReason, Provisioner
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.scheduling.explanation import Explanation, Growth, explain
from provisioner_operator.core.scheduling.smallest_change import (
    AddProvisioner,
    AwaitSlot,
    BringOnline,
    Candidate,
    Restart,
    ScopeDaemon,
    ScopeJob,
    StartDaemon,
    TagDaemon,
    TagJob,
    Uncordon,
    advised_daemon,
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
        "No daemon matches provisioner terraform and tags dc=chicago,env=1. "
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
    assert found.message == (
        "All matching daemons that take jobs are busy. "
        "To unblock it: wait until a job on one of them ends, or raise the spec.capacity of one."
    )


def test_cordoned_daemons_are_to_be_uncordoned() -> None:
    found = of(a_demand(), ready("d1", cordoned=True), ready("d2", online=False))
    assert (found.reason, found.edits) == (PendingReason.DAEMONS_CORDONED, (Uncordon("d1"),))


def test_offline_daemons_are_to_be_brought_back() -> None:
    found = of(a_demand(), ready("d1", online=False))
    assert (found.reason, found.edits) == (PendingReason.DAEMONS_OFFLINE, (BringOnline("d1"),))


def test_of_changes_of_one_size_the_least_intrusive_is_advised() -> None:
    found = of(a_demand(env="1"), ready("d1"), ready("d2", env="1", online=False), ready("d3", env="1", free=False))
    assert found.edits == (AwaitSlot("d3"),)


def test_of_daemons_that_match_none_is_passed_over_for_one_to_retag() -> None:
    found = of(a_demand(env="1"), ready("d1", free=False, cordoned=True, env="1"), ready("d2", env="2"))
    assert (found.reason, set(found.edits)) == (PendingReason.DAEMONS_CORDONED, {Uncordon("d1"), AwaitSlot("d1")})
    assert "d2" not in found.message

    found = of(a_demand(env="1"), ready("d1", free=False, online=False, env="1"), ready("d2", env="2"))
    assert (found.reason, set(found.edits)) == (PendingReason.DAEMONS_OFFLINE, {BringOnline("d1"), AwaitSlot("d1")})


@pytest.mark.parametrize(
    "daemon",
    [
        ready("d5", os="linux"),
        ready("d5", env="1", online=False),
        ready("d5", env="1", cordoned=True),
        ready("d5", env="1", free=False),
        ready("d5", env="1", free=False, cordoned=True),
    ],
)
def test_more_daemons_of_a_kind_change_nothing_about_an_explanation(daemon: Candidate) -> None:
    before = of(a_demand(env="1"), daemon)
    others = [replace(daemon, daemon=replace(daemon.daemon, name=f"d{number}")) for number in range(9) if number != 5]

    after = explain(a_demand(env="1"), [*others, daemon], advised=advised_daemon(before.edits))

    assert after == before


def test_another_daemon_is_advised_once_the_first_needs_more_or_is_gone() -> None:
    offline = ready("d5", online=False)
    worse = ready("d5", online=False, cordoned=True)
    for fleet in ([worse, ready("d6", online=False)], [ready("d6", online=False)]):
        found = explain(a_demand(), fleet, advised=advised_daemon(of(a_demand(), offline).edits))
        assert found is not None
        assert found.edits == (BringOnline("d6"),)


def test_the_program_may_be_what_is_missing() -> None:
    found = of(a_demand(provisioner=Provisioner.ECHO), ready("d1"))
    assert found.edits == (AddProvisioner("d1", Provisioner.ECHO),)
    assert found.message.endswith("To unblock it: add echo to spec.provisioners of daemon d1.")


def test_a_job_of_a_user_needs_a_daemon_of_that_user() -> None:
    found = of(a_demand(scope="user", owner="ann", env="1"), ready("d1", env="1"))
    assert found.edits == (ScopeDaemon("d1", "user", "ann"),)
    assert of(a_demand(), ready("d1", scope="user", owner="ann")).edits == (ScopeJob("d1", "user", "ann"),)


def test_a_daemon_that_shuts_down_is_to_be_started_again_and_not_to_be_brought_online() -> None:
    draining = Candidate(a_daemon("d1", state=DaemonState.DRAINING), online=False, free=True)
    found = of(a_demand(), draining)
    assert (found.reason, found.edits) == (PendingReason.DAEMONS_OFFLINE, (Restart("d1"),))
    assert found.message == (
        "All matching daemons are offline or shutting down. "
        "To unblock it: restart daemon d1, which is shutting down, or start another one like it."
    )
    assert of(a_demand(), draining, ready("d2", online=False)).edits == (BringOnline("d2"),)


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
    assert found.message == (
        "Pool pool cannot start a daemon that matches. "
        "To unblock it: fix the cause, which the condition Ready of ProvisionerPool pool describes."
    )
    assert found.details == "Pool pool: 0 of 1 daemons are ready. Pod pool-x: ErrImagePull"
    other_words = explain(a_demand(), (), [a_growth(trouble="0 of 2 daemons are ready. Pod pool-y: ImagePullBackOff")])
    assert other_words == found
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
