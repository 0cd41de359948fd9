"""Users of templates and workspaces in the simulation, and checks that each of their changes is built exactly once."""

from typing import TYPE_CHECKING, Any

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType, Phase, Transition
from provisioner_operator.api.v1alpha1.limits import SHORTEST_DRIFT_CHECK_SECONDS
from provisioner_operator.core.workspaces.build_history import SUPERSEDED
from provisioner_operator.core.workspaces.records import BuildRecord, Workspace
from provisioner_operator.kube.parsing import parse_job_model
from provisioner_operator.kube.workspace_job_parsing import build_of
from provisioner_operator.kube.workspace_parsing import parse_workspace
from simulation.server import JOB, TEMPLATE, WORKSPACE, DeniedError, GoneError
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.world import World

LONGEST_AUTOSTOP = 120.0
TEMPLATE_UID = "template-uid"
_SIZE: Body = {"name": "size", "type": "number", "default": "1", "mutable": True}
_PARAMETERS: tuple[list[Body], ...] = (
    [_SIZE],
    [_SIZE],
    [],
    [{**_SIZE, "name": "scale"}],
    [_SIZE, {"name": "zone"}],
    [{**_SIZE, "mutable": False}],
    [{**_SIZE, "validation": {"max": 1}}],
)
"""Parameters that the template may come to have; the first is what it begins with."""
_NAMES = ("dev", "box", "lab")
"""The first is also a workspace of jobs that users submit themselves."""


class WorkspaceUsers:
    """One template, several workspaces, and the changes that users make to them."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = world.random
        self._count = 0
        self._template_uid = TEMPLATE_UID
        self._jobs: dict[str, list[Body]] = {}
        """All jobs of each workspace by its uid, in their last version, in order of creation."""
        self._checks: dict[str, tuple[str, float]] = {}
        """Name and time of the last check for drift of each workspace, by its uid."""
        self._deleted: set[str] = set()
        """Jobs that were deleted before they ended."""
        server = world.server
        server.listeners[JOB].append(self._job_changed)
        server.listeners[WORKSPACE].append(self._workspace_changed)
        self._has_template = self._random.random() >= 0.5
        if not self._has_template:
            return
        self.create_template()
        workspaces = self._random.randint(1, len(_NAMES))
        for name in _NAMES[:workspaces]:
            self._sometime(self.create_workspace, name)
            for _ in range(self._random.randint(0, 5)):
                self._sometime(self._change, name)
        for number in range(1, self._random.randint(1, 3)):
            self._sometime(self._change_template, number)

    def leave(self) -> None:
        """End all checks for drift, which would go on for ever."""
        for body in self._world.server.of_kind(WORKSPACE):
            self._edit(body["metadata"]["uid"], driftCheckSeconds=None)

    def check_end_state(self) -> None:
        """Check, once nothing happens any more, that each workspace is in its desired state or reports its failure."""
        for body in self._world.server.of_kind(WORKSPACE):
            self._must_be_settled(body)
        for controller in self._world.controllers():
            for uid in controller.workspaces.uids():
                if uid not in self._world.server.objects:
                    self._world.invariants.violated(f"{uid} is gone, but a controller still has it")

    def back_up(self) -> tuple[dict[str, list[Body]], set[str]]:
        """Return a copy of what is known of the jobs in the database."""
        return {owner: list(jobs) for owner, jobs in self._jobs.items()}, set(self._deleted)

    def restore(self, backup: tuple[dict[str, list[Body]], set[str]]) -> None:
        """Know what was known at the backup."""
        self._jobs = {owner: list(jobs) for owner, jobs in backup[0].items()}
        self._deleted = set(backup[1])

    def are_waiting_for_a_retry(self) -> bool:
        """Return whether the last stop or destroy of a workspace waited for a daemon in vain."""
        builds = (parse_workspace(body).status.latest_build for body in self._world.server.of_kind(WORKSPACE))
        return any(build is not None and _ends_and_waited_in_vain(build) for build in builds)

    # --- changes by users ---

    def create_template(self) -> None:
        self._world.server.create(TEMPLATE, self._template_uid, "template", self._template(0))

    def create_template_again(self) -> None:
        """Apply the manifest of a template that was deleted with its definition, and delete the former one's jobs as it asks."""
        if self._template_uid not in self._world.server.objects and self._has_template:
            for job in self._world.server.of_kind(JOB):
                if (job["spec"].get("templateRef") or {}).get("uid") == self._template_uid:
                    self._world.server.delete(job["metadata"]["uid"])
            self._template_uid += "-again"
            self.create_template()

    def _template(self, number: int) -> Body:
        return {
            "provisioner": "echo",
            "source": {"inline": {"files": {"main.tf": f"# {number}"}}},
            "parameters": _PARAMETERS[0],
            "retention": {"jobSeconds": self._random.choice([0, 60, 604_800]), "versionSeconds": 60},
            "pendingTimeoutSeconds": 120,
            "activeDeadlineSeconds": 120,
        }

    def follow_advice(self) -> None:
        """Rebuild deleted workspaces whose statuses report a failure, of whatever kind, and delete those of a deleted template."""
        templates = self._world.server.of_kind(TEMPLATE)
        is_template_leaving = any("deletionTimestamp" in body["metadata"] for body in templates)
        for body in self._world.server.of_kind(WORKSPACE):
            if "deletionTimestamp" in body["metadata"]:
                if _is_stalled(body):
                    again = body["spec"]["rebuildGeneration"] + 1
                    self._edit(body["metadata"]["uid"], rebuildGeneration=again)
            elif is_template_leaving:
                self._world.server.delete(body["metadata"]["uid"])

    def create_workspace(self, name: str, *, checks_drift: bool = True) -> None:
        if self._find(name) is not None:
            return
        self._count += 1
        spec = {
            "templateRef": {"name": "template"},
            "running": self._random.random() < 0.9,
            "rebuildGeneration": 0,
            "updatePolicy": self._random.choice(["Manual", "OnStart", "Always"]),
            "deletionPolicy": self._random.choice(["Delete", "Delete", "Orphan"]),
        }
        if self._random.random() < 0.2:
            spec["autostopSeconds"] = self._random.choice([30, int(LONGEST_AUTOSTOP)])
        if checks_drift and self._count % 3:
            spec["driftCheckSeconds"] = SHORTEST_DRIFT_CHECK_SECONDS
        try:
            self._world.server.create(WORKSPACE, f"workspace-uid-{self._count}", name, spec)
        except DeniedError:
            self._world.invariants.note("a user cannot create a workspace")

    def _change(self, name: str) -> None:
        body = self._find(name)
        if body is None:
            self.create_workspace(name)
            return
        spec = body["spec"]
        match self._random.choice(["size", "size", "running", "running", "rebuild", "wrong", "delete"]):
            case "size":
                self._edit(
                    body["metadata"]["uid"], parameters=[{"name": "size", "value": str(self._random.randint(1, 3))}]
                )
            case "wrong":
                self._edit(body["metadata"]["uid"], parameters=[{"name": "size", "value": "large"}])
            case "running":
                self._edit(body["metadata"]["uid"], running=not spec["running"])
            case "rebuild":
                self._edit(body["metadata"]["uid"], rebuildGeneration=spec["rebuildGeneration"] + 1)
            case _:
                self._world.server.delete(body["metadata"]["uid"])

    def _change_template(self, number: int) -> None:
        source = {"inline": {"files": {"main.tf": f"# {number}"}}}
        self._edit(self._template_uid, source=source, parameters=self._random.choice(_PARAMETERS))

    def _find(self, name: str) -> Body | None:
        found = (body for body in self._world.server.of_kind(WORKSPACE) if body["metadata"]["name"] == name)
        return next(found, None)

    def _edit(self, uid: str, **changes: Any) -> None:
        try:
            self._world.server.edit(uid, **changes)
        except GoneError:
            self._world.invariants.note("a user changes an object that is gone")

    def _sometime(self, what: Any, *arguments: object) -> None:
        self._world.schedule.after(self._random.uniform(0, self._world.plan.seconds * 0.9), what, *arguments)

    # --- checks ---

    def _job_changed(self, old: Body | None, new: Body | None) -> None:
        body = new or old or {}
        place = body["spec"].get("workspaceRef") or {}
        owner, uid = place.get("uid"), body["metadata"]["uid"]
        if owner is None:
            return
        if body["spec"]["type"] == JobType.WORKSPACE_PLAN:
            if old is None:
                self._must_be_due(owner, body)
            return
        known = self._jobs.setdefault(owner, [])
        if old is None:
            self._must_be_new(known, body)
            known.append(body)
            return
        if new is None:
            if old["status"]["phase"] not in {"Completed", "Failed", "Canceled"}:
                self._deleted.add(uid)
            return
        known[[each["metadata"]["uid"] for each in known].index(uid)] = new

    def _must_be_due(self, owner: str, check: Body) -> None:
        """Check that the workspace was not checked for drift within its interval; the same check may be made again."""
        name, now = check["metadata"]["name"], self._world.schedule.now
        former, made = self._checks.get(owner, ("", -SHORTEST_DRIFT_CHECK_SECONDS))
        if former != name and now - made < SHORTEST_DRIFT_CHECK_SECONDS:
            self._world.invariants.violated(f"{name} follows {now - made:.0f} s upon {former}")
        self._checks[owner] = (name, now)

    def _must_be_new(self, known: list[Body], body: Body) -> None:
        """Check that the previous build has ended, and that the new one differs from it."""
        if not known:
            return
        name, last = body["metadata"]["name"], known[-1]
        build, before = build_of(parse_job_model(body)), build_of(parse_job_model(last))
        assert build is not None
        assert before is not None
        vanished = last["metadata"]["uid"] in self._deleted
        if not before.record.ended and not vanished:
            self._world.invariants.violated(f"{name} is created while {before.record.job} is {before.record.phase}")
        if build.record.number <= self._highest_remembered(known, build.workspace_uid):
            self._world.invariants.violated(f"{name} reuses a number")
        never_began = before.record.reason == SUPERSEDED or _ends_and_waited_in_vain(before.record)
        again = build.record.change == before.record.change and not never_began
        if again and not vanished:
            self._world.invariants.violated(f"{name} builds again what {before.record.job} built")
        if before.record.transition is Transition.DELETE and build.record.transition is not Transition.DELETE:
            self._world.invariants.violated(f"{name} follows upon a Delete")
        begun = [each for each in known if each["status"].get("startedAt")]
        if build.record.transition is Transition.START or not begun:
            return
        if build.record.transition is Transition.DELETE and not any(_has_completed(each) for each in begun):
            return  # what never worked may be destroyed with the template's active version
        # A build that vanished may have begun. Its version may be known without its values.
        ends = [begun[-1], last] if vanished else [begun[-1]]
        for field in ("templateRef", "variables"):
            if body["spec"].get(field) not in [each["spec"].get(field) for each in ends]:
                self._world.invariants.violated(
                    f"{name} does not end what {begun[-1]['metadata']['name']} built: {field}"
                )

    def _highest_remembered(self, known: list[Body], workspace_uid: str) -> int:
        """The highest number of a build that the cluster still shows: in a job, or in the workspace's status.

        A number is forgotten if a user deletes its job while every write of the status is refused.
        """
        objects = self._world.server.objects
        workspace = objects.get(workspace_uid)
        numbers = [parse_workspace(workspace).status.build_number] if workspace is not None else []
        builds = (build_of(parse_job_model(job)) for job in known if job["metadata"]["uid"] in objects)
        return max(numbers + [build.record.number for build in builds if build is not None], default=0)

    def _workspace_changed(self, old: Body | None, new: Body | None) -> None:
        if new is not None or old is None:
            return
        name, uid = old["metadata"]["name"], old["metadata"]["uid"]
        self._world.invariants.note(f"workspace {name} is gone")
        if old["spec"]["deletionPolicy"] == "Orphan":
            return
        begun = [each for each in self._jobs.get(uid, ()) if each["status"].get("startedAt")]
        if not begun:
            return
        last = begun[-1]
        if last["spec"]["transition"] != "Delete" or last["status"]["phase"] != Phase.COMPLETED:
            self._world.invariants.violated(f"workspace {name} is gone, but its resources were not destroyed")

    def _must_be_settled(self, body: Body) -> None:
        workspace = parse_workspace(body)
        name, status = workspace.name, workspace.status
        if status.drift is not None or any(each.type == "Drifted" for each in status.conditions):
            self._world.invariants.violated(f"workspace {name} reports drift, although it is not checked")
        holds = {each.type: each for each in status.conditions if each.status == "True"}
        if status.observed_generation != workspace.generation:
            self._world.invariants.violated(f"workspace {name}: its status is of an older spec")
        if "Stalled" in holds:
            if not holds["Stalled"].message:
                self._world.invariants.violated(f"workspace {name} is stalled without a message")
            if holds["Stalled"].reason == "InvalidParameters" and (workspace.deleting or not workspace.running):
                self._world.invariants.violated(f"workspace {name} cannot end for its parameters")
            return
        if "Ready" not in holds or workspace.deleting:
            self._world.invariants.violated(f"workspace {name} is neither ready nor stalled: {status}")
        self._must_be_as_desired(workspace)

    def _must_be_as_desired(self, workspace: Workspace) -> None:
        name, status, run = workspace.name, workspace.status, workspace.status.last_run
        if run is None:
            if workspace.running:
                self._world.invariants.violated(f"workspace {name} is ready but was never built")
            return
        if workspace.running and workspace.autostop is None and run.transition is not Transition.START:
            self._world.invariants.violated(f"workspace {name} should run but does not")
        if not workspace.running and run.transition is not Transition.STOP:
            self._world.invariants.violated(f"workspace {name} should be stopped but is not")
        for parameter, value in workspace.parameters if workspace.running else ():
            if dict(status.parameters).get(parameter) != value:
                self._world.invariants.violated(
                    f"workspace {name} should have {parameter} {value}: {status.parameters}"
                )


def _is_stalled(body: Body) -> bool:
    """Return whether the status, if it is of the current spec, says that the workspace is stalled."""
    workspace = parse_workspace(body)
    is_current = workspace.status.observed_generation == workspace.generation
    return is_current and any(each.type == "Stalled" and each.status == "True" for each in workspace.status.conditions)


def _has_completed(job: Body) -> bool:
    return bool(job["status"].get("phase") == Phase.COMPLETED)


def _ends_and_waited_in_vain(record: BuildRecord) -> bool:
    """Return whether a stop or a destroy was started by no daemon in time."""
    return record.transition is not Transition.START and record.reason == EndReason.PENDING_TIMEOUT
