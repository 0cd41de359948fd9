"""Records of checks for drift: the job of a check as observed, and the result as the workspace's status has it."""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.outcome import ResourceChange


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """A job that checks a workspace for drift."""

    namespace: str
    workspace_uid: str
    job: str
    job_uid: str
    resource_version: int
    build: int
    """Number of the build that is checked."""
    phase: Phase
    message: str = ""
    resources: tuple[ResourceChange, ...] = ()
    finished: float = 0
    """Time of its end; 0 before."""

    @property
    def ended(self) -> bool:
        """Whether it has reached a final phase."""
        return self.phase in TERMINAL


@dataclass(frozen=True, slots=True)
class Drift:
    """Result of the last check; the fields are those of the API."""

    checked: float
    build: int
    job: str
    resources: tuple[ResourceChange, ...] = ()
