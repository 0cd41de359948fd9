"""Which jobs are meant: statuses, tags and the like, and what of it the API server can choose by itself. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.views.snapshot import Scene
from provisioner_operator.kube.selectors import UNFINISHED_JOBS

STUCK = "stuck"
STATUS_WORDS = ("pending", "running", "canceling", "completed", "failed", "canceled", STUCK)
TYPE_WORDS = tuple(JobType)

_OTHER_SPELLINGS = {"succeeded": "completed", "canceled": "canceled", "canceling": "canceling"}
_CODER_TYPES = {
    "workspace_build": JobType.WORKSPACE_BUILD,
    "template_version_import": JobType.TEMPLATE_IMPORT,
    "template_version_dry_run": JobType.TEMPLATE_DRY_RUN,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What the jobs that are meant have in common."""

    phases: frozenset[Phase] = frozenset()
    """None for all."""
    stuck: bool = False
    """Also those that are stuck, whatever their phase."""
    initiator: str | None = None
    type: JobType | None = None
    template: str | None = None
    workspace: str | None = None
    daemon: str | None = None
    tags: frozenset[tuple[str, str]] = frozenset()
    since: float | None = None
    """Created at this time or later, in seconds since the epoch."""

    @property
    def is_live_only(self) -> bool:
        """Whether no job that has ended can be meant."""
        return bool(self.phases or self.stuck) and not self.phases & TERMINAL

    @property
    def wants_queue(self) -> bool:
        """Whether pending jobs may be meant, which have a place in the queue."""
        return not self.phases or self.stuck or Phase.PENDING in self.phases

    def field_selector(self) -> str:
        """What the API server can choose; it never leaves out a job that is meant."""
        chosen = [UNFINISHED_JOBS] if self.is_live_only else []
        if len(self.phases) == 1 and not self.stuck:
            chosen = [f"status.phase={next(iter(self.phases))}"]
        for field, value in (
            ("spec.initiator", self.initiator),
            ("spec.type", self.type),
            ("spec.workspaceRef.name", self.workspace),
            ("status.assignment.daemon", self.daemon),
        ):
            if value is not None:
                chosen.append(f"{field}={_escaped(value)}")
        return ",".join(chosen)

    def includes(self, view: JobView, scene: Scene | None) -> bool:
        """Whether this job is meant; `scene` is needed to know the stuck ones."""
        job = view.job
        if self.phases or self.stuck:
            is_stuck = self.stuck and scene is not None and job.phase not in TERMINAL and scene.is_stuck(job)
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
    """The phases that are named, and whether `stuck` is; several may stand between commas. Raises UsageError."""
    words = [word.strip().lower() for value in values for word in value.split(",") if word.strip()]
    known = {phase.lower(): phase for phase in Phase}
    phases: set[Phase] = set()
    for word in words:
        spelled = _OTHER_SPELLINGS.get(word, word)
        if spelled == STUCK:
            continue
        if spelled not in known:
            raise UsageError(f"There is no status {word!r}. Choose of: {', '.join(STATUS_WORDS)}.")
        phases.add(known[spelled])
    return frozenset(phases), STUCK in words


def parse_type(text: str | None) -> JobType | None:
    """A job's type, also as Coder writes it. Raises UsageError."""
    if text is None:
        return None
    if text in _CODER_TYPES:
        return _CODER_TYPES[text]
    for known in JobType:
        if known.lower() == text.lower():
            return known
    raise UsageError(f"There is no job type {text!r}. Choose of: {', '.join(JobType)}.")


def _escaped(value: str) -> str:
    """As a field selector wants it (apimachinery's fields.EscapeValue)."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
