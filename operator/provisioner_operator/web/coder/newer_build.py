"""Wait until the operator has made a build for a change of a workspace, and say why if it has not."""

import asyncio
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import StatusCondition, Transition
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow
from provisioner_operator.web.problems import Problem

WAIT_SECONDS = 5.0
"""Time that the operator has to make the job; it takes some 0.1 s."""


@dataclass(frozen=True, slots=True)
class KnownBuilds:
    """The builds of a workspace before a change."""

    workspace: ObjectRow
    number: int
    """Number of the latest build; 0 if there was none."""
    is_active: bool = False
    """Whether the latest build has not ended."""

    @classmethod
    def of(cls, row: ObjectRow, index: ClusterIndex) -> "KnownBuilds":
        """Take the builds that are known now."""
        newest = next(iter(convert.builds_of(row, index)), None)
        built = convert.object_of(row).status.build_number
        if newest is None:
            return cls(row, built)
        return cls(row, max(built, newest.build_number or 0), is_active=not newest.is_ended)

    @classmethod
    def before_deletion(cls, row: ObjectRow, index: ClusterIndex) -> "KnownBuilds":
        """Take the builds before the one that destroys a workspace which is being deleted."""
        known = cls.of(row, index)
        newest = next(iter(convert.builds_of(row, index)), None)
        is_deletion = newest is not None and newest.job.transition is Transition.DELETE
        return cls(row, known.number - 1) if is_deletion else known

    async def newer(self, index: ClusterIndex) -> JobRow | None:
        """Return the first build that was made since; None if the time is up, or the workspace is gone."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    version = index.version
                    for each in reversed(convert.builds_of(self.workspace, index)):
                        if (each.build_number or 0) > self.number:
                            return each
                    if index.workspaces.get(self.workspace.uid) is None:
                        return None
                    await index.changed(version)
        except TimeoutError:
            return None


def no_build(row: ObjectRow, index: ClusterIndex) -> Problem:
    """Return the answer for a change that led to no build, with what the workspace reports."""
    present = index.workspaces.get(row.uid)
    conditions = convert.object_of(present if present is not None else row).status.conditions
    ready = next((each for each in conditions if each.type == StatusCondition.READY), None)
    detail = f"{ready.reason}: {ready.message}" if ready is not None else ""
    return Problem(409, "The change is made, but the operator has not created a build for it yet.", detail)
