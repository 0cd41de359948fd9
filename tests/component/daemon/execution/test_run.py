"""A run from its preparation to its outcome, with the echo program as a real process under its guard."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome, Output
from provisioner_operator.daemon.echo.provisioner import Echo
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.execution.provisioner import Task
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.stop_outcome import StopCause
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.kube import paths
from unit.daemon.builders import Objects, RememberingConsole, a_secret, a_task, an_echo_task, until

LONG = "3600"
LONG_SECONDS = 3600.0


class Workbench:
    """Runs jobs and keeps what they said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.console = RememberingConsole()
        self.objects = Objects()
        self.contact = Contact(now(), LONG_SECONDS)
        self.ledger = directory / "ledger"

    def carry_out(self, task: Task, *then: Callable[[Run], Awaitable[None]], grace: float = LONG_SECONDS) -> Outcome:
        async def carry_out() -> Outcome:
            log = RunLog(task.job.namespace, task.job.name, self.console)
            echo = Echo(self.objects, daemon="d1", instance="i1")
            run = Run(task, echo, contact=self.contact, grace=grace, log=log, directory=self.directory)
            execution = asyncio.create_task(run.execute())
            async with asyncio.timeout(60):
                for step in then:
                    await step(run)
                outcome = await execution
            assert log.kept.text().splitlines()[-1].endswith(f"daemon: {outcome.phase}: {outcome.message}")
            return outcome

        return asyncio.run(carry_out())

    async def until_started(self, _run: Run) -> None:
        await until(lambda: self.ledger.exists() and bool(self.ledger.read_text()))

    def until_said(self, text: str) -> Callable[[Run], Awaitable[None]]:
        async def wait(_run: Run) -> None:
            await until(lambda: any(text in line for line in self.console.lines))

        return wait

    async def release(self, run: Run) -> None:
        del run
        self.ledger.with_name(f"{self.ledger.name}.released-dev-7").touch()

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.ledger.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    bench = Workbench(tmp_path)
    monkeypatch.setenv("PROVISIONER_ECHO_LEDGER", str(bench.ledger))
    return bench


def interrupt(cause: StopCause = StopCause.CANCEL) -> Callable[[Run], Awaitable[None]]:
    async def step(run: Run) -> None:
        run.interrupt(cause)

    return step


def kill(cause: StopCause = StopCause.CANCEL) -> Callable[[Run], Awaitable[None]]:
    async def step(run: Run) -> None:
        run.kill(cause)

    return step


def test_a_run_that_exits_with_zero_is_completed(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(lines="2", outputs='{"url": "http://x", "sizes": [1]}'))
    assert (outcome.phase, outcome.reason, outcome.stage) == (Phase.COMPLETED, EndReason.COMPLETED, "echo")
    assert outcome.outputs == (Output("url", "http://x"), Output("sizes", "[1]"))
    assert [timing.stage for timing in outcome.timings] == ["echo"]
    assert "acme/dev-7 echo: line 2 of 2" in bench.console.lines


def test_a_run_that_holds_goes_on_until_it_is_released(bench: Workbench) -> None:
    async def still_runs(_run: Run) -> None:
        assert bench.events() == ["start"]

    steps = (bench.until_started, still_runs, bench.release)
    assert bench.carry_out(an_echo_task(hold="true"), *steps).phase is Phase.COMPLETED


def test_a_run_cannot_hold_where_nothing_could_release_it(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVISIONER_ECHO_LEDGER")
    outcome = bench.carry_out(an_echo_task(hold="true"))
    assert outcome.phase is Phase.FAILED
    assert "start the daemon with PROVISIONER_ECHO_LEDGER" in outcome.message


def test_the_ledger_records_who_ran_what(bench: Workbench) -> None:
    bench.carry_out(an_echo_task())
    start, end = (json.loads(line) for line in bench.ledger.read_text().splitlines())
    assert (start["event"], end["event"], end["code"]) == ("start", "end", 0)
    assert start["pid"] == end["pid"]
    assert start["time"] <= end["time"]
    assert start["job_uid"] == "uid-of-dev-7"
    assert (start["workspace"], start["daemon"], start["instance"]) == ("dev", "d1", "i1")


def test_a_run_that_fails_says_with_what(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(fail="quota exceeded"))
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.RUN_FAILED)
    assert "quota exceeded" in outcome.message


def test_a_run_stopped_by_its_cancel_is_canceled(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(seconds=LONG), bench.until_started, interrupt())
    assert (outcome.phase, outcome.reason) == (Phase.CANCELED, EndReason.CANCELED)
    assert bench.events() == ["start", "end"]


def test_a_run_that_ignores_its_cancel_is_killed_after_the_grace(bench: Workbench) -> None:
    task = an_echo_task(seconds=LONG, ignore_interrupt="true")
    outcome = bench.carry_out(task, bench.until_started, interrupt(), bench.until_said("interrupt ignored"), grace=2.0)
    assert outcome.phase is Phase.CANCELED
    assert "killed" in outcome.message
    assert bench.events() == ["start"]


class GatedConsole(RememberingConsole):
    """A console that is stuck at a line until it is released."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._opened = asyncio.Event()

    @override
    async def write(self, namespace: str, job: str, stage: str, lines: Sequence[str]) -> None:
        await super().write(namespace, job, stage, lines)
        if any(self._text in line for line in lines):
            await self._opened.wait()

    async def open(self, run: Run) -> None:
        del run
        self._opened.set()


async def until_the_command_is_over(run: Run) -> None:
    command = run._command  # noqa: SLF001 - nothing else shows when the daemon has noticed the end
    assert command is not None
    await until(lambda: command.ended)


def test_a_cancel_after_the_command_failed_by_itself_leaves_it_failed_with_its_own_reason(bench: Workbench) -> None:
    bench.console = gated = GatedConsole("quota exceeded")
    steps = (bench.until_said("quota exceeded"), until_the_command_is_over, interrupt(), gated.open)
    outcome = bench.carry_out(an_echo_task(fail="quota exceeded"), *steps)
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.RUN_FAILED)
    assert "quota exceeded" in outcome.message


def test_a_forced_cancel_kills_at_once(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(seconds=LONG, ignore_interrupt="true"), bench.until_started, kill())
    assert outcome.phase is Phase.CANCELED
    assert "killed" in outcome.message


def test_a_cancel_before_the_first_stage_starts_nothing(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(seconds=LONG), interrupt())
    assert outcome.phase is Phase.CANCELED
    assert outcome.stage is None
    assert not bench.ledger.exists()


def test_a_run_that_ends_well_despite_its_cancel_is_completed(bench: Workbench) -> None:
    task = an_echo_task(hold="true", ignore_interrupt="true")
    steps = (bench.until_started, interrupt(), bench.until_said("interrupt ignored"), bench.release)
    assert bench.carry_out(task, *steps).phase is Phase.COMPLETED


def test_a_stalled_run_is_stopped_and_fails(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(seconds=LONG, stall="1"))
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.STALLED)
    assert "made no progress for 1 s" in outcome.message


def test_output_keeps_a_run_from_counting_as_stalled(bench: Workbench) -> None:
    assert bench.carry_out(an_echo_task(seconds="4", lines="40", stall="10")).phase is Phase.COMPLETED


def test_a_second_shutdown_fails_the_run(bench: Workbench) -> None:
    outcome = bench.carry_out(an_echo_task(seconds=LONG), bench.until_started, interrupt(StopCause.SHUTDOWN))
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.DAEMON_SHUTDOWN)


def test_the_first_cause_to_stop_a_run_counts(bench: Workbench) -> None:
    steps = (bench.until_started, interrupt(StopCause.SHUTDOWN), interrupt(StopCause.CANCEL))
    assert bench.carry_out(an_echo_task(seconds=LONG), *steps).reason is EndReason.DAEMON_SHUTDOWN


def test_a_daemon_out_of_contact_loses_its_run(bench: Workbench) -> None:
    bench.contact = Contact(now(), 1.0)
    outcome = bench.carry_out(an_echo_task(seconds=LONG))
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.DAEMON_LOST)
    assert bench.contact.breaches == 1


def test_renewed_contact_keeps_a_run_alive(bench: Workbench) -> None:
    async def outlive_the_first(_run: Run) -> None:
        bench.contact.renew(now(), 1.0)
        bench.contact.renew(now(), LONG_SECONDS)
        await asyncio.sleep(1.2)

    steps = (bench.until_started, outlive_the_first, bench.release)
    assert bench.carry_out(an_echo_task(hold="true"), *steps).phase is Phase.COMPLETED


def test_secret_values_are_masked_everywhere(bench: Workbench) -> None:
    bench.objects.objects[paths.secret("acme", "cloud")] = a_secret(
        fail="the password is hunter2", outputs='{"t": "x"}'
    )
    outcome = bench.carry_out(a_task(provisioner="echo", variablesFrom=[{"secretRef": {"name": "cloud"}}]))
    assert "hunter2" not in outcome.message + "".join(bench.console.lines)
    assert outcome.phase is Phase.FAILED


def test_a_variable_that_is_missing_fails_the_job_before_it_starts(bench: Workbench) -> None:
    outcome = bench.carry_out(a_task(provisioner="echo", variablesFrom=[{"secretRef": {"name": "cloud"}}]))
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, EndReason.VARIABLE_UNAVAILABLE)


def test_a_flood_of_output_is_survived(bench: Workbench) -> None:
    assert bench.carry_out(an_echo_task(flood_bytes="3000000")).phase is Phase.COMPLETED
    assert sum(map(len, bench.console.lines)) > 3_000_000


def test_nothing_of_a_run_stays_on_disk(bench: Workbench) -> None:
    bench.carry_out(an_echo_task())
    assert [entry.name for entry in bench.directory.iterdir()] == ["ledger"]
