"""Combine a workspace's status and its jobs into the history of its builds: the latest, and the last one that began.

The status may lag behind the jobs, and jobs may be deleted once the status has recorded their end. Used by
`build_plan`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase, Transition
from provisioner_operator.core.workspaces.drift.records import DriftCheck
from provisioner_operator.core.workspaces.records import Build, BuildRecord, PlanJob, PlanRecord, Workspace
from provisioner_operator.core.workspaces.refused_step import RefusedStep

SUPERSEDED = "Superseded"
"""Reason of a build that was canceled before it began because the desired state changed."""

NOT_APPLIED = frozenset({EndReason.PLAN_STALE, EndReason.PLAN_UNAVAILABLE})
"""Reasons of a build that did not apply its approved plan, and nothing else."""
_NEVER_BUILT = frozenset({SUPERSEDED, EndReason.APPROVAL_REQUIRED})
"""Reasons of builds that ended before they began, and that say nothing about the desired state."""


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """Observations about a workspace's builds beyond its status."""

    builds: Mapping[int, Build] = field(default_factory=dict)
    """Builds by number: unfinished ones, and ended ones that the status does not record yet."""
    floor: int = 0
    """Highest number that any job with a name of this workspace's builds has taken."""
    searched: bool = False
    """Whether all existing jobs have been listed in this term of leadership."""
    checked: bool = False
    """Whether the API server has answered with the workspace in this term of leadership."""
    refused: RefusedStep | None = None
    """Step that the API server refused, during its backoff."""
    unsaved: str | None = None
    """Reason for which the workspace's state is not saved yet, if that is so."""
    plan: PlanJob | None = None
    """The latest job that plans a build for approval, even if it was deleted since."""
    checks: tuple[DriftCheck, ...] = ()
    """Checks for drift that have not ended, and ended ones that the status does not record yet."""


@dataclass(frozen=True, slots=True)
class BuildHistory:
    """The latest build and the last one that began, with their jobs.

    A build that vanished counts as begun: it may have made resources.
    """

    latest: BuildRecord | None
    build: Build | None
    """Job of the latest build, even if it was deleted since; None if only the status records it."""
    last_run: BuildRecord | None
    """Last build that began, or may have."""
    last_run_build: Build | None
    completed: int = 0
    """Number of the last build that completed; 0 if none has."""
    plan: PlanRecord | None = None
    """The latest plan of a build that requires approval."""

    @classmethod
    def of(cls, workspace: Workspace, facts: BuildFacts) -> "BuildHistory | None":
        """Combine status and jobs; None if the jobs have to be listed first to learn what became of one."""
        status = workspace.status
        records = {each.number: each for each in (status.last_run, status.latest_build) if each is not None}
        records |= {number: build.record for number, build in facts.builds.items()}
        for number, record in records.items():
            if record.ended or number in facts.builds:
                continue
            if not facts.searched:
                return None
            records[number] = record.vanished()
        plan = status.plan
        if facts.plan is not None and (plan is None or facts.plan.record.number >= plan.number):
            plan = facts.plan.record
        elif plan is not None and not plan.ended:
            if not facts.searched:
                return None
            plan = plan.deleted()
        latest = records.get(max(records, default=0))
        completed = [number for number, record in records.items() if record.phase is Phase.COMPLETED]
        begun = [number for number, record in records.items() if record.may_have_begun]
        last_run = records.get(max(begun, default=0))
        return cls(
            latest,
            None if latest is None else facts.builds.get(latest.number),
            last_run,
            None if last_run is None else facts.builds.get(last_run.number),
            max(completed, default=status.completed_build),
            plan,
        )

    @property
    def latest_number(self) -> int:
        """Number of the latest build or plan, which are numbered together; 0 if there is none."""
        return max((each.number for each in (self.latest, self.plan) if each is not None), default=0)

    @property
    def is_building(self) -> bool:
        """Whether the latest build has not ended."""
        return self.latest is not None and not self.latest.ended

    @property
    def effective_build(self) -> BuildRecord | None:
        """Build that determines the workspace's state: the latest, unless it was superseded or refused before it began."""
        if self.latest is not None and self.latest.reason in _NEVER_BUILT:
            return self.last_run
        return self.latest

    def build_to_supersede(self, change: str) -> Build | None:
        """Return the latest build if it builds another change, has not begun and may be canceled; else None."""
        latest, build = self.latest, self.build
        if latest is None or build is None or latest.change == change or build.cancel:
            return None
        if latest.phase is not Phase.PENDING or latest.transition is Transition.DELETE:
            return None
        return build

    def needs_build(self, change: str, transition: Transition) -> bool:
        """Return whether the change has not been built yet; a failed or canceled build of it counts as built."""
        effective = self.effective_build
        if effective is not None and effective.change == change:
            return effective.reason in NOT_APPLIED
        if self.is_already_built(change):
            return False
        return transition is not Transition.STOP or self.last_run is not None

    def is_already_built(self, change: str) -> bool:
        """Return whether the last run completed this change, although a later build was created and never began."""
        latest, last_run = self.latest, self.last_run
        return (
            latest is not None
            and latest.started is None
            and last_run is not None
            and last_run.phase is Phase.COMPLETED
            and last_run.change == change
        )
