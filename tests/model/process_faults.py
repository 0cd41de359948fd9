"""Faults of the processes of a small world, each of which repairs itself after some time."""

from collections.abc import Callable
from functools import partial
from typing import Any

from simulation.controller import SimulatedController
from simulation.daemons import SimulatedDaemon
from simulation.server import DAEMON, JOB
from simulation.world import World

BACK_SECONDS = 30.0
"""Time after which a dead process is started again."""
CUT_SECONDS = {"briefly": 50.0, "for long": 330.0}
"""Cuts of a daemon's network: longer than it takes to count as offline, and longer than to count as lost."""
STALL_SECONDS = 100.0

Steps = dict[str, Callable[[], None]]
"""The events that may happen, by name."""


class ProcessFaults:
    """All that may happen to controllers and daemons, and to the nodes of Pods."""

    def __init__(self, world: World, name_of: Callable[[SimulatedController], str]) -> None:
        self._world = world
        self._name_of = name_of

    def after_step_of(self, actor: Any) -> Steps:
        """Return the faults of the process that acted last; those of others could as well have come before its step."""
        steps: Steps = {}
        for name, process in sorted(self._world.daemons.items()):
            if actor in {None, process}:
                steps |= self._faults_of_daemon(name, process)
        for controller in self._world.controllers():
            if actor in {None, controller}:
                steps |= self._faults_of_controller(controller)
        return steps

    def _faults_of_daemon(self, name: str, process: SimulatedDaemon) -> Steps:
        if not process.alive:
            return {}
        steps: Steps = {f"{name} dies": lambda: self._kill_daemon(name, process)}
        if process.connected and self._world.pods.is_pods(name):
            steps[f"the node of {name} is lost"] = self._world.pods.lose_a_node
        if process.connected:
            for how, seconds in CUT_SECONDS.items():
                steps[f"{name} is cut off {how}"] = partial(self._cut, process, seconds)
        return steps

    def _kill_daemon(self, name: str, process: SimulatedDaemon) -> None:
        process.die()
        if not self._world.pods.is_pods(name):  # another Pod takes the place of a dead one
            self._world.schedule.after(BACK_SECONDS, self._world.start_daemon, name)

    def _cut(self, process: SimulatedDaemon, seconds: float) -> None:
        process.connected = False
        self._world.schedule.after(seconds, self._reconnect, process)

    def _reconnect(self, process: SimulatedDaemon) -> None:
        process.connected = process.alive and not process.outlawed

    def _faults_of_controller(self, controller: SimulatedController) -> Steps:
        name = self._name_of(controller)
        steps: Steps = {}
        if controller.feed.is_well:
            steps[f"{name}'s watch stalls"] = lambda: self._stall(controller)
        if controller is self._world.controller:
            steps[f"{name} dies"] = self._world.start_controller
            if self._world.standbys:
                steps[f"{name} dies, the standby leads"] = lambda: self._world.lose_leader(dies=True)
                steps[f"{name} steps down"] = lambda: self._world.lose_leader(dies=False)
        return steps

    def _stall(self, controller: SimulatedController) -> None:
        controller.feed.stall(JOB, DAEMON)
        self._world.schedule.after(STALL_SECONDS, controller.feed.stall)
