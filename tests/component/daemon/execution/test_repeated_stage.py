"""A stage that its program wants to run again after a pause, as a real process each time."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Outcome, Output, ResourceChange
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.execution.provisioner import Failure, Keep, Stage, StageEnd, Task, Wait
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.stop_outcome import StopCause
from provisioner_operator.daemon.logs.run_log import RunLog
from unit.daemon.builders import RememberingConsole, a_task, until

FAILS_TWICE = "import sys; open('tries', 'a').write('x'); sys.exit(len(open('tries').read()) < 3)"
LONG = 3600.0
STALL = 6
"""Stall timeout in seconds: longer than a busy machine takes to start a program."""
WAITING = "Waiting for another run."


class Turns:
    """The context of a stage: waits so long, or until the run may not wait any more, and counts what is kept."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.entered = self.left = self.kept = 0

    @asynccontextmanager
    async def take(self, wait: Wait) -> AsyncIterator[Keep]:
        self.entered += 1
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and await wait(WAITING):  # noqa: ASYNC110 - as the store does
            await asyncio.sleep(0.01)

        async def keep() -> None:
            self.kept += 1

        yield keep
        self.left += 1


class Flaky:
    """A program of two stages, the first of which fails at first; its provisioner as well."""

    secrets: Sequence[str] = ()
    outputs: Sequence[Output] = ()
    resources: Sequence[ResourceChange] = ()
    variables: Sequence[DeclaredVariable] = ()
    commit: str | None = None
    plan_digest: str | None = None
    summary: str | None = None
    notices: Sequence[str] = ()

    def __init__(self, pause: float, tries: int, turns: Turns | None = None) -> None:
        self.environment: Mapping[str, str] = dict(os.environ)
        self.stages = (
            Stage("init", (sys.executable, "-c", FAILS_TWICE), around=None if turns is None else turns.take),
            Stage("apply", (sys.executable, "-c", "open('../applied', 'w')")),
        )
        self.pauses = [pause] * (tries - 1)

    async def prepare(self, task: Task, directory: Path) -> "Flaky":
        del task, directory
        return self

    def read(self, stage: str, stream: str, line: str) -> Sequence[str]:
        del stage, stream
        return (line,)

    def end_stage(self, stage: str, code: int) -> StageEnd:
        if code == 0:
            return StageEnd()
        if self.pauses:
            return StageEnd((f"{stage} again",), again_in=self.pauses.pop())
        return StageEnd(failure=Failure(EndReason.RUN_FAILED, "It failed."))

    async def finish(self, *, completed: bool) -> Sequence[str]:
        return (f"Finished, completed={completed}.",)


def run(program: Flaky, directory: Path, *, stop: str = "", **spec: Any) -> tuple[Outcome, list[str]]:
    """Run a job of the program; with `stop`, cancel it when its log says that."""
    console = RememberingConsole()

    async def carry_out() -> Outcome:
        task = a_task(**spec)
        log = RunLog("acme", "dev-7", console)
        execution = Run(task, program, contact=Contact(now(), LONG), grace=LONG, log=log, directory=directory)
        under_way = asyncio.create_task(execution.execute())
        async with asyncio.timeout(60):
            if stop:
                await until(lambda: any(stop in line for line in console.lines))
                execution.interrupt(StopCause.CANCEL)
            return await under_way

    return asyncio.run(carry_out()), [line.rpartition(": ")[2] for line in console.lines]


def test_the_log_begins_with_what_was_noted_before_the_first_stage(tmp_path: Path) -> None:
    program = Flaky(pause=0.0, tries=3)
    program.notices = ("A file is left out.", "Another, too.")
    _, lines = run(program, tmp_path)
    assert lines[:2] == ["A file is left out.", "Another, too."]
    assert lines[2:]


def test_a_stage_is_run_until_it_succeeds_and_then_the_next(tmp_path: Path) -> None:
    outcome, lines = run(Flaky(pause=0.0, tries=3), tmp_path)
    assert outcome.phase is Phase.COMPLETED
    assert lines.count("init again") == 2
    assert [timing.stage for timing in outcome.timings] == ["init", "apply"], "all tries are one stage"
    assert (tmp_path / "applied").exists()
    assert "Finished, completed=True." in lines


def test_a_stage_that_fails_for_the_last_time_fails_the_run(tmp_path: Path) -> None:
    outcome, _ = run(Flaky(pause=0.0, tries=2), tmp_path)
    assert (outcome.phase, outcome.message, outcome.stage) == (Phase.FAILED, "It failed.", "init")
    assert not (tmp_path / "applied").exists()


def test_a_cancel_ends_the_pause(tmp_path: Path) -> None:
    outcome, _ = run(Flaky(pause=LONG, tries=3), tmp_path, stop="again")
    assert (outcome.phase, outcome.stage) == (Phase.CANCELED, "init")


def test_a_pause_does_not_count_as_a_stall(tmp_path: Path) -> None:
    outcome, _ = run(Flaky(pause=STALL + 0.5, tries=2), tmp_path, stallTimeoutSeconds=STALL)
    assert outcome.message == "It failed."


def test_each_try_takes_a_turn_and_the_one_that_succeeds_keeps_what_it_made(tmp_path: Path) -> None:
    turns = Turns(0.0)
    outcome, lines = run(Flaky(pause=0.0, tries=3, turns=turns), tmp_path)
    assert outcome.phase is Phase.COMPLETED
    assert (turns.entered, turns.left, turns.kept) == (3, 3, 1)
    assert WAITING not in lines


def test_a_cancel_ends_the_wait_for_other_runs(tmp_path: Path) -> None:
    turns = Turns(LONG)
    outcome, lines = run(Flaky(pause=0.0, tries=3, turns=turns), tmp_path, stop=WAITING)
    assert (outcome.phase, outcome.timings) == (Phase.CANCELED, ())
    assert (turns.left, turns.kept) == (1, 0)
    assert lines.count(WAITING) == 1


def test_the_wait_for_other_runs_does_not_count_as_a_stall(tmp_path: Path) -> None:
    program = Flaky(pause=0.0, tries=1, turns=Turns(STALL + 0.5))
    outcome, _ = run(program, tmp_path, stallTimeoutSeconds=STALL)
    assert outcome.message == "It failed."


def test_what_has_to_precede_a_stage_may_wait_and_may_fail_the_run(tmp_path: Path) -> None:
    program = Flaky(pause=0.0, tries=3)

    async def refuse(wait: Wait) -> StageEnd:
        assert await wait("Waiting for a lock.")
        return StageEnd(("The lock is taken.",), Failure(EndReason.STATE_LOCKED, "It is locked."))

    program.stages = (program.stages[0], replace(program.stages[1], before=refuse))
    outcome, lines = run(program, tmp_path)
    assert (outcome.phase, outcome.reason, outcome.message) == (Phase.FAILED, EndReason.STATE_LOCKED, "It is locked.")
    assert lines[-4:-1] == ["Waiting for a lock.", "The lock is taken.", "Finished, completed=False."]
    assert not (tmp_path / "applied").exists()


def test_a_stage_does_not_run_after_a_stop_during_what_precedes_it(tmp_path: Path) -> None:
    program = Flaky(pause=0.0, tries=3)

    async def hold(wait: Wait) -> StageEnd:
        while await wait("Waiting for a lock."):  # noqa: ASYNC110 - as the lock does
            await asyncio.sleep(0.01)
        return StageEnd()

    program.stages = (program.stages[0], replace(program.stages[1], before=hold))
    outcome, _ = run(program, tmp_path, stop="Waiting for a lock.")
    assert outcome.phase is Phase.CANCELED
    assert not (tmp_path / "applied").exists()


def test_what_has_to_follow_a_stage_follows_its_success_and_may_fail_the_run(tmp_path: Path) -> None:
    program = Flaky(pause=0.0, tries=3)
    followed: list[bool] = []

    async def refuse() -> StageEnd:
        followed.append((tmp_path / "applied").exists())
        return StageEnd(("It is not kept.",), Failure(EndReason.RUN_FAILED, "There is no room."))

    program.stages = (replace(program.stages[0], after=refuse), program.stages[1])
    outcome, lines = run(program, tmp_path)
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "There is no room.")
    assert lines[-3:-1] == ["It is not kept.", "Finished, completed=False."]
    assert followed == [False]
    assert not (tmp_path / "applied").exists()
