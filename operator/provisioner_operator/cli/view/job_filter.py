"""Select jobs by status, tags and other properties, as far as possible in the API server. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.selectors import UNFINISHED_JOBS

STUCK = "stuck"
STATUS_WORDS = ("pending", "running", "canceling", "completed", "failed", "canceled", STUCK)

_OTHER_SPELLINGS = {"succeeded": "completed", "cancelled": "canceled", "cancelling": "canceling"}
_CODER_TYPES = {
    "workspace_build": JobType.WORKSPACE_BUILD,
    "template_version_import": JobType.TEMPLATE_IMPORT,
    "template_version_dry_run": JobType.TEMPLATE_DRY_RUN,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The properties that a job must have; an empty one selects all jobs."""

    phases: frozenset[Phase] = frozenset()
    """Empty for all phases."""
    stuck: bool = False
    """Also stuck jobs, whatever their phase."""
    initiator: str | None = None
    type: JobType | None = None
    template: str | None = None
    workspace: str | None = None
    daemon: str | None = None
    tags: frozenset[tuple[str, str]] = frozenset()
    since: float | None = None
    """The earliest creation, in seconds since the epoch."""

    @property
    def is_unfinished_only(self) -> bool:
        """Whether it excludes every job that has ended."""
        return bool(self.phases or self.stuck) and not self.phases & TERMINAL

    @property
    def includes_pending(self) -> bool:
        """Whether it may include pending jobs, which have a place in the queue."""
        return not self.phases or self.stuck or Phase.PENDING in self.phases

    def field_selector(self) -> str:
        """Return the part that the API server can filter; it never excludes a selected job."""
        parts = [UNFINISHED_JOBS] if self.is_unfinished_only else []
        if len(self.phases) == 1 and not self.stuck:
            parts = [f"status.phase={next(iter(self.phases))}"]
        for field, value in (
            ("spec.initiator", self.initiator),
            ("spec.type", self.type),
            ("spec.workspaceRef.name", self.workspace),
            ("status.assignment.daemon", self.daemon),
        ):
            if value is not None:
                parts.append(f"{field}={_escaped(value)}")
        return ",".join(parts)

    def includes(self, view: JobView, snapshot: Snapshot | None) -> bool:
        """Return whether it selects this job; stuck jobs are recognized only with a snapshot."""
        job = view.job
        if self.phases or self.stuck:
            is_stuck = self.stuck and snapshot is not None and job.phase not in TERMINAL and snapshot.is_stuck(job)
            if not is_stuck and job.phase not in self.phases:
                return False
        wanted = (
            (self.initiator, view.initiator),
            (self.type, job.type),
            (self.template, view.template),
            (self.workspace, job.workspace),
            (self.daemon, job.assignment.daemon if job.assignment else None),
        )
        return (
            all(value is None or value == found for value, found in wanted)
            and self.tags <= job.demand.tags
            and (self.since is None or job.created >= self.since)
        )


def parse_statuses(values: Iterable[str]) -> tuple[frozenset[Phase], bool]:
    """Return the phases in these comma-separated lists, and whether `stuck` is among them. Raises UsageError."""
    words = [word.strip().lower() for value in values for word in value.split(",") if word.strip()]
    known = {phase.lower(): phase for phase in Phase}
    phases: set[Phase] = set()
    for word in words:
        spelled = _OTHER_SPELLINGS.get(word, word)
        if spelled == STUCK:
            continue
        if spelled not in known:
            raise UsageError(f"There is no status {word!r}. Choose from: {', '.join(STATUS_WORDS)}.")
        phases.add(known[spelled])
    return frozenset(phases), STUCK in words


def parse_type(text: str | None) -> JobType | None:
    """Return the job type of this name, in the spelling of Kubernetes or of Coder. Raises UsageError."""
    if text is None:
        return None
    if text in _CODER_TYPES:
        return _CODER_TYPES[text]
    for known in JobType:
        if known.lower() == text.lower():
            return known
    raise UsageError(f"There is no job type {text!r}. Choose from: {', '.join(JobType)}.")


def _escaped(value: str) -> str:
    """Return the value as a field selector takes it (apimachinery's fields.EscapeValue)."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
