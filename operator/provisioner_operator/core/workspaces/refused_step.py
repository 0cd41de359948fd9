"""Describe a step that the API server refused, for the conditions of templates and workspaces."""

from collections.abc import Mapping
from dataclasses import dataclass

_CONSEQUENCES: Mapping[str, str] = {
    "HoldWorkspace": "The finalizer cannot be added, so nothing is built",
    "ReleaseWorkspace": "The finalizer cannot be removed, so the workspace stays",
    "CreateBuild": "No job can be created",
    "FindBuilds": "Its jobs cannot be listed",
    "Supersede": "The waiting build cannot be canceled",
    "HoldTemplate": "The finalizer cannot be added, so nothing is imported",
    "ReleaseTemplate": "The finalizer cannot be removed, so the template stays",
    "ReadSource": "The source cannot be read",
    "KeepFiles": "The version's files cannot be kept in a ConfigMap",
    "ImportVersion": "No import job can be created",
    "FindImport": "The import job cannot be read",
    "DiscardVersion": "The files of an old version cannot be deleted",
}


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """The kind of decision that is not tried again yet, and the API server's words."""

    kind: str
    words: str
    transient: bool = False
    """Whether it is expected to pass by itself, so that nobody needs to read of it."""

    def blocks(self, decision: object) -> bool:
        """Whether this is what was refused."""
        return type(decision).__name__ == self.kind

    @property
    def message(self) -> str:
        """The consequence and the API server's words, as a sentence."""
        return f"{_CONSEQUENCES.get(self.kind, 'A write is refused')}: {self.words.rstrip('.')}."
