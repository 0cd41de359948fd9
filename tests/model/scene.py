"""Inhabitants of a small world, without any chance: the plan of its simulation, and the specs of its objects."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from typing_extensions import override

from simulation.runs import Habits
from simulation.world import Plan
from support.json_patches import Body

LOST_AFTER = 300
BEAT_SECONDS = 30.0
"""Three ticks, and less than the 40 s after which a daemon counts as offline."""

_CALM = Plan(
    calm=True,
    lost_after=LOST_AFTER,
    seconds=0.0,
    daemons=0,
    jobs=0,
    varied=False,
    pods=0.0,
    failure_rate=0.0,
    habits=Habits(beat_every=BEAT_SECONDS, run_seconds=30.0, deaf=0.0),
    standby=False,
)
"""Plan without any chance; a small world has its own faults and users."""


class Middle(Random):
    """No chance: always about the middle, and the first of all choices."""

    @override
    def random(self) -> float:
        return 0.45

    @override
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2

    @override
    def expovariate(self, lambd: float = 1.0) -> float:
        return 1 / lambd

    @override
    def randint(self, a: int, b: int) -> int:
        return a

    @override
    def choice(self, seq: Any) -> Any:
        return seq[0]


@dataclass(frozen=True, slots=True)
class Scene:
    """The inhabitants of a small world, and what its users may do at any moment."""

    daemons: int = 1
    capacity: int = 1
    jobs: tuple[str | None, ...] = ()
    """Workspace of each job."""
    wishes: tuple[str, ...] = ()
    standby: bool = False
    pods: int = 0
    """Daemons that are Pods, created together with the jobs."""
    pool: int | None = None
    """Replicas of a pool, if there is one."""
    run_seconds: float = 30.0
    slow_faults: bool = True
    """Whether networks are cut and watches stall for some time, and processes die."""
    workspace: bool = False
    """Whether there is a template, and a workspace that is made from it."""

    def plan(self) -> Plan:
        """Return the plan of the simulation."""
        habits = replace(_CALM.habits, run_seconds=self.run_seconds)
        return replace(_CALM, standby=self.standby, habits=habits)

    @property
    def goes_on(self) -> bool:
        """Whether controllers have more to do after the last job's end."""
        return self.workspace or self.pool is not None

    def daemon_spec(self) -> Body:
        return {**self._offer(), "cordoned": False}

    def pool_spec(self) -> Body:
        return {**self._offer(), "replicas": self.pool, "maxSurge": 1, "template": {}}

    def _offer(self) -> Body:
        return {
            "tags": {},
            "provisioners": ["echo"],
            "capacity": self.capacity,
            "lostAfterSeconds": LOST_AFTER,
            "cancelGraceSeconds": 20,
        }


def job_spec(workspace: str | None) -> Body:
    """Return the spec of a job, of a workspace or of none."""
    spec: Body = {
        "type": "WorkspaceBuild" if workspace else "TemplateDryRun",
        "provisioner": "echo",
        "tags": {},
        "priority": 0,
        "suspend": False,
        "cancel": False,
        "cancelMode": "Graceful",
        "pendingTimeoutSeconds": 1800,
        "activeDeadlineSeconds": 3600,
    }
    return spec | {"workspaceRef": {"name": workspace}, "transition": "Start"} if workspace else spec
