"""A held job in virtual time: acknowledged, run, archived, ended, and stopped at every moment of that."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.daemons.duties import Stopping
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.execution.provisioner import Task
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.stop_outcome import StopCause, stopped
from provisioner_operator.daemon.jobs.held_job import HeldJob
from provisioner_operator.daemon.jobs.writes import JobWrites
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, UnreachableError
from provisioner_operator.kube.parsing import parse_job
from support.virtual_time import EPOCH, run_in_virtual_time
from unit.daemon.builders import RememberingConsole, a_job_body
from unit.daemon.stored_objects import StoredObjects

PATH = paths.job("acme", "dev-7")
LOG_PATH = paths.config_map("acme", "dev-7-log")
DONE = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done")
FAILED = Outcome(Phase.FAILED, EndReason.RUN_FAILED, "It failed.")
RUN_SECONDS = 100.0


class TimedRun(Run):
    """A run without processes: takes its time, or less when it is stopped, and remembers why it was."""

    def __init__(self, task: Task, log: RunLog, outcome: Outcome, stops_after: float) -> None:
        self.task = task
        self.stops_after = stops_after
        self.stops: list[tuple[StopCause, bool]] = []
        self._kept_log = log
        self._outcome = outcome
        self._stopped_early = asyncio.Event()

    @override
    async def execute(self) -> Outcome:
        await self._kept_log.write("echo", ["hello"])
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await self._stopped_early.wait()
        except TimeoutError:
            return self._outcome
        return stopped(self.task.job, self.stops[0][0], stage="echo", killed=False)

    @override
    def interrupt(self, cause: StopCause) -> None:
        self.stops.append((cause, False))
        asyncio.get_running_loop().call_later(self.stops_after, self._stopped_early.set)

    @override
    def kill(self, cause: StopCause) -> None:
        self.stops.append((cause, True))
        self._stopped_early.set()


class RememberedPhases(StoredObjects):
    """The objects, and each phase that the status of the job was written with."""

    def __init__(self, objects: dict[str, dict[str, Any]]) -> None:
        super().__init__(objects)
        self.phases: list[str] = []

    @override
    async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
        body = await super().json_patch(path, patch)
        if path == f"{PATH}/status":
            self.phases.append(body["status"]["phase"])
        return body


class Holding:
    """One held job beside its object on the API server."""

    def __init__(self, outcome: Outcome = DONE) -> None:
        self.api = RememberedPhases({PATH: a_job_body()})
        self.outcome = outcome
        self.runs: list[TimedRun] = []
        self.stops_after = 0.0
        """Seconds that a run takes to stop once it is interrupted."""
        self.changes = 0
        self.shown_after: list[int] = []
        """The number of writes before the run was shown by a heartbeat."""
        self.listed: list[bool] = []
        """Whether the heartbeat would list the job, at each change."""
        self.held = HeldJob(
            self.job,
            writes=JobWrites(self.api, "i1"),
            archive_writer=self.api,
            log=RunLog("acme", "dev-7", RememberingConsole()),
            make_run=self._make_run,
        )

    def carry_out(self, *steps: tuple[float, Callable[[], Any]]) -> Phase | None:
        """Hold the job to its end, with each step at its time; a step that is a coroutine runs beside it."""

        async def run() -> Phase | None:
            carrying = asyncio.create_task(self.held.carry_out(self._on_change, self._show_runs))
            beside = []
            for at, step in steps:
                await asyncio.sleep(EPOCH + at - asyncio.get_running_loop().time())
                if asyncio.iscoroutine(work := step()):
                    beside.append(asyncio.create_task(work))
            async with asyncio.timeout(10_000):
                phase = await carrying
                await asyncio.gather(*beside)
            assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing of the job goes on"
            return phase

        return run_in_virtual_time(run())

    def cancel(self, *, force: bool = False) -> Any:
        return self.held.stop(replace(self.job, cancel=True), force=force)

    def see_a_cancel(self) -> Any:
        body = self.api.objects[PATH]
        self.api.store(PATH, body | {"spec": body["spec"] | {"cancel": True}})
        return self.cancel()

    def delete(self) -> Any:
        return self.held.stop(replace(self.job, deleting=True), force=False)

    @property
    def job(self) -> Any:
        return parse_job(self.api.objects[PATH])

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.api.objects[PATH]["status"]
        return status

    def _make_run(self, task: Task, log: RunLog) -> Run:
        self.runs.append(TimedRun(task, log, self.outcome, self.stops_after))
        return self.runs[-1]

    async def _show_runs(self) -> None:
        self.shown_after.append(len(self.api.times("patch")))

    def _on_change(self) -> None:
        self.changes += 1
        self.listed.append(self.held.running is not None)


def test_a_job_is_acknowledged_run_archived_and_ended_in_this_order() -> None:
    world = Holding()
    assert world.carry_out() is Phase.COMPLETED
    assert world.status["phase"] == "Completed"
    assert "dev-7-log" in world.status["log"].values()
    written = [(verb, path.rpartition("/")[2]) for _, verb, path in world.api.requests]
    assert written[0] == ("patch", "status")
    assert written[1] == ("create", "configmaps")
    assert written[-1] == ("patch", "status")
    assert "echo: hello" in world.api.objects[LOG_PATH]["data"]["log"]


def test_the_heartbeat_hears_of_the_start_and_of_the_end_of_the_run() -> None:
    world = Holding()
    assert world.held.running is not None
    world.carry_out()
    assert world.listed == [True, False]


def test_a_job_that_cannot_be_taken_is_not_run() -> None:
    world = Holding()
    world.api.store(PATH, a_job_body(phase="Canceled"))
    assert world.carry_out() is None
    assert not world.runs


def test_a_failure_says_where_the_log_is() -> None:
    world = Holding(FAILED)
    world.carry_out()
    assert world.status["message"] == (
        "It failed. Log: kubectl -n acme get configmap dev-7-log -o jsonpath={.data.log}"
    )


def test_a_failure_whose_log_cannot_be_archived_says_so_and_ends_all_the_same() -> None:
    world = Holding(FAILED)
    # The first write is the acknowledgment, the second and third are the log's.
    world.api.refusals = [None, ForbiddenError(403, "no"), ForbiddenError(403, "no"), ForbiddenError(403, "no")]
    world.api.refusals += [ForbiddenError(403, "no")] * 5
    assert world.carry_out() is Phase.FAILED
    assert world.status["message"] == "It failed. Its log could not be archived; see the daemon's own output."


def test_whatever_archiving_raises_does_not_keep_the_job_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    world = Holding()

    def break_archive() -> None:
        world.api.objects[LOG_PATH] = {"metadata": None}

    assert world.carry_out((1, break_archive)) is Phase.COMPLETED
    assert "Archiving the log failed" in caplog.text


def test_what_archiving_raised_during_the_run_is_logged_though_the_last_write_succeeds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Holding()

    def break_archive() -> None:
        world.api.objects[LOG_PATH] = {"metadata": None}

    def repair() -> None:
        del world.api.objects[LOG_PATH]

    assert world.carry_out((1, break_archive), (50, repair)) is Phase.COMPLETED
    assert [each.message for each in caplog.records if each.exc_info] == ["Archiving the log failed"]
    assert "echo: hello" in world.api.objects[LOG_PATH]["data"]["log"]


@pytest.mark.parametrize(
    ("stops_after", "phases"), [(0.9, ["Running", "Canceled"]), (1.1, ["Running", "Canceling", "Canceled"])]
)
def test_a_cancel_costs_one_write_unless_the_run_takes_its_time_to_stop(stops_after: float, phases: list[str]) -> None:
    world = Holding()
    world.stops_after = stops_after
    assert world.carry_out((5, world.see_a_cancel)) is Phase.CANCELED
    assert world.runs[0].stops == [(StopCause.CANCEL, False)]
    assert world.api.phases == phases
    assert [
        condition["reason"] for condition in world.status["conditions"] if condition["type"] == "CancelRequested"
    ] == ["Stopped"]


def test_a_deletion_that_is_held_up_stops_the_run_and_its_end_is_written() -> None:
    world = Holding()
    world.carry_out((5, world.delete))
    assert world.runs[0].stops == [(StopCause.DELETION, False)]
    assert (world.status["phase"], world.status["reason"]) == ("Failed", "Deleted")
    assert [verb for _, verb, path in world.api.requests if path.endswith("/status")] == ["patch"] * 2


def test_a_forced_cancel_kills() -> None:
    world = Holding()
    world.carry_out((5, lambda: world.cancel(force=True)))
    assert world.runs[0].stops == [(StopCause.CANCEL, True)]
    assert world.held.held_run.stopping is Stopping.KILLED


def test_a_cancel_before_the_run_has_started_reaches_it_when_it_does() -> None:
    world = Holding()
    world.api.delay = 2.0
    world.carry_out((1, world.cancel), (1.5, lambda: world.held.shut_down(StopCause.SHUTDOWN)))
    assert world.runs[0].stops == [(StopCause.CANCEL, False)]


def test_a_cancel_after_the_run_has_ended_writes_nothing() -> None:
    world = Holding()
    world.api.delay = 2.0
    assert world.carry_out((RUN_SECONDS + 3, world.cancel)) is Phase.COMPLETED
    assert len([path for _, _, path in world.api.requests if path.endswith("/status")]) == 2


def test_a_shutdown_stops_the_run() -> None:
    world = Holding()
    world.carry_out((5, lambda: world.held.shut_down(StopCause.DRAIN_TIMEOUT)))
    assert world.runs[0].stops == [(StopCause.DRAIN_TIMEOUT, False)]
    assert world.held.held_run.stopping is Stopping.INTERRUPTED


@pytest.mark.parametrize("kill", [False, True])
def test_an_abandoned_job_is_stopped_and_nothing_more_is_written(*, kill: bool) -> None:
    world = Holding()
    before = []

    def abandon() -> None:
        before.append(dict(world.status))
        world.held.abandon(kill=kill)

    assert world.carry_out((5, abandon)) is None
    assert world.runs[0].stops == [(StopCause.ABANDON, kill)]
    assert world.status == before[0]


def test_a_job_that_is_abandoned_before_it_was_acknowledged_is_not_run() -> None:
    world = Holding()
    world.api.delay = 2.0
    assert world.carry_out((1, world.held.abandon)) is None
    assert not world.runs


def test_an_end_during_an_outage_is_written_when_it_is_over() -> None:
    world = Holding()

    def cut() -> None:
        world.api.outage = UnreachableError("away")

    def mend() -> None:
        world.api.outage = None

    assert world.carry_out((5, cut), (2000, mend)) is Phase.COMPLETED
    assert world.status["phase"] == "Completed"
    assert world.listed == [True, False]


def test_a_long_run_is_archived_while_it_runs() -> None:
    world = Holding()
    world.carry_out()
    assert world.api.times("create") == [EPOCH + 10]


def test_only_a_newer_version_of_the_job_is_kept() -> None:
    world = Holding()
    newer, older = a_job_body(), a_job_body()
    newer["metadata"]["resourceVersion"], older["metadata"]["resourceVersion"] = "9", "8"
    world.held.observe(parse_job(newer))
    world.held.observe(parse_job(older))
    assert world.held.job.resource_version == 9


def test_the_run_stays_that_of_the_assignment_that_it_acknowledged() -> None:
    world = Holding()
    assigned_anew = a_job_body()
    assigned_anew["metadata"]["resourceVersion"] = "9"
    assigned_anew["status"]["assignment"]["id"] = "a2"
    world.held.observe(parse_job(assigned_anew))
    assert world.held.held_run.assignment_id == "a1"


def test_the_duties_see_the_run_from_its_assignment_to_its_end() -> None:
    world = Holding()
    before = world.held.held_run
    assert (before.job_uid, before.assignment_id, before.stopping, before.ended) == (
        "uid-of-dev-7",
        "a1",
        Stopping.NOT,
        False,
    )
    world.carry_out()
    assert world.held.held_run.ended


def test_the_run_of_a_workspace_is_shown_before_its_job_is_acknowledged() -> None:
    world = Holding()
    world.carry_out()
    assert world.shown_after == [0]


def test_the_run_of_no_workspace_is_not_shown_first() -> None:
    world = Holding()
    world.held.job = replace(world.job, workspace=None)
    world.carry_out()
    assert world.shown_after == []
