"""Selection, order and pages of jobs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.core.model.matching import Tags
from provisioner_operator.web.index.rows import JobRow


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Conditions that a job must all meet; an empty one is met by every job."""

    phases: frozenset[Phase] = frozenset()
    stuck: bool = False
    """Only jobs that make no progress until somebody intervenes."""
    text: str = ""
    """Words, each of which a job's name, uid, workspace, template, initiator, daemon or tag (`key=value`) contains, whatever the case.

    One that is a single character is contained in nearly all: it has to begin one of them.
    """
    uids: frozenset[str] = frozenset()
    tags: Tags = frozenset()
    """Tags that the job has, among others; exactly the implied ones are those of jobs without tags of their own."""
    types: frozenset[JobType] = frozenset()
    template: str = ""
    workspace: str = ""
    daemon: str = ""
    initiator: str = ""
    priority: int | None = None
    """The priority that the job has exactly; None for any."""
    since: float | None = None
    """Earliest time of creation, in seconds since the epoch."""
    before: "Cursor | None" = None
    """Only jobs that come after this place in the list, newest first."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Place in the list of jobs, newest first: time of creation and uid of a job."""

    created: float
    uid: str

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Return the place that a parameter of an address names; None if it names none."""
        created, _, uid = text.partition("_")
        try:
            return cls(float(created), uid) if uid else None
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """The place as a parameter of an address: `CREATED_UID`."""
        return f"{self.created!r}_{self.uid}"


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs, newest first; the place to go on from; and the number of all jobs that the query selects."""

    rows: Sequence[JobRow]
    next: Cursor | None
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of jobs of some namespaces."""

    phases: dict[Phase, int] = field(default_factory=dict)
    stuck: int = 0


Namespaces = Collection[str]
"""Namespaces whose objects the user may list."""
