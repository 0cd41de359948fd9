"""What was built of a workspace: the latest build, the last that began, and what they say of a wish.

Made of what the status tells and of the jobs that it does not tell of yet. Used by `workspace_builds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.workspaces.records import Build, BuildRecord, Workspace
from provisioner_operator.core.workspaces.refused_step import RefusedStep

SUPERSEDED = "Superseded"
"""The reason of a build that was canceled before it began, because something else was wanted."""
VANISHED = "JobDeleted"
"""The reason of a build whose job somebody deleted before its end was seen."""


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What is known of a workspace's builds beside its status."""

    builds: Mapping[int, Build] = field(default_factory=dict)
    """By number: those that live, and those whose end the status does not tell yet."""
    floor: int = 0
    """Numbers up to this one are taken, by whomever."""
    searched: bool = False
    """Whether all jobs that there are have been looked through."""
    refused: RefusedStep | None = None
    """The step that the API server refused, while it is too early to try it again."""


@dataclass(frozen=True, slots=True)
class Past:
    """The latest build, and the last that began."""

    latest: BuildRecord | None
    build: Build | None
    """The latest build's job, unless only the status knows of it."""
    last_run: BuildRecord | None
    last_run_build: Build | None

    @classmethod
    def of(cls, workspace: Workspace, facts: BuildFacts) -> "Past | None":
        """From the status and the jobs; None if a job's fate has to be found out first."""
        status = workspace.status
        records = {each.number: each for each in (status.last_run, status.latest_build) if each is not None}
        records |= {number: build.record for number, build in facts.builds.items()}
        for number, record in records.items():
            if record.ended or number in facts.builds:
                continue
            if not facts.searched:
                return None
            records[number] = replace(record, phase=Phase.CANCELED, reason=VANISHED)
        latest = records.get(max(records, default=0))
        begun = [number for number, record in records.items() if record.started is not None]
        last_run = records.get(max(begun, default=0))
        return cls(
            latest,
            None if latest is None else facts.builds.get(latest.number),
            last_run,
            None if last_run is None else facts.builds.get(last_run.number),
        )

    @property
    def is_live(self) -> bool:
        """Whether the latest build is under way."""
        return self.latest is not None and not self.latest.ended

    @property
    def shown(self) -> BuildRecord | None:
        """The build that tells how the workspace is: one that never began, and of which nothing is wanted, does not."""
        if self.latest is not None and self.latest.reason == SUPERSEDED:
            return self.last_run
        return self.latest

    def must_give_way_to(self, change: str) -> bool:
        """Whether the live build is of something else, has not begun, and can be superseded."""
        latest, build = self.latest, self.build
        return (
            latest is not None
            and build is not None
            and latest.change != change
            and latest.phase is Phase.PENDING
            and latest.transition is not Transition.DELETE
            and not build.cancel
        )

    def lacks(self, change: str, transition: Transition) -> bool:
        """Whether no build has been made of this wish yet, failed and canceled ones included."""
        shown = self.shown
        if shown is not None and shown.change == change:
            return False
        if self.is_as_built(change):
            return False
        return transition is not Transition.STOP or self.last_run is not None

    def is_as_built(self, change: str) -> bool:
        """Whether what was built last is wanted, though another build was to come and never began."""
        latest, last_run = self.latest, self.last_run
        return (
            latest is not None
            and latest.started is None
            and last_run is not None
            and last_run.phase is Phase.COMPLETED
            and last_run.change == change
        )
