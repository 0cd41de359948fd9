"""The policy of a namespace's queue, and what it says about a job: its group, its limits, whether people wait for it. Pure.

Parsed from a ProvisionerQueue by `kube`. All of it follows from the job's own fields, so that nothing has to be remembered.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, GroupField, JobType, Transition
from provisioner_operator.core.model.records import Job

LimitKey = tuple[str, str]
"""Name of a limit, and the group to which it applies; empty for a limit that is not `per` anything."""

_NAMED_ONLY = frozenset({Transition.STOP, Transition.DELETE})
"""Builds that free resources: only a limit that names them holds them up."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that has ended, as far as it counts for the shares of groups."""

    uid: str
    started: float
    finished: float
    initiator: str | None = None
    workspace_owner: str | None = None
    template: str | None = None
    labels: frozenset[tuple[str, str]] = frozenset()


def past_run(job: Job) -> PastRun | None:
    """Return what counts of an ended job; None if it never ran."""
    if job.started is None or job.finished is None:
        return None
    owner, template = job.workspace_owner, job.template
    return PastRun(job.uid, job.started, job.finished, job.initiator, owner, template, job.labels)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The value by which jobs are grouped."""

    field: GroupField
    label: str | None = None

    def group_of(self, job: Job | PastRun) -> str:
        """Return the job's group; all jobs without the value are one, whose name is empty."""
        match self.field:
            case GroupField.INITIATOR:
                value = job.initiator
            case GroupField.OWNER:
                value = job.workspace_owner
            case GroupField.TEMPLATE:
                value = job.template
            case _:
                value = next((value for key, value in job.labels if key == self.label), None)
        return value or ""

    def describe(self, group: str) -> str:
        """Return a group in words."""
        what = f"label {self.label}" if self.field is GroupField.LABEL else self.field.lower()
        return f"{what} {group}" if group else f"jobs without {what}"


@dataclass(frozen=True, slots=True)
class Fairness:
    """The groups that share the slots of a namespace."""

    by: Grouping
    half_life: int
    """Seconds after which a run counts half."""
    weights: tuple[tuple[str, int], ...] = ()
    default_weight: int = 1
    """Weight of each group that `weights` does not name."""

    def weight_of(self, group: str) -> int:
        """Return the number of shares of the group."""
        return next((weight for name, weight in self.weights if name == group), self.default_weight)


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of jobs that may run at a time, of those that match."""

    name: str
    most: int
    per: Grouping | None = None
    """Grouping of which each group has the limit of its own."""
    template: str | None = None
    transition: Transition | None = None
    initiator: str | None = None
    tags: frozenset[tuple[str, str]] = frozenset()

    def concerns(self, job: Job) -> bool:
        """Return whether the job counts, and waits while the limit is reached."""
        frees_resources = job.type is JobType.WORKSPACE_BUILD and job.transition in _NAMED_ONLY
        return (
            (self.transition == job.transition if self.transition is not None else not frees_resources)
            and self.template in (None, job.template)
            and self.initiator in (None, job.initiator)
            and self.tags <= job.demand.tags
        )

    def key_of(self, job: Job) -> LimitKey:
        """Return what the job counts for."""
        return self.name, "" if self.per is None else self.per.group_of(job)


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """The policy of one namespace. Without fairness all its jobs are one group."""

    fairness: Fairness | None = None
    limits: tuple[Limit, ...] = ()
    background: frozenset[BackgroundWork] = frozenset()

    @property
    def is_counting(self) -> bool:
        """Whether what runs makes a difference to what goes first."""
        return self.fairness is not None or bool(self.limits)

    def group_of(self, job: Job | PastRun) -> str:
        """Return the group whose share the job uses."""
        return "" if self.fairness is None else self.fairness.by.group_of(job)

    def limits_of(self, job: Job) -> tuple[LimitKey, ...]:
        """Return the limits for which the job counts."""
        return tuple([limit.key_of(job) for limit in self.limits if limit.concerns(job)]) if self.limits else ()

    def is_background(self, job: Job) -> bool:
        """Return whether nobody waits for the job."""
        return bool(self.background) and job.background_reason in self.background

    def limit(self, name: str) -> Limit:
        """Return the limit of that name. Raises LookupError if the policy does not have it."""
        for each in self.limits:
            if each.name == name:
                return each
        raise LookupError(name)

    def most(self, limit: LimitKey) -> int:
        """Return the number of jobs that may run under the limit. Raises LookupError if the policy does not have it."""
        return self.limit(limit[0]).most


NO_POLICY = QueuePolicy()
"""The policy of a namespace that has none: priority, then age."""
