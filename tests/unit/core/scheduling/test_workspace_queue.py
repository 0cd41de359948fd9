from collections import Counter

import pytest

from provisioner_operator.core.scheduling.workspace_queue import EVERYWHERE, NamespacedName, WorkspaceQueues
from support.builders.core import NAMESPACE, a_job

DEV = (NAMESPACE, "dev")
FIRST, SECOND = a_job("dev-1", workspace="dev"), a_job("dev-2", workspace="dev", priority=9)


def a_line_of_two() -> WorkspaceQueues:
    lines = WorkspaceQueues()
    lines.wait(SECOND)
    lines.wait(FIRST)
    return lines


def test_the_oldest_has_its_turn_whatever_the_priority() -> None:
    lines = a_line_of_two()
    assert lines.is_turn_of(FIRST)
    assert not lines.is_turn_of(SECOND)
    assert lines.blocker_of(SECOND) == FIRST.uid
    assert lines.blocker_of(FIRST) is None


def test_nobody_has_a_turn_while_something_runs() -> None:
    lines = a_line_of_two()
    lines.occupy(DEV, "run on d")
    assert lines.next_in(DEV) is None
    assert lines.blocker_of(FIRST) == "run on d"
    lines.vacate(DEV, "run on d")
    assert lines.next_in(DEV) == FIRST.uid


def test_who_runs_waits_no_more_and_who_ends_lets_the_next_go() -> None:
    lines = a_line_of_two()
    lines.occupy(DEV, FIRST.uid)
    assert not lines.is_turn_of(SECOND)
    lines.leave(FIRST)
    assert lines.is_turn_of(SECOND)


def test_who_was_released_waits_in_its_old_place() -> None:
    lines = a_line_of_two()
    lines.occupy(DEV, FIRST.uid)
    lines.wait(FIRST)
    assert lines.next_in(DEV) == FIRST.uid


def test_who_steps_out_holds_nobody_up() -> None:
    lines = a_line_of_two()
    lines.leave(FIRST)
    assert lines.is_turn_of(SECOND)


def test_a_job_without_a_workspace_waits_for_nobody() -> None:
    lines = WorkspaceQueues()
    job = a_job()
    lines.wait(job)
    assert lines.is_turn_of(job)
    assert lines.blocker_of(job) is None


def test_workspaces_of_one_name_in_two_namespaces_are_two() -> None:
    lines = a_line_of_two()
    assert lines.next_in(("other", "dev")) is None
    other = a_job("dev-3", workspace="dev", namespace="other")
    lines.wait(other)
    assert lines.is_turn_of(other)


def test_an_empty_line_takes_no_room() -> None:
    lines = a_line_of_two()
    for job in (FIRST, SECOND):
        lines.leave(job)
    assert not lines._lines  # noqa: SLF001 - what is promised is what it holds inside


def test_to_vacate_a_workspace_that_nobody_has_changes_nothing() -> None:
    queues = WorkspaceQueues()
    queues.vacate((NAMESPACE, "dev"), "run on d")
    assert queues.next_in((NAMESPACE, "dev")) is None


def test_nobody_in_a_namespace_has_a_turn_while_a_daemon_holds_it() -> None:
    lines, other = a_line_of_two(), a_job("dev-1", workspace="dev", namespace="other")
    lines.wait(other)
    assert lines.hold(NAMESPACE, "d") == [FIRST.uid]
    assert lines.hold(NAMESPACE, "e") == []
    assert lines.is_held(NAMESPACE)
    assert lines.blocker_of(FIRST) == "d"
    assert lines.is_turn_of(other)
    assert lines.release(NAMESPACE, "d") == []
    assert lines.release(NAMESPACE, "e") == [FIRST.uid]
    assert lines.is_turn_of(FIRST)
    assert lines.release(NAMESPACE, "e") == []


def test_of_many_daemons_only_the_first_and_the_last_look_at_the_queues_and_only_at_those_of_their_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines, looks = WorkspaceQueues(), Counter[NamespacedName]()
    for namespace in (NAMESPACE, "other"):
        for number in range(10):
            lines.wait(a_job(f"job-{number}", workspace=f"dev-{number}", namespace=namespace))
    next_in = lines.next_in

    def counted(workspace: NamespacedName) -> str | None:
        looks[workspace] += 1
        return next_in(workspace)

    monkeypatch.setattr(lines, "next_in", counted)
    daemons = [f"d{number}" for number in range(100)]
    turns = [uid for daemon in daemons for uid in lines.hold(NAMESPACE, daemon)]
    assert len(turns) == looks.total() == 10
    assert [uid for daemon in daemons for uid in lines.release(NAMESPACE, daemon)] == turns
    assert looks.total() == 20


def test_what_holds_all_namespaces_holds_those_that_appear_later_until_it_is_over() -> None:
    lines = a_line_of_two()
    lines.hold("theirs", "d")
    assert lines.hold(EVERYWHERE, "restore") == [FIRST.uid]
    lines.wait(new := a_job("new", workspace="dev", namespace="other"))
    assert (lines.is_turn_of(FIRST), lines.is_turn_of(new)) == (False, False)
    assert lines.blocker_of(new) == "restore"
    assert lines.held() == 3
    assert list(lines.held_jobs()) == [FIRST, new]
    assert lines.release(EVERYWHERE, "restore") == [FIRST.uid, new.uid]
    assert (lines.is_turn_of(FIRST), lines.is_turn_of(new), lines.held()) == (True, True, 1)


def test_a_namespace_that_a_daemon_holds_too_stays_held() -> None:
    lines = a_line_of_two()
    lines.hold(EVERYWHERE, "restore")
    assert lines.hold(NAMESPACE, "d") == []
    assert lines.release(EVERYWHERE, "restore") == []
    assert not lines.is_turn_of(FIRST)
    assert lines.release(NAMESPACE, "d") == [FIRST.uid]
