"""A daemon at rest takes a job, loses the network at once, and the controller that knew of it restarts: the worst that can happen to it."""

import pytest

from model.scene import Middle, Scene, job_spec
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from simulation.daemons import SimulatedDaemon
from simulation.invariants import ViolationError
from simulation.runs import Run
from simulation.server import DAEMON, JOB
from simulation.world import World

SCENE = Scene(daemons=2, run_seconds=200.0)
AT_REST_SECONDS = 400.0
STEP_SECONDS = 0.01


def a_world_at_rest() -> World:
    world = World(0, random=Middle(), plan=SCENE.plan())
    for number in range(1, SCENE.daemons + 1):
        name = f"daemon-{number}"
        world.server.create(DAEMON, f"uid-{number}", name, SCENE.daemon_spec(), finalizers=[RUNS_FINALIZER])
        world.start_daemon(name)
    world.schedule.run_until(AT_REST_SECONDS)
    assert all(daemon.may_seem_at_rest for daemon in world.daemons.values())
    return world


def submit(world: World, name: str, workspace: str | None = None) -> None:
    world.server.create(JOB, f"uid-of-{name}", name, job_spec(workspace))


def the_daemon_that_runs(world: World) -> SimulatedDaemon:
    while True:
        for daemon in world.daemons.values():
            if daemon.processes:
                return daemon
        world.schedule.run_until(world.schedule.now + STEP_SECONDS)


def forget_a_run_that_nothing_but_its_daemon_knows(world: World) -> SimulatedDaemon:
    submit(world, "job-1", "dev")
    daemon = the_daemon_that_runs(world)
    daemon.connected = False
    world.server.delete("uid-of-job-1")
    world.start_controller()
    submit(world, "job-2", "dev")
    world.schedule.run_until(world.schedule.now + 600)
    return daemon


def test_the_run_of_a_daemon_that_was_at_rest_is_known_to_the_next_controller() -> None:
    world = a_world_at_rest()
    cut_off = forget_a_run_that_nothing_but_its_daemon_knows(world)
    assert not cut_off.processes
    assert world.server.objects["uid-of-job-2"]["status"]["phase"] == "Completed"


@pytest.mark.parametrize("step", range(12))
def test_a_run_whose_assignment_is_under_way_at_the_start_is_known(step: int) -> None:
    world = a_world_at_rest()
    submit(world, "job-1", "dev")
    world.schedule.run_until(world.schedule.now + step * 0.1)
    world.start_controller()
    submit(world, "job-2", "dev")
    daemon = the_daemon_that_runs(world)
    daemon.connected = False
    world.server.delete("uid-of-job-1")
    world.schedule.run_until(world.schedule.now + 600)
    assert not daemon.processes
    assert world.server.objects["uid-of-job-2"]["status"]["phase"] == "Completed"


def test_an_acknowledgment_before_the_report_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def acknowledge_at_once(self: SimulatedDaemon, run: Run) -> None:
        self._runner.acknowledge_shown(run)

    monkeypatch.setattr(SimulatedDaemon, "show", acknowledge_at_once)
    with pytest.raises(ViolationError, match="two processes change workspace dev"):
        forget_a_run_that_nothing_but_its_daemon_knows(a_world_at_rest())


def test_builds_wait_for_daemons_at_rest_no_longer_than_for_a_read() -> None:
    world = a_world_at_rest()
    world.start_controller()
    submit(world, "job-1", "dev")
    began = world.schedule.now
    the_daemon_that_runs(world)
    assert world.schedule.now - began < 3  # two usual intervals of a real daemon are 20 s


def test_a_job_of_a_daemon_that_died_at_rest_runs_on_another_one_after_the_time_for_an_acknowledgment() -> None:
    world = a_world_at_rest()
    world.daemons["daemon-1"].die()
    began = world.schedule.now
    for name in ("job-1", "job-2"):  # the dead daemon gets one of them
        submit(world, name)
    the_daemon_that_runs(world)
    world.schedule.run_until(began + 600)
    assert [body["status"]["phase"] for body in world.server.of_kind(JOB)] == ["Completed"] * 2
    assert world.server.objects["uid-1"]["status"]["state"] == "Offline"
