"""Users: they create, cancel, suspend and delete jobs, and cordon and retag daemons; at the end they resume and uncordon all."""

from typing import TYPE_CHECKING, Any

from simulation.people.policies import PEOPLE, TEMPLATES
from simulation.server import DAEMON, JOB, DeniedError, GoneError
from support.json_patches import Body, RefusedError

if TYPE_CHECKING:
    from simulation.world import World

_JOBS_PER_PLAN = 7
"""Jobs of which one is a plan, unless it has no workspace."""
_TAG_SETS: tuple[dict[str, str], ...] = ({}, {}, {"zone": "a"}, {"zone": "a", "disk": "fast"}, {"zone": "b"})


def tag_sets(varied: bool) -> tuple[dict[str, str], ...]:  # noqa: FBT001 - a value of the plan
    """Return the tags that daemons and jobs may have."""
    return _TAG_SETS if varied else ({},)


class Users:
    """Random schedule of all changes by users, made at the beginning."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = world.random
        self._tag_sets = tag_sets(world.plan.varied)
        self._daemons = 0
        for _ in range(world.plan.daemons):
            if self._random.random() < world.plan.pods:
                world.pods.create()
            else:
                self.create_daemon()
        for number in range(world.plan.jobs):
            self._sometime(self._create_job, number)
        if world.plan.calm:
            return
        for _ in range(world.plan.jobs // 2):
            self._sometime(self._change_a_job)
        for _ in range(self._random.randint(0, 4)):
            self._sometime(self._change_a_daemon)

    def leave(self) -> None:
        """Resume all jobs and uncordon all daemons."""
        for body in self._world.server.unfinished_jobs():
            if body["spec"]["suspend"]:
                self._edit(body, suspend=False)
        for body in self._world.server.of_kind(DAEMON):
            self._edit(body, cordoned=False)

    def create_daemon(self, name: str | None = None, tags: dict[str, str] | None = None) -> None:
        """Create a daemon's object and start its process; a reused name belongs to another daemon. Raises DeniedError."""
        self._daemons += 1
        name = name or f"daemon-{self._daemons}"
        spec = {
            "tags": self._random.choice(self._tag_sets) if tags is None else tags,
            "provisioners": ["echo"],
            "capacity": self._random.randint(1, 3),
            "cordoned": False,
            "lostAfterSeconds": self._world.plan.lost_after,
            "cancelGraceSeconds": self._random.choice([0, 20, 60]),
        }
        self._world.server.create(DAEMON, f"daemon-uid-{self._daemons}", name, spec)
        self._world.start_daemon(name)

    def _sometime(self, what: Any, *arguments: object) -> None:
        self._world.schedule.after(self._random.uniform(0, self._world.plan.seconds * 0.9), what, *arguments)

    def _create_job(self, number: int) -> None:
        choice = self._random.choice
        is_build = self._random.random() < 0.8
        spec = {
            "type": "WorkspaceBuild" if is_build else "TemplateImport",
            "provisioner": "echo",
            "tags": choice(self._tag_sets),
            "priority": choice([0, 0, 0, 5, -5]),
            "suspend": not self._world.plan.calm and self._random.random() < 0.1,
            "cancel": not self._world.plan.calm and self._random.random() < 0.02,
            "cancelMode": "Graceful",
            "initiator": PEOPLE[number % len(PEOPLE)],
            "templateRef": {"name": TEMPLATES[number % len(TEMPLATES)]} if TEMPLATES[number % len(TEMPLATES)] else None,
            "pendingTimeoutSeconds": choice([60, 120, 300]),
            "activeDeadlineSeconds": choice([60, 120, 300]),
        }
        if is_build:
            spec |= {"workspaceRef": {"name": choice(["dev", "ml", "web"])}, "transition": "Start"}
            if number % _JOBS_PER_PLAN == 0:
                spec["type"] = "WorkspacePlan"
        if self._random.random() < 0.2:
            spec["ttlSecondsAfterFinished"] = 60
        try:
            self._world.server.create(JOB, f"job-uid-{number}", self._name_of(number), spec)
        except DeniedError:
            self._world.invariants.note("a user cannot create a job")

    def _name_of(self, number: int) -> str:
        """Return a name for a job, sometimes that of a workspace's next build."""
        name = f"dev-{number % 4 + 1}"
        is_taken = any(body["metadata"]["name"] == name for body in self._world.server.of_kind(JOB))
        return f"job-{number}" if is_taken or self._random.random() < 0.8 else name

    def _change_a_job(self) -> None:
        unfinished = self._world.server.unfinished_jobs()
        if not unfinished:
            return
        body = self._random.choice(unfinished)
        match self._random.choice(
            ["cancel", "cancel", "force", "suspend", "suspend", "delete", "delete in the foreground", "priority"]
        ):
            case "cancel":
                self._edit(body, cancel=True)
                if self._random.random() < 0.3:
                    self._world.schedule.after(self._random.uniform(0, 60), self._edit, body, "Force")
            case "force":
                self._edit(body, cancel=True, cancelMode="Force")
            case "suspend":
                self._edit(body, suspend=True)
                self._world.schedule.after(self._random.expovariate(0.01), self._resume, body)
            case "priority":
                self._edit(body, priority=self._random.randint(-9, 9))
            case "delete in the foreground":
                self._world.server.delete(body["metadata"]["uid"], finalizers=["foregroundDeletion"])
                self._world.schedule.after(self._random.expovariate(0.01), self._finalize, body["metadata"]["uid"])
            case _:
                self._world.server.delete(body["metadata"]["uid"])

    def finalize_all(self) -> None:
        """Let the garbage collector finish the deletions in the foreground that a restore of etcd brought back."""
        for body in self._world.server.of_kind(JOB):
            if body["metadata"].get("finalizers"):
                self._world.schedule.after(self._random.expovariate(0.01), self._finalize, body["metadata"]["uid"])

    def _finalize(self, uid: str) -> None:
        """Let the garbage collector finish a deletion in the foreground."""
        if "finalizers" in self._world.server.objects.get(uid, {}).get("metadata", {}):
            self._world.server.finalize(uid)

    def _change_a_daemon(self) -> None:
        present = self._world.server.of_kind(DAEMON)
        if not present:
            return
        body = self._random.choice(present)
        is_pods = self._world.pods.is_pods(body["metadata"]["name"])
        match self._random.choice(["cordon", "capacity"] if is_pods else ["cordon", "tags", "capacity", "replace"]):
            case "cordon":
                self._edit(body, cordoned=True)
                self._world.schedule.after(self._random.expovariate(0.01), self._uncordon, body)
            case "tags":
                self._edit(body, tags=self._random.choice(self._tag_sets))
            case "capacity":
                self._edit(body, capacity=self._random.randint(1, 3))
            case _:
                self._world.server.delete(body["metadata"]["uid"])
                self._world.faults.replace_later(body["metadata"]["name"])

    def _resume(self, body: Body) -> None:
        self._edit(body, suspend=False)

    def _uncordon(self, body: Body) -> None:
        self._edit(body, cordoned=False)

    def _edit(self, body: Body, mode: str | None = None, **changes: Any) -> None:
        if mode is not None:
            changes["cancelMode"] = mode
        try:
            self._world.server.edit(body["metadata"]["uid"], **changes)
        except GoneError:
            self._world.invariants.note("a user changes an object that is gone")
        except RefusedError:
            self._world.invariants.note("a user changes a job that has ended")
