"""Lines of the list of jobs. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.snapshot import ran, waited
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.times import Elapsed, Moment, elapsed, moment
from provisioner_operator.web.page.words import AWAY, JOB_TYPES, PHASES, Mark, TagList, missing_right, tag_list


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """State of a job in the queue: its place, the reason for its wait, and whether somebody must act."""

    place: Place | None = None
    reason: str = ""
    is_stuck: bool = False


@dataclass(frozen=True, slots=True)
class CancelRights:
    """Rights of a user to cancel the jobs on a page, as far as the server knows; the API server decides."""

    user: str
    """Name of the user; empty for anybody with these rights who owns none of the workspaces."""
    organizations: Collection[str]
    """Organizations where the user has the verb `cancel`."""
    patchable: Collection[str]
    """Organizations where the user has the verb `patch`, which each cancel takes."""
    is_away: bool = False
    """Whether the API server cannot be reached, so that nothing can be changed."""

    def depends_on_owner(self, namespace: str) -> bool:
        """Return whether owners may cancel jobs of a namespace that others may not."""
        return namespace in self.patchable and namespace not in self.organizations

    def denial(self, row: JobRow) -> str:
        """Return the reason for which the user may not cancel the job; empty if there is none."""
        if row.job.namespace not in self.patchable:
            return missing_right("change this job", "patch", JOBS, "provisioner-admin")
        is_owner = row.owner_may_cancel and bool(self.user) and row.job.workspace_owner == self.user
        if is_owner or row.job.namespace in self.organizations:
            return ""
        return missing_right("cancel this job", "cancel", JOBS, "provisioner-admin")


@dataclass(frozen=True, slots=True)
class CancelButton:
    """The ban icon at the end of a line."""

    href: str
    label: str
    state: str
    """`ready`, `force`, `ended` (nothing left to cancel) or `denied` (a right is missing)."""
    explanation: str = ""
    """Reason why it does nothing."""

    @property
    def works(self) -> bool:
        """Whether it leads to the form."""
        return self.state in ("ready", "force")


@dataclass(frozen=True, slots=True)
class JobLine:
    """One line of the list."""

    key: str
    org: str
    name: str
    href: str
    log_href: str
    created: Moment
    type: str
    transition: str
    template: str
    version: str
    workspace: str
    workspace_href: str
    tags: TagList
    status: Mark
    place: str
    reason: str
    message: str
    """Sentence on its state, as far as lists have it."""
    is_stuck: bool
    elapsed: Elapsed
    initiator: str
    cancel: CancelButton
    retry_href: str
    """Form that submits the job again; empty while it has not ended."""

    @property
    def selection(self) -> str:
        """Value of the line's checkbox: its namespace and name."""
        return f"{self.org}/{self.name}"


def job_line(row: JobRow, facts: QueueFacts, rights: CancelRights, now: float, *, ticking: bool) -> JobLine:
    """Return the line of a job. With `ticking`, texts do not change while time passes: the browser counts."""
    job = row.job
    moments = moment(job.created, None if ticking else now)
    assert moments is not None  # noqa: S101 # every job has a time of creation
    return JobLine(
        key=job.uid,
        org=job.namespace,
        name=job.name,
        href=paths.job(job.namespace, job.name),
        log_href=paths.job_log(job.namespace, job.name),
        created=moments,
        type=JOB_TYPES[job.type],
        transition=job.transition or "",
        template=row.template or "",
        version=row.version or "",
        workspace=job.workspace or "",
        workspace_href=paths.workspace(job.namespace, job.workspace) if job.builds_workspace and job.workspace else "",
        tags=tag_list(job.demand.tags),
        status=PHASES[job.phase],
        place=str(facts.place) if facts.place and job.phase is Phase.PENDING else "",
        reason=reason_of(job, facts),
        message=job.message or "",
        is_stuck=facts.is_stuck,
        elapsed=elapsed_of(job, now, ticking=ticking),
        initiator=job.initiator or "",
        cancel=cancel_button(row, rights),
        retry_href=paths.job_action(job.namespace, job.name, "retry") if row.is_ended else "",
    )


def reason_of(job: Job, facts: QueueFacts) -> str:
    """Return the reason beside the phase, in one word; empty if the phase says it."""
    if job.phase is Phase.PENDING:
        return "CancelRequested" if job.cancel else facts.reason
    return "" if job.reason == job.phase else job.reason or facts.reason


def elapsed_of(job: Job, now: float, *, ticking: bool = False) -> Elapsed:
    """Return how long the job has run, or waited if it never started. With `ticking`, a count in progress is zero."""
    taken = ran(job, now)
    if taken is not None:
        since = None if job.finished is not None else job.started
        return elapsed(int(taken) if since is None or not ticking else 0, since, "ran")
    is_counting = job.phase is Phase.PENDING and job.suspended_at is None
    since = job.created + job.suspended_seconds if is_counting else None
    return elapsed(int(waited(job, now)) if since is None or not ticking else 0, since, "waited")


def cancel_button(row: JobRow, rights: CancelRights) -> CancelButton:
    """Return the state of the button that cancels the job."""
    job = row.job
    href = paths.job_action(job.namespace, job.name, "cancel")
    name = f"Cancel job {job.name}"
    if job.phase in TERMINAL:
        return CancelButton(href, name, "ended", f"The job has ended: it is {job.phase}.")
    if rights.is_away:
        return CancelButton(href, name, "denied", AWAY)
    if denial := rights.denial(row):
        return CancelButton(href, name, "denied", denial)
    if not job.cancel:
        return CancelButton(href, name, "ready")
    if job.phase in STARTED and job.cancel_mode is not CancelMode.FORCE:
        return CancelButton(href, f"Force job {job.name} to stop…", "force")
    return CancelButton(href, name, "ended", "Its cancel was requested already.")
