"""Plans read a workspace: they are known by it, and are in no queue."""

from provisioner_operator.api.v1alpha1.enums import JobType
from provisioner_operator.core.scheduling.placement import Placement
from provisioner_operator.core.scheduling.workspace_queue import workspace_named_by, workspace_of
from provisioner_operator.core.scheduling.workspace_readers import WorkspaceReaders
from support.builders.core import NAMESPACE, a_daemon, a_job, a_running_job, next_heartbeat

DEV = (NAMESPACE, "dev")
BUILD = a_job("dev-1", workspace="dev")
PLAN = a_job("dev-plan", workspace="dev", type=JobType.WORKSPACE_PLAN)
IMPORT = a_job("import", type=JobType.TEMPLATE_IMPORT)


def test_a_plan_names_its_workspace_and_changes_none() -> None:
    assert [workspace_of(each) for each in (BUILD, PLAN, IMPORT)] == [DEV, None, None]
    assert [workspace_named_by(each) for each in (BUILD, PLAN, IMPORT)] == [DEV, DEV, None]


def test_only_plans_are_readers_until_they_have_ended() -> None:
    readers, another = WorkspaceReaders(), a_job("another", workspace="dev", type=JobType.WORKSPACE_PLAN)
    for each in (BUILD, PLAN, IMPORT, another):
        readers.add(each)
    assert readers.of(DEV) == sorted([PLAN.uid, another.uid])
    for each in (another, PLAN, PLAN, IMPORT):
        readers.discard(each)
    assert readers.of(DEV) == []


def test_a_plan_neither_waits_for_its_workspace_nor_holds_it_up() -> None:
    placement = Placement()
    assert placement.join(BUILD) == [BUILD.uid]
    placement.occupy(BUILD)
    placement.join(PLAN)
    assert placement.is_turn_of(PLAN)
    placement.give("uid-of-daemon", PLAN)
    placement.occupy(PLAN)
    assert placement.concerned_by(DEV) == [BUILD.uid, PLAN.uid]
    assert placement.end(BUILD, None, vanished=True) == []
    second = a_job("dev-2", workspace="dev")
    assert placement.join(second) == [second.uid]
    placement.end(PLAN, None, vanished=False)
    assert placement.concerned_by(DEV) == [second.uid]


def test_a_plan_whose_run_outlives_it_keeps_its_slot_and_frees_its_workspace() -> None:
    placement, plan = Placement(), a_running_job("dev-plan", workspace="dev", type=JobType.WORKSPACE_PLAN)
    daemon = a_daemon()
    placement.give(daemon.uid, plan)
    placement.occupy(plan)
    placement.end(plan, None, vanished=False)
    placement.report(next_heartbeat(daemon, runs=(plan,)), trusted=False)
    assert placement.used(daemon.uid) == 1
    placement.join(BUILD)
    assert placement.is_turn_of(BUILD)
