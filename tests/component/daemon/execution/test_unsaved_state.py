"""A run whose program leaves a state that it could not save: who gets it, and what the outcome says."""

import asyncio
from pathlib import Path

import pytest
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.daemon.echo.provisioner import Echo, EchoProgram
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import UNSAVED_STATE, now
from provisioner_operator.daemon.execution.provisioner import Failure, Task
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.state_keeper import Handover
from provisioner_operator.daemon.logs.run_log import RunLog
from unit.daemon.builders import Objects, RememberingConsole, an_echo_task


class Unsaved(Echo):
    """A provisioner whose program cannot save its state."""

    @override
    async def prepare(self, task: Task, directory: Path) -> EchoProgram:
        await asyncio.to_thread((directory / UNSAVED_STATE).touch)
        return await super().prepare(task, directory)


class Keeper:
    """A keeper with scripted answers."""

    def __init__(self, handover: Handover | None, failure: Failure | None = None) -> None:
        self.handover = handover
        self.failure = failure
        self.taken: list[tuple[bool, int]] = []

    async def recover(self, task: Task, lines: list[str]) -> Failure | None:
        lines.append(f"looked for a state of {task.job.workspace}")
        return self.failure

    async def take_over(self, directory: Path, *, breaches: int) -> Handover | None:
        self.taken.append((await asyncio.to_thread((directory / UNSAVED_STATE).exists), breaches))
        return self.handover


def outcome_of(directory: Path, keeper: Keeper, console: RememberingConsole | None = None) -> Outcome:
    async def run() -> Outcome:
        task = an_echo_task()
        log = RunLog(task.job.namespace, task.job.name, console or RememberingConsole())
        echo = Unsaved(Objects(), daemon="d1", instance="i1")
        contact = Contact(now(), 3600.0)
        async with asyncio.timeout(60):
            return await Run(
                task, echo, contact=contact, grace=60, log=log, directory=directory, keeper=keeper
            ).execute()

    return asyncio.run(run())


def test_a_state_that_is_saved_later_changes_only_the_message(tmp_path: Path) -> None:
    keeper = Keeper(Handover(is_saved=True, message="Saved since."))
    outcome = outcome_of(tmp_path, keeper)
    assert (outcome.phase, outcome.message.endswith(" Saved since.")) == (Phase.COMPLETED, True)
    assert keeper.taken == [(True, 0)]


def test_a_state_that_is_not_saved_makes_the_job_fail_and_comes_first_in_its_message(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, Keeper(Handover(is_saved=False, message="Kept.")))
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.STATE_UNSAVED)
    assert outcome.message.startswith("Kept. The job completed")


def test_a_state_that_nobody_can_save_is_left_where_it_is(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, Keeper(None))
    (left,) = tmp_path.rglob(UNSAVED_STATE)
    assert str(left) in outcome.message


@pytest.mark.parametrize("failure", [None, Failure(EndReason.STATE_UNSAVED, "Kept in Secrets.")])
def test_an_earlier_state_is_looked_for_before_anything_else(tmp_path: Path, failure: Failure | None) -> None:
    console = RememberingConsole()
    outcome = outcome_of(tmp_path, Keeper(Handover(is_saved=True, message=""), failure), console)
    assert "acme/dev-7 daemon: looked for a state of dev" in console.lines[0]
    assert (outcome.message == "Kept in Secrets.") is (failure is not None)
