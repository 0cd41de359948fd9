"""Describe a step that the API server refused, for the conditions of templates and workspaces."""

from collections.abc import Mapping
from dataclasses import dataclass

_CONSEQUENCES: Mapping[str, str] = {
    "HoldWorkspace": "The finalizer cannot be added, so nothing is built",
    "ReleaseWorkspace": "The finalizer cannot be removed, so the workspace remains",
    "CreateBuild": "No job can be created",
    "CreatePlan": "No job can be created",
    "CreateDriftCheck": "No job can be created that checks for drift",
    "CheckWorkspace": "The workspace cannot be read, so nothing is built",
    "FindBuilds": "The workspace's jobs cannot be listed",
    "Supersede": "The waiting build cannot be canceled",
    "HoldTemplate": "The finalizer cannot be added, so nothing is imported",
    "ReleaseTemplate": "The finalizer cannot be removed, so the template remains",
    "ReadSource": "The source cannot be read",
    "KeepFiles": "The version's files cannot be stored in a ConfigMap",
    "ImportVersion": "No import job can be created",
    "FindImport": "The import job cannot be read",
    "FindWorkspaces": "The workspaces that may use it cannot be listed",
    "DiscardVersion": "The files of an old version cannot be deleted",
}

_TERMINATING = "because it is being terminated"
"""Words of the API server's refusal to create an object in a namespace that is being deleted."""


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """Refused kind of decision, which is not repeated yet, and the API server's message."""

    kind: str
    words: str
    transient: bool = False
    """Whether the refusal is expected to be transient, so that nobody has to be alerted."""

    def blocks(self, decision: object) -> bool:
        """Return whether the decision is of the refused kind."""
        return type(decision).__name__ == self.kind

    @property
    def namespace_is_terminating(self) -> bool:
        """Whether the namespace is being deleted, so that nothing more can be created in it."""
        return _TERMINATING in self.words

    @property
    def message(self) -> str:
        """Consequence of the refusal and the API server's message, as a sentence."""
        return f"{_CONSEQUENCES.get(self.kind, 'A write is refused')}: {self.words.rstrip('.')}."
