"""Words and marks that several pages share: statuses, plurals, tags. Pure.

A status is always a word, an icon and a color: none of them alone carries the meaning.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import JobType, Phase, WorkspacePhase
from provisioner_operator.core.model.matching import UNTAGGED, Tags

AWAY = "The API server cannot be reached: nothing can be changed now."
"""Reason why buttons do nothing meanwhile."""


def missing_right(doing: str, verb: str, resource: str, role: str) -> str:
    """Return the reason why a button does nothing: the right that is missing, and the ClusterRole that grants it."""
    return (
        f"You may not {doing}: you lack the verb {verb} on {resource}. The ClusterRole {role} grants it; "
        "an administrator of the organization can bind it to you."
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with its icon and its tone, which is the name of a color in the style sheet."""

    word: str
    icon: str
    tone: str


PHASES = {
    Phase.PENDING: Mark("Pending", "clock", "wait"),
    Phase.RUNNING: Mark("Running", "play", "work"),
    Phase.CANCELING: Mark("Canceling", "stop", "work"),
    Phase.COMPLETED: Mark("Completed", "check", "good"),
    Phase.FAILED: Mark("Failed", "alert", "bad"),
    Phase.CANCELED: Mark("Canceled", "ban", "idle"),
}
WORKSPACE_PHASES = {
    WorkspacePhase.PENDING: Mark("Pending", "clock", "wait"),
    WorkspacePhase.STARTING: Mark("Starting", "play", "work"),
    WorkspacePhase.RUNNING: Mark("Running", "check", "good"),
    WorkspacePhase.STOPPING: Mark("Stopping", "stop", "work"),
    WorkspacePhase.STOPPED: Mark("Stopped", "stop", "idle"),
    WorkspacePhase.DELETING: Mark("Deleting", "trash", "work"),
    WorkspacePhase.DELETED: Mark("Deleted", "trash", "idle"),
    WorkspacePhase.CANCELING: Mark("Canceling", "stop", "work"),
    WorkspacePhase.CANCELED: Mark("Canceled", "ban", "idle"),
    WorkspacePhase.FAILED: Mark("Failed", "alert", "bad"),
}
JOB_TYPES = {
    JobType.WORKSPACE_BUILD: "Workspace build",
    JobType.TEMPLATE_IMPORT: "Template import",
    JobType.TEMPLATE_DRY_RUN: "Template dry run",
    JobType.WORKSPACE_PLAN: "Workspace plan",
}


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in one line: the first, and the number of the others."""

    first: str
    more: int
    all: tuple[str, ...]


def tag_list(tags: Tags) -> TagList:
    """Return the tags that were given, without the implied scope and owner."""
    given = tuple(f"{key}={value}" for key, value in sorted(tags - UNTAGGED))
    return TagList(given[0] if given else "", max(0, len(given) - 1), given)


def counted(number: int, noun: str) -> str:
    """Return the number with the noun in its singular or plural: `1 job`, `1,234 jobs`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"
