"""A whole daemon in virtual time, without processes: from its first heartbeat to the last."""

import asyncio
import base64
import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, Provisioner
from provisioner_operator.core.daemons.duties import Stopping
from provisioner_operator.daemon.agent import Agent, RunResources
from provisioner_operator.daemon.execution.provisioner import Program, Task, UnpreparedError
from provisioner_operator.daemon.execution.unsaved_state import UnsavedState, record_as_json
from provisioner_operator.daemon.reporting.heartbeat import DaemonDeletedError, TakenOverError
from provisioner_operator.daemon.saving.kept_states import chunk_name
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, UnreachableError
from support.virtual_time import EPOCH, run_in_virtual_time
from unit.daemon.builders import RememberingConsole, a_daemon_body, a_job_body
from unit.daemon.saving.builders import a_record, an_unsaved_state
from unit.daemon.stored_objects import StoredObjects

LOG_FLUSH_SECONDS = 30.0

DAEMON = paths.daemon("acme", "d1")


class Preparing:
    """A provisioner whose jobs take their time to prepare, and then turn out to be impossible."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.released = asyncio.Event()

    async def prepare(self, task: Task, directory: Path) -> Program:
        del directory
        self.started.append(task.job.name)
        await self.released.wait()
        raise UnpreparedError(EndReason.VARIABLE_UNAVAILABLE, "Nothing to run.")


class Working:
    """A daemon beside its objects on the API server."""

    def __init__(
        self, directory: Path, *jobs: dict[str, Any], drain_seconds: float | None = None, **daemon: Any
    ) -> None:
        bodies = {paths.job("acme", body["metadata"]["name"]): body for body in jobs}
        self.api = StoredObjects({DAEMON: a_daemon_body(**daemon), **bodies})
        self.directory = directory
        self.drain_seconds = drain_seconds
        self.leftovers: Sequence[UnsavedState] = ()
        self.agent: Agent
        self.preparing: Preparing
        self.seconds = 0.0
        """The time at which the daemon ended."""

    def run(self, *steps: tuple[float, Callable[[], Any]], seconds: float = 1000.0) -> bool:
        """Run the daemon with each step at its time; return whether it ended by itself."""

        async def run() -> bool:
            loop = asyncio.get_running_loop()
            self.preparing = Preparing()
            provisioners = {Provisioner.ECHO: self.preparing}
            resources = RunResources(provisioners, self.directory, RememberingConsole(), 0, leftovers=self.leftovers)
            self.agent = Agent(
                self.api,
                self.api.objects[DAEMON],
                instance="i1",
                resources=resources,
                drain_seconds=self.drain_seconds,
            )
            for at, step in steps:
                loop.call_at(EPOCH + at, step)
            try:
                async with asyncio.timeout(seconds):
                    await self.agent.run()
            except TimeoutError:
                return False
            finally:
                self.seconds = loop.time() - EPOCH
                await asyncio.sleep(1)
                assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing of the daemon goes on"
            return True

        return run_in_virtual_time(run())

    def release(self) -> None:
        """Let the runs end."""
        self.preparing.released.set()

    def shut_down(self) -> None:
        self.agent.shut_down()

    def job(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.api.objects[paths.job("acme", name)]["status"]
        return status

    def submit(self, body: dict[str, Any]) -> None:
        self.api.store(paths.job("acme", body["metadata"]["name"]), body)

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.api.objects[DAEMON]["status"]
        return status

    def listed(self) -> Sequence[str]:
        return [job["name"] for job in self.status["currentJobs"]]


def test_a_job_is_run_and_counted_and_the_daemon_goes_on(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    counted: list[int] = []
    assert not world.run(
        (5, world.release),
        (7, lambda: counted.append(world.status["failedJobs"])),
        (50, lambda: world.submit(a_job_body("dev-8"))),
    )
    assert counted == [1], "the heartbeat after the end has counted it"
    assert world.job("dev-7")["phase"] == "Failed"
    assert world.job("dev-7")["message"].startswith("Nothing to run.")
    assert world.job("dev-8")["phase"] == "Failed"
    assert (world.status["failedJobs"], world.status["state"], world.listed()) == (2, "Idle", [])


def test_no_job_is_taken_before_the_daemon_is_registered(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    world.api.refusals = [UnreachableError("away")] * 3
    world.run(seconds=100)
    first_list = world.api.times("list")[0]
    assert first_list >= world.api.times("patch")[3] > EPOCH


def test_a_running_job_is_listed_by_the_heartbeat(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    world.run(seconds=30)
    assert (world.listed(), world.status["state"]) == (["dev-7"], "Busy")


def test_no_more_jobs_than_its_capacity_run_at_a_time(tmp_path: Path) -> None:
    world = Working(tmp_path, *(a_job_body(f"dev-{n}") for n in range(5)), capacity=2)
    counts: list[int] = []
    world.run((5, lambda: counts.append(len(world.preparing.started))), (6, world.release))
    assert counts == [2]
    assert len(world.preparing.started) == 5


def test_a_shutdown_drains_and_ends_with_a_last_heartbeat(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    states: list[str] = []
    steps = (
        (2.5, world.shut_down),  # soon after the heartbeat that lists the job
        (2.6, lambda: states.append(world.status["state"])),
        (7, lambda: world.submit(a_job_body("dev-8"))),
        (60, world.release),
    )
    assert world.run(*steps)
    assert states == ["Draining"]
    assert (world.status["state"], world.status["failedJobs"], world.listed()) == ("Offline", 1, [])
    assert world.job("dev-7")["phase"] == "Failed"
    assert world.job("dev-8")["phase"] == "Pending"
    assert 60 <= world.seconds < 70


def test_an_idle_daemon_ends_at_once_when_it_is_shut_down(tmp_path: Path) -> None:
    world = Working(tmp_path)
    assert world.run((5, world.shut_down))
    assert (world.seconds, world.status["state"]) == (5, "Offline")


def test_a_second_shutdown_stops_the_runs(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    assert world.run((5, world.shut_down), (6, world.shut_down), (7, world.release))
    assert (world.job("dev-7")["phase"], world.job("dev-7")["reason"]) == ("Failed", "DaemonShutdown")


def test_runs_that_do_not_end_in_the_time_to_drain_are_stopped(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body(), drain_seconds=300)
    stopping: list[Stopping] = []

    def look() -> None:
        stopping.extend(held.held_run.stopping for held in world.agent._held.values())  # noqa: SLF001

    assert world.run((5, world.shut_down), (304, look), (306, look), (307, world.release))
    assert stopping == [Stopping.NOT, Stopping.INTERRUPTED]
    assert (world.job("dev-7")["phase"], world.job("dev-7")["reason"]) == ("Failed", "DaemonShutdown")
    assert "terminationGracePeriodSeconds" in world.job("dev-7")["message"]
    assert (world.status["state"], world.listed()) == ("Offline", [])


def test_a_run_that_ends_in_the_time_to_drain_keeps_its_outcome(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body(), drain_seconds=300)
    assert world.run((5, world.shut_down), (299, world.release))
    assert world.job("dev-7")["reason"] == "VariableUnavailable"
    assert world.seconds < 305, "nothing waits for the rest of that time"


def test_a_second_shutdown_does_not_wait_for_the_time_to_drain(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body(), drain_seconds=300)
    assert world.run((5, world.shut_down), (6, world.shut_down), (7, world.release))
    assert "did not wait" in world.job("dev-7")["message"]


@pytest.mark.parametrize("in_pod", [False, True])
def test_a_daemon_with_the_only_copy_of_a_state_ends_only_where_that_outlives_it(
    tmp_path: Path, *, in_pod: bool
) -> None:
    world = Working(tmp_path)
    # Neither as a state nor in Secrets: another run's is kept there.
    world.leftovers = (an_unsaved_state(tmp_path, in_cluster=False),)
    run = base64.b64encode(record_as_json(a_record(job="dev-6", job_uid="another"))).decode()
    world.api.objects[paths.secret("acme", chunk_name("dev", 0))] = {"metadata": {"name": "s"}, "data": {"run": run}}
    if in_pod:
        owner = {"apiVersion": "v1", "kind": "Pod", "name": "d1", "uid": "pod"}
        world.api.objects[DAEMON]["metadata"]["ownerReferences"] = [owner]
    states: list[str] = []
    steps = ((5, world.shut_down), (50, lambda: states.append(world.status["state"])), (60, world.shut_down))
    assert world.run(*steps, seconds=100) is not in_pod
    assert states == ["Draining"]
    (listed,) = world.status["unsavedStates"]
    assert "its template has a backend of its own; nor can it be kept in Secrets" in listed["message"]


def canceled(world: Working) -> None:
    body = world.api.objects[paths.job("acme", "dev-7")]
    world.submit(body | {"spec": body["spec"] | {"cancel": True}})


def test_a_cancel_is_seen_and_ends_the_job(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    phases: list[str] = []

    def look() -> None:
        phases.append(world.job("dev-7")["phase"])

    world.run((5, lambda: canceled(world)), (5.9, look), (6.1, look), (7, world.release))
    assert phases == ["Running", "Canceling"]
    assert world.job("dev-7")["phase"] == "Canceled"


def test_a_job_that_is_taken_away_is_abandoned_and_not_written(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())

    def lose() -> None:
        body = world.api.objects[paths.job("acme", "dev-7")]
        world.submit(body | {"status": body["status"] | {"phase": "Failed", "reason": "DaemonLost"}})

    world.run((5, lose), (7, world.release))
    assert world.job("dev-7")["reason"] == "DaemonLost"
    assert world.status["failedJobs"] == 0


def test_a_job_that_runs_here_without_a_run_is_ended_with_its_reason(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body(phase="Running", instance="i1"))
    world.run()
    assert (world.job("dev-7")["phase"], world.job("dev-7")["reason"]) == ("Failed", "DaemonLost")
    assert "has no run of it" in world.job("dev-7")["message"]
    assert not world.preparing.started


def test_a_job_that_cannot_be_taken_is_tried_again_only_once_it_has_changed(tmp_path: Path) -> None:
    world = Working(tmp_path)

    def refuse() -> None:
        world.api.refusals = [ForbiddenError(403, "no")]
        world.submit(a_job_body())

    def change() -> None:
        body = world.api.objects[paths.job("acme", "dev-7")]
        world.submit(body)

    tries: list[int] = []
    world.run(
        (5, refuse), (400, lambda: tries.append(len(world.preparing.started))), (401, change), (402, world.release)
    )
    assert tries == [0]
    assert [path for _, verb, path in world.api.requests if verb == "patch" and "provisionerjobs" in path].count(
        paths.job_status("acme", "dev-7")
    ) == 3
    assert world.job("dev-7")["phase"] == "Failed"


def test_a_daemon_that_was_taken_over_stops_its_runs_and_writes_nothing_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = Working(tmp_path, a_job_body())

    def take_over() -> None:
        world.api.store(DAEMON, a_daemon_body(status={"instance": "i2"}))

    with pytest.raises(TakenOverError):
        world.run((5, take_over))
    assert "Killing 1 runs" in caplog.text
    assert world.job("dev-7")["phase"] == "Running"
    assert world.status == {"instance": "i2"}
    # The run cannot be stopped here, so the logs' time is waited for and no longer.
    assert world.seconds == 12 + LOG_FLUSH_SECONDS


def test_a_daemon_whose_object_was_deleted_interrupts_its_runs_and_waits_for_them_until_the_fence(
    tmp_path: Path,
) -> None:
    world = Working(tmp_path, a_job_body())
    stopping: list[Stopping] = []

    def look() -> None:
        stopping.extend(held.held_run.stopping for held in world.agent._held.values())  # noqa: SLF001

    with pytest.raises(DaemonDeletedError):
        world.run((5, lambda: world.api.remove(DAEMON)), (4, look), (250, look))
    assert stopping == [Stopping.NOT, Stopping.INTERRUPTED]
    assert world.job("dev-7")["phase"] == "Running", "what becomes of it is the controller's to say"
    # The run cannot be stopped here. The fence is measured by the real clock, in which next to no time has passed.
    assert world.seconds == pytest.approx(12 + 285 + LOG_FLUSH_SECONDS, abs=20)


def test_a_deleted_daemon_ends_when_its_interrupted_runs_have(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    with pytest.raises(DaemonDeletedError):
        world.run((5, lambda: world.api.remove(DAEMON)), (100, world.release))
    assert 100 <= world.seconds < 101


def test_an_unexpected_error_in_a_heartbeat_ends_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = Working(tmp_path, a_job_body())

    def fail() -> None:
        world.api.refusals = [ValueError("a bug")] * 2

    # After the log was saved for the first time: heartbeats alone are due.
    assert not world.run((11, fail), (60, world.release), seconds=70)
    assert world.job("dev-7")["reason"] == "VariableUnavailable", "it ran to its end"
    assert world.status["failedJobs"] == 1
    assert [each.message.split(";")[0] for each in caplog.records if each.exc_info] == ["Failed unexpectedly"] * 2


@pytest.mark.parametrize("part", ["_duties", "_forget_versions"])
def test_an_unexpected_error_in_another_part_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    world = Working(tmp_path, a_job_body())
    intact = getattr(Agent, part)
    failures = [ValueError("a bug")]

    def fail(agent: Agent) -> Any:
        if world.api.times("watch") and failures:
            raise failures.pop()
        return intact(agent)

    monkeypatch.setattr(Agent, part, fail)
    path = paths.job("acme", "dev-7")
    restore = (10, lambda: world.api.restore({path: world.api.objects[path]}, version=50))
    assert not world.run(restore, (60, world.release), seconds=70)
    assert world.job("dev-7")["reason"] == "VariableUnavailable"
    assert failures == []
    assert "Failed unexpectedly" in caplog.text


def test_after_a_restore_runs_go_on_and_their_jobs_are_taken_as_they_are_then(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    path = paths.job("acme", "dev-7")
    phases: list[str] = []

    def restore() -> None:
        body = copy.deepcopy(world.api.objects[path])
        body["spec"]["cancel"] = True
        world.api.restore({path: body}, version=50)

    world.run((5, lambda: phases.append(world.job("dev-7")["phase"])), (10, restore), (20, world.release), seconds=30)
    assert phases == ["Running"]
    assert world.job("dev-7")["phase"] == "Canceled", "its cancel was noticed, though its version is older"


def test_after_a_restore_the_end_of_a_run_is_about_the_spec_as_it_is_then(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    path = paths.job("acme", "dev-7")

    def restore() -> None:
        body = copy.deepcopy(world.api.objects[path])
        body["metadata"]["generation"] = 5
        world.api.restore({path: body}, version=50)

    world.run((10, restore), (20, world.release), seconds=30)
    assert (world.job("dev-7")["phase"], world.job("dev-7")["observedGeneration"]) == ("Failed", 5)


def test_after_a_restore_a_job_that_could_not_be_taken_is_tried_again(tmp_path: Path) -> None:
    world = Working(tmp_path, a_job_body())
    world.api.refusals = [None, ForbiddenError(403, "not yet")]
    path = paths.job("acme", "dev-7")
    counts: list[int] = []

    def assign_anew() -> None:
        body = copy.deepcopy(world.api.objects[path])
        body["status"]["assignment"]["id"] = "a2"
        world.submit(body)

    world.run(
        (5, lambda: counts.append(len(world.preparing.started))),
        (10, lambda: world.api.restore({path: world.api.objects[path]}, version=50)),
        (20, assign_anew),  # what the backup brought back is not acknowledged
        (30, lambda: counts.append(len(world.preparing.started))),
        seconds=40,
    )
    assert counts == [0, 1]


def test_an_unforeseen_error_about_one_job_is_logged_and_the_daemon_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = Working(tmp_path, a_job_body())
    world.api.refusals = [None, ValueError("a bug")]
    assert not world.run((20, lambda: world.submit(a_job_body("dev-8"))), (30, world.release), seconds=60)
    (record,) = (each for each in caplog.records if each.message == "A task of the daemon failed")
    assert record.exc_info is not None
    assert "a bug" in str(record.exc_info[1])
    assert world.job("dev-8")["phase"] == "Failed", "it was run"
