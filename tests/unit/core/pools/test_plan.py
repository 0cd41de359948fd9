"""The plan for one pool, as tables: what exists, how many are wanted, what follows."""

from typing import Any

import pytest

from provisioner_operator.core.pools.creation_backoff import CreationState
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
)
from provisioner_operator.core.pools.members import Member, PoolDaemon, Trouble
from provisioner_operator.core.pools.plan import LOST_GRACE_SECONDS, Plan, Target, plan
from provisioner_operator.core.pools.records import Pool
from support.builders.core import at
from support.builders.pools import NEW, OLD, a_pod, a_pool, over, starting, working

ONE_UNDER_WAY = CreationState(under_way=frozenset({"pool-bbbbb"}))
FAILING = Trouble("Error", "it failed")


def a_plan(
    wanted: int, *members: Member, pool: Pool | None = None, pace: CreationState | None = None, now: float = 100
) -> Plan:
    return plan(pool or a_pool(), members, Target(wanted, NEW, "image"), pace or CreationState(), at(now))


def describe(decision: PoolDecision) -> str:
    match decision:
        case CreatePod():
            return "create"
        case CordonDaemon(_, pod):
            return f"cordon {pod.name}"
        case UncordonDaemon(_, pod):
            return f"uncordon {pod.name}"
        case DeletePod(_, pod):
            return f"delete {pod.name}"
        case _:
            return type(decision).__name__


def decided(wanted: int, *members: Member, **given: Any) -> list[str]:
    return sorted(describe(decision) for decision in a_plan(wanted, *members, **given).decisions)


def old(name: str, **fields: Any) -> Member:
    return working(name, revision=OLD, **fields)


@pytest.mark.parametrize(
    ("wanted", "members", "decisions"),
    [
        (0, [], []),
        (2, [], ["create", "create"]),
        (2, [starting("a")], ["create"]),
        (2, [working("a"), working("b")], []),
        (1, [working("a", created=1), working("b", created=2)], ["cordon b"]),  # the youngest goes
        (1, [working("a", created=1), working("b", created=2, held=1)], ["cordon a"]),  # but an idle one first
        (1, [working("a", held=1), starting("b")], ["delete b"]),  # and first one that never became a daemon
        (1, [working("a", created=9), working("b", online=False)], ["cordon b"]),  # or one that does not report
        (1, [working("a"), working("b", cordoned_by="pool")], ["delete b"]),
        (1, [working("a"), working("b", cordoned_by="pool", held=1)], []),  # drained first
        (2, [working("a"), working("b", cordoned_by="pool")], ["uncordon b"]),  # wanted after all
        (0, [working("a", held=2)], ["cordon a"]),
        (0, [working("a", cordoned_by="pool", held=2)], []),
        (0, [working("a", cordoned_by="pool", has_unsaved_state=True)], []),  # the only copy is on its disk
        (0, [working("a", cordoned_by="pool", has_unsaved_state=True, lost=True)], []),  # also of one that hangs
    ],
)
def test_a_pool_gets_the_size_that_is_wanted(wanted: int, members: list[Member], decisions: list[str]) -> None:
    assert decided(wanted, *members) == decisions


@pytest.mark.parametrize(
    ("members", "decisions"),
    [
        ([working("a", cordoned_by="admin")], ["create"]),  # a substitute
        ([working("a", cordoned_by="admin"), working("b")], []),
        ([working("a", cordoned_by="admin"), working("b"), working("c", created=1)], ["cordon c"]),
        ([working("a", cordoned_by="admin", revision=OLD), working("b")], ["delete a"]),  # until a roll-out
        ([working("a", cordoned_by="admin", revision=OLD, held=1), working("b")], []),
    ],
)
def test_an_admins_cordon_is_respected(members: list[Member], decisions: list[str]) -> None:
    assert decided(1, *members) == decisions


def test_a_mark_that_outlived_its_cordon_is_taken_away_so_that_the_next_cordon_is_an_admins() -> None:
    marked = Member(a_pod("a", ready_since=1), PoolDaemon("d", online=True, cordoned=False, cordoned_by_pool=True))

    assert decided(1, marked) == ["uncordon a"]


@pytest.mark.parametrize(
    ("surge", "members", "decisions"),
    [
        (1, [old("a"), old("b"), old("c")], ["create"]),
        (2, [old("a"), old("b"), old("c")], ["create", "create"]),
        (9, [old("a"), old("b"), old("c")], ["create", "create", "create"]),
        (1, [old("a"), old("b"), old("c"), starting("n")], []),  # nobody goes before it is ready
        (1, [old("a"), old("b"), old("c", created=1), working("n")], ["cordon c"]),
        (1, [old("a", held=1), old("b", held=1), old("c", held=1), working("n")], ["cordon c"]),
        (1, [old("a", held=1), old("b"), old("c", held=1, created=1), working("n")], ["cordon b"]),  # idle ones first
        (1, [old("a"), old("b"), old("c", cordoned_by="pool", held=1), working("n")], []),  # drain
        (1, [old("a"), old("b"), old("c", cordoned_by="pool"), working("n")], ["delete c"]),
        (1, [old("a"), old("b"), working("n")], ["create"]),
        (1, [old("a"), working("n"), working("m"), working("l")], ["cordon a"]),
        (
            9,
            [old("a"), working("n"), working("m"), working("l")],
            ["cordon a"],
        ),  # the surge is not used for its own sake
        (1, [working("l"), working("n"), working("m")], []),
        # New ones that fail leave the old ones in peace, and those that went already come back.
        (1, [old("a"), old("b"), old("c", cordoned_by="pool", held=1), starting("n")], ["uncordon c"]),
        # Old ones that serve nobody are not waited for.
        (1, [starting("a", revision=OLD), old("b"), old("c")], ["create", "delete a"]),
        (1, [old("a", online=False), old("b"), old("c")], ["cordon a", "create"]),
    ],
)
def test_a_new_revision_is_rolled_out_by_surge_drain_and_replace(
    surge: int, members: list[Member], decisions: list[str]
) -> None:
    assert decided(3, *members, pool=a_pool(max_surge=surge)) == decisions


def test_a_pool_that_wants_nobody_drains_the_old_revision() -> None:
    assert decided(0, old("a"), old("b", held=1), old("c", cordoned_by="pool")) == ["cordon a", "cordon b", "delete c"]


@pytest.mark.parametrize(
    ("members", "decisions"),
    [
        ([starting("a"), working("b"), working("c", held=1)], ["cordon b", "cordon c", "delete a"]),
        ([working("a", cordoned_by="pool", held=1)], []),
        ([working("a", cordoned_by="admin")], ["delete a"]),
        ([over("a")], ["delete a"]),
        ([over("a", held=1)], []),
        ([starting("a", deleting=True)], []),  # not before it is gone
        ([], ["RemoveFinalizer"]),
    ],
)
def test_deleting_a_pool_drains_it(members: list[Member], decisions: list[str]) -> None:
    assert decided(3, *members, pool=a_pool(deleting=True)) == decisions


def test_a_pool_does_not_go_while_a_pod_is_on_its_way() -> None:
    assert decided(3, pool=a_pool(deleting=True), pace=ONE_UNDER_WAY) == []


def test_a_pool_that_somebody_else_holds_up_is_left_alone() -> None:
    assert decided(3, pool=a_pool(deleting=True, finalizers=("other",))) == []


def test_a_pool_gets_its_finalizer_before_its_first_pod() -> None:
    assert decided(3, pool=a_pool(finalizers=("other",))) == ["AddFinalizer"]


def test_a_finalizer_is_added_to_and_taken_from_those_that_are_there() -> None:
    wanted = AddFinalizer(a_pool(finalizers=("other",))).patch().operations()[-1]
    assert wanted["value"] == ["other", "provisioner.dev/drain"]

    left = RemoveFinalizer(a_pool(finalizers=("other", "provisioner.dev/drain"))).patch().operations()[-1]
    assert left["value"] == ["other"]


@pytest.mark.parametrize(
    ("members", "decisions"),
    [
        ([over("a", failed=False)], ["create", "delete a"]),
        ([over("a", finished=5)], ["create"]),  # kept for its log
        ([over("a", finished=5), over("b", finished=6)], ["create", "delete a"]),
        ([over("a", finished=5, held=1), over("b", finished=6)], ["create"]),  # its job is not given up yet
        ([over("a", deleting=True, failed=False)], ["create"]),
        ([working("a", deleting=True, held=1)], ["create"]),  # somebody deleted it; it drains by itself
    ],
)
def test_pods_that_are_over_are_replaced_and_cleared_away(members: list[Member], decisions: list[str]) -> None:
    assert decided(1, *members) == decisions


def test_the_pod_that_failed_last_goes_after_ten_minutes() -> None:
    waits = a_plan(1, over("a", finished=5), working("b"), now=600).requeue_after
    assert waits == pytest.approx(5)

    assert decided(1, over("a", finished=5), working("b"), now=605) == ["delete a"]


def test_pods_on_their_way_are_not_made_again() -> None:
    assert decided(3, working("a"), pace=ONE_UNDER_WAY) == ["create"]
    assert decided(2, working("a"), pace=ONE_UNDER_WAY) == []


def test_a_name_that_is_on_its_way_is_not_given_to_another_pod() -> None:
    (first,) = (each for each in a_plan(1).decisions if isinstance(each, CreatePod))
    again = a_plan(2, pace=CreationState(under_way=frozenset({first.name}))).decisions

    assert [each.name for each in again if isinstance(each, CreatePod)] not in ([], [first.name])


def test_pods_on_their_way_count_for_the_surge() -> None:
    assert decided(2, old("a"), old("b"), pace=ONE_UNDER_WAY) == []


@pytest.mark.parametrize(
    ("wanted", "members", "decisions"),
    [
        (1, [working("a", lost=True)], ["cordon a", "create"]),
        (1, [working("a", lost=True, cordoned_by="pool")], ["create", "delete a"]),
        # Its jobs are about to fail, and its slots are free only then.
        (1, [working("a", lost=True, cordoned_by="pool", held=1)], ["create"]),
        (1, [working("a", lost=True, cordoned_by="pool"), working("b")], ["delete a"]),
        (0, [working("a", lost=True, cordoned_by="pool")], ["delete a"]),
        (1, [working("a", lost=True, cordoned_by="admin")], ["create"]),
        (1, [working("a", lost=True, cordoned_by="pool", deleting=True), working("b")], []),
        (1, [working("a", cordoned_by="pool")], ["uncordon a"]),  # it reports again
    ],
)
def test_a_pod_whose_daemon_hangs_is_replaced(wanted: int, members: list[Member], decisions: list[str]) -> None:
    assert decided(wanted, *members) == decisions


@pytest.mark.parametrize(("lost", "grace"), [(True, LOST_GRACE_SECONDS), (False, None)])
def test_nobody_waits_for_a_daemon_that_hangs(lost: bool, grace: int | None) -> None:  # noqa: FBT001
    (deletion,) = a_plan(0, working("a", lost=lost, cordoned_by="pool")).decisions
    assert isinstance(deletion, DeletePod)
    assert deletion.grace_seconds == grace


@pytest.mark.parametrize(
    ("members", "quoted"),
    [
        ([], True),
        ([working("a")], True),
        ([working("a"), working("b", online=False)], False),
        ([working("a"), working("b", lost=True)], True),
    ],
)
def test_a_refusal_of_pods_is_quoted_only_while_pods_are_missing(members: list[Member], *, quoted: bool) -> None:
    pace = CreationState(failing=FAILING, is_refused=True, resume_at=at(130).monotonic)
    assert (a_plan(2, *members, pace=pace).counts.trouble == FAILING) is quoted
    of_a_pod = CreationState(failing=FAILING, resume_at=at(130).monotonic)
    assert a_plan(2, *members, pace=of_a_pod).counts.trouble == FAILING


@pytest.mark.parametrize("daemon", [None, PoolDaemon("d")], ids=["not registered", "registered"])
def test_a_pod_whose_daemon_never_reports_is_named_after_a_minute(daemon: PoolDaemon | None) -> None:
    silent = Member(a_pod("a", ready_since=50), daemon)

    assert a_plan(1, silent, now=100).counts.trouble is None
    assert a_plan(1, silent, now=100).requeue_after == pytest.approx(10)
    trouble = a_plan(1, silent, now=110).counts.trouble
    assert trouble == Trouble(
        "DaemonSilent",
        "Pod a is ready, but its daemon has never reported. Its log says why: kubectl -n acme logs a",
    )
    assert decided(1, silent, now=110) == []
    assert a_plan(1, silent, now=110).requeue_after is None
    for other in (working("a", online=False), working("a"), starting("a"), over("a", ready_since=50)):
        counts = a_plan(1, other, now=1000).counts
        assert counts.trouble is None


def test_a_failure_is_forgotten_although_nothing_else_happens() -> None:
    pace = CreationState(failing=FAILING, forget_at=at(160).monotonic)
    assert a_plan(1, starting("a"), pace=pace, now=100).requeue_after == pytest.approx(60)


def test_an_unanswered_name_is_the_first_to_be_used_again() -> None:
    decisions = a_plan(2, pace=CreationState(unanswered=("first",))).decisions
    names = [decision.name for decision in decisions if isinstance(decision, CreatePod)]

    assert names[0] == "first"
    assert len(set(names)) == 2


def test_no_pod_is_made_during_a_pause_and_the_look_after_it_is_known() -> None:
    pace = CreationState(resume_at=at(130).monotonic, failing=FAILING)
    assert decided(2, pace=pace, now=100) == []
    assert a_plan(2, pace=pace, now=100).requeue_after == pytest.approx(30)
    assert decided(2, pace=pace, now=130) == ["create"]


@pytest.mark.parametrize(
    ("members", "under_way", "decisions"),
    [
        ([], [], ["create"]),
        ([], ["pool-bbbbb"], []),
        ([starting("a")], [], []),
        ([working("a")], [], ["create"]),
    ],
)
def test_while_pods_fail_they_are_tried_one_at_a_time(
    members: list[Member], under_way: list[str], decisions: list[str]
) -> None:
    assert decided(5, *members, pace=CreationState(under_way=frozenset(under_way), failing=FAILING)) == decisions


def test_pods_under_way_count_although_a_surge_leaves_room_for_more() -> None:
    under_way = CreationState(under_way=frozenset({"pool-bbbbb", "pool-ccccc"}))
    assert decided(2, old("a"), pool=a_pool(max_surge=3), pace=under_way) == []


def test_the_census_counts_what_there_is() -> None:
    counts = a_plan(
        3,
        working("idle"),
        working("busy", held=1),
        starting("new"),
        old("former", held=2),
        over("gone"),
        working("leaving", deleting=True, held=1),
    ).counts

    assert (counts.wanted, counts.present, counts.updated, counts.outdated) == (3, 4, 3, 1)
    assert (counts.ready, counts.idle, counts.busy) == (2, 1, 2)


@pytest.mark.parametrize(
    ("members", "pace", "reason"),
    [
        ([starting("a")], CreationState(), None),
        ([starting("a", trouble=Trouble("Unschedulable", "no node"))], CreationState(), "Unschedulable"),
        ([starting("a", trouble=Trouble("Unschedulable", "no node"))], CreationState(failing=FAILING), "Error"),
        ([starting("a", trouble=Trouble("ErrImagePull", "no image"))], CreationState(failing=FAILING), "ErrImagePull"),
    ],
)
def test_of_all_troubles_the_one_that_needs_an_edit_is_reported(
    members: list[Member], pace: CreationState, reason: str | None
) -> None:
    trouble = a_plan(1, *members, pace=pace).counts.trouble

    assert (trouble.reason if trouble is not None else None) == reason
