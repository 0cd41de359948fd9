"""Run one job: its stages in order, requests to stop, and the outcome.

Created by `held_job` after the acknowledgment was written. Knows neither the API server nor the meaning of the commands.

Theory of operation. A request to stop has a cause; the first cause counts. It interrupts the command and starts the grace
period, or kills at once. Its effect is judged when the stage has ended: if the last stage exits with 0, the run is
Completed, even after an interrupt; any other end is attributed to the cause; without a cause, to the fence, if the guards
had to act; otherwise the run itself failed. Between two stages, a request stops the run before the next stage.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome, StageTiming
from provisioner_operator.core.jobs.timeouts import stall_deadline
from provisioner_operator.daemon.execution.command import Command
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import SIGNALED
from provisioner_operator.daemon.execution.provisioner import (
    Failure,
    Program,
    Provisioner,
    Stage,
    StageEnd,
    Task,
    UnpreparedError,
)
from provisioner_operator.daemon.execution.state_keeper import StateKeeper
from provisioner_operator.daemon.execution.stop_outcome import StopCause, stopped
from provisioner_operator.daemon.execution.workdir import PREFIX, Workdir, private_directory
from provisioner_operator.daemon.logs.run_log import RunLog

logger = logging.getLogger(__name__)

KILLED = SIGNALED + signal.SIGKILL
DAEMON_STAGE = "daemon"
"""The stage under which the log shows the daemon's own lines."""


class Run:
    """The run of a job. `execute` once; `interrupt` and `kill` at any time."""

    def __init__(
        self,
        task: Task,
        provisioner: Provisioner,
        *,
        contact: Contact,
        grace: float,
        log: RunLog,
        directory: Path,
        prefix: str = PREFIX,
        lock: int | None = None,
        keeper: StateKeeper | None = None,
        variables: Callable[[str], Mapping[str, str]] = lambda _: {},
    ) -> None:
        """Make the run; `variables` returns what the daemon adds to the environment of a stage."""
        self._task = task
        self._keeper = keeper
        self._variables = variables
        self._provisioner = provisioner
        self._contact = contact
        self._grace = grace
        self._log = log
        self._directory = directory
        self._prefix = prefix
        self._lock = lock
        self._breaches = contact.breaches
        self._command: Command | None = None
        self._cause: StopCause | None = None
        self._asked_to_stop = asyncio.Event()
        self._came_late = False
        self._waits_for = ""
        self._killed = False
        self._grace_timer: asyncio.TimerHandle | None = None
        self._stage: str | None = None
        self._timings: list[StageTiming] = []

    async def execute(self) -> Outcome:
        """Run the job to its end and return the outcome; nothing of the run lives any more then."""
        stall_watch = asyncio.create_task(self._watch_stall())
        try:
            async with private_directory(self._directory, self._prefix) as workdir:
                outcome = await self._execute(workdir)
        except Exception as error:
            logger.exception("run of %s", self._task.job.display_name)
            outcome = self._failed(Failure(EndReason.RUN_FAILED, f"The daemon could not run the job: {error!r}."))
        finally:
            stall_watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await stall_watch
            if self._grace_timer is not None:
                self._grace_timer.cancel()
        await self._log.write(DAEMON_STAGE, [f"{outcome.phase}: {outcome.message}"])
        return outcome

    def interrupt(self, cause: StopCause) -> None:
        """Ask the run to stop, and kill it after the grace period."""
        self._note(cause)
        if self._command is not None:
            self._command.interrupt()
        if self._grace_timer is None:
            self._grace_timer = asyncio.get_running_loop().call_later(self._grace, self.kill, cause)

    def kill(self, cause: StopCause) -> None:
        """Kill the run now."""
        self._note(cause)
        self._killed = self._killed or not self._came_late
        if self._command is not None:
            self._command.kill()

    def _note(self, cause: StopCause) -> None:
        if self._cause is None:
            self._cause = cause
            self._asked_to_stop.set()
            self._came_late = self._command is not None and self._command.ended

    async def _execute(self, workdir: Workdir) -> Outcome:
        if (failure := await self._recover_state()) is not None:
            return self._stopped() or self._failed(failure)
        try:
            program = await self._provisioner.prepare(self._task, workdir.path)
        except UnpreparedError as error:
            return self._stopped() or self._failed(error.failure)
        # Before the first command runs: from its first line on, no secret may reach the log.
        await asyncio.to_thread(self._log.redact.learn, program.secrets)
        if program.notices:
            await self._log.write(DAEMON_STAGE, program.notices)
        completed = False
        try:
            # While the lock of the state is held: `finish` releases it.
            outcome = await self._hand_over_state(workdir, await self._run_stages(program, workdir.path))
            completed = outcome.phase is Phase.COMPLETED
        finally:
            if lines := await program.finish(completed=completed):
                await self._log.write(DAEMON_STAGE, lines)
        return await asyncio.to_thread(self._with_details, outcome, program)

    async def _recover_state(self) -> Failure | None:
        """Save what an earlier run of the workspace left; return why this run cannot begin."""
        if self._keeper is None:
            return None
        lines: list[str] = []
        failure = await self._keeper.recover(self._task, lines)
        if lines:
            await self._log.write(DAEMON_STAGE, lines)
        return failure

    async def _hand_over_state(self, workdir: Workdir, outcome: Outcome) -> Outcome:
        """Return the outcome with the fate of a state that Terraform could not save, if there is one."""
        if not await asyncio.to_thread(workdir.unsaved_states):
            return outcome
        keeper = self._keeper
        handover = None if keeper is None else await keeper.take_over(workdir.path, breaches=self._breaches)
        if handover is None:
            return replace(outcome, message=f"{outcome.message} {workdir.how_to_save_state(self._task.job)}")
        if handover.is_saved:
            return replace(outcome, message=f"{outcome.message} {handover.message}")
        # First, so that it is not what is cut from a long message.
        message = f"{handover.message} {outcome.message}"
        return replace(outcome, phase=Phase.FAILED, reason=EndReason.STATE_UNSAVED, message=message)

    async def _run_stages(self, program: Program, workdir: Path) -> Outcome:
        for stage in program.stages:
            outcome = await self._prepare(stage) or await self._complete(program, stage, workdir)
            if outcome is not None:
                return outcome
        message = program.summary or f"The job completed in {_duration(self._timings):.0f} s."
        return Outcome(Phase.COMPLETED, EndReason.COMPLETED, message)

    async def _prepare(self, stage: Stage) -> Outcome | None:
        """Do what has to precede a stage; return the run's outcome if that fails."""
        if stage.before is None or self._stopped() is not None:
            return None  # the stage itself reports the stop
        return await self._judge(await stage.before(self._wait))

    async def _judge(self, end: StageEnd) -> Outcome | None:
        if end.lines:
            await self._log.write(DAEMON_STAGE, end.lines)
        return None if end.failure is None else self._stopped() or self._failed(end.failure)

    async def _complete(self, program: Program, stage: Stage, workdir: Path) -> Outcome | None:
        """Run a stage, again where that may help; return the run's outcome if it ends with this stage."""
        while True:
            # Before each try: no command may start after a request to stop, or once another daemon may have the job.
            if (outcome := self._stopped()) is not None:
                return outcome
            async with contextlib.AsyncExitStack() as stack:
                keep = None if stage.around is None else await stack.enter_async_context(stage.around(self._wait))
                if (outcome := self._stopped()) is not None:  # while it waited
                    return outcome
                end = await self._run_stage(program, stage, workdir)
                if keep is not None and end.failure is None and end.again_in is None:
                    await keep()
            if end.failure is not None:
                return (None if self._came_late else self._stopped()) or self._failed(end.failure)
            if end.again_in is None:
                return None if stage.after is None else await self._judge(await stage.after())
            await self._pause(end.again_in)

    async def _run_stage(self, program: Program, stage: Stage, workdir: Path) -> StageEnd:
        async def on_lines(stream: str, lines: list[str]) -> None:
            shown = [each for line in lines if (each := program.read(stage.name, stream, line)) is not None]
            if shown:
                await self._log.write(stage.name, [text for texts in shown for text in texts])

        self._stage = stage.name
        # Of a stage that is tried again, all tries are one.
        again = self._timings and self._timings[-1].stage == stage.name
        started = self._timings.pop().started if again else time.time()
        self._timings.append(StageTiming(stage.name, started))
        self._command = await Command.start(
            stage.arguments,
            directory=workdir,
            folder=stage.folder,
            environment={**_environment(program, stage), **self._variables(stage.name)},
            contact=self._contact,
            grace=self._grace,
            on_lines=on_lines,
            lock=self._lock,
        )
        if self._killed:  # requested while the guard was being started
            self._command.kill()
        elif self._cause is not None:
            self._command.interrupt()
        try:
            code = await self._command.wait()
        except BaseException:
            self._command.kill()
            raise
        self._command = None
        self._killed = self._killed or code == KILLED
        self._timings[-1] = StageTiming(stage.name, started, time.time())
        end = program.end_stage(stage.name, code)
        if end.lines:
            await self._log.write(stage.name, end.lines)
        return end

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until the run is asked to stop."""
        # No output is expected of it meanwhile.
        self._log.last_output = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked_to_stop.wait()

    async def _wait(self, line: str) -> bool:
        """Return whether the run may go on waiting for what the line says, during which no output is expected of it."""
        if self._waits_for != line:
            self._waits_for = line
            await self._log.write(DAEMON_STAGE, [line])
        self._log.last_output = time.monotonic()
        return not self._asked_to_stop.is_set() and self._contact.breaches == self._breaches

    async def _watch_stall(self) -> None:
        while (deadline := stall_deadline(self._task.job, self._log.last_output)) is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self.interrupt(StopCause.STALL)
                return
            await asyncio.sleep(remaining)

    def _stopped(self) -> Outcome | None:
        cause = self._cause
        if cause is None and self._contact.breaches > self._breaches:
            cause = StopCause.FENCE
        if cause is None:
            return None
        return stopped(self._task.job, cause, stage=self._stage, killed=self._killed)

    def _failed(self, failure: Failure) -> Outcome:
        return Outcome(Phase.FAILED, failure.reason, self._log.redact(failure.message))

    def _with_details(self, outcome: Outcome, program: Program) -> Outcome:
        redact = self._log.redact
        return replace(
            outcome,
            message=redact(outcome.message),
            stage=self._stage,
            timings=tuple(self._timings),
            outputs=tuple(replace(output, value=redact(output.value)) for output in program.outputs),
            resources=tuple(replace(each, address=redact(each.address)) for each in program.resources),
            variables=tuple(
                replace(each, type=redact(each.type), description=redact(each.description))
                for each in program.variables
            ),
            commit=program.commit,
            plan_digest=program.plan_digest,
        )


def _environment(program: Program, stage: Stage) -> Mapping[str, str]:
    return program.environment if stage.environment is None else stage.environment


def _duration(timings: Sequence[StageTiming]) -> float:
    return time.time() - timings[0].started if timings else 0.0
