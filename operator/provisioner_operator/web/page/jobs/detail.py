"""One job with all that its page shows, the most urgent first. Pure, from the object that was just read."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from provisioner_operator.api.v1alpha1.enums import CancelMode, JobCondition, Phase
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.core.estimates.run_length import RunEstimate
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Job
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.jobs.remedies import REMEDIES
from provisioner_operator.web.page.jobs.stages import Chart, chart_of
from provisioner_operator.web.page.jobs.table import elapsed_of
from provisioner_operator.web.page.jobs.why import Why
from provisioner_operator.web.page.text import web_link
from provisioner_operator.web.page.times import Elapsed, Moment, duration, moment
from provisioner_operator.web.page.words import JOB_TYPES, PHASES, Mark, counted

RETRY_OF = f"{GROUP}/retry-of"
"""Annotation of a job: the name of the job that it repeats."""
MOST_SHOWN = 64
"""Resources, and outputs, on the page; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and a value, which may be a link."""

    label: str
    value: str
    href: str = ""
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An output value of the run; a web address is a link."""

    name: str
    value: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the job's status."""

    type: str
    status: str
    reason: str
    message: str
    since: Moment | None


@dataclass(frozen=True, slots=True)
class Command:
    """A command that people may copy."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Reason and message of a job that failed, and the next step."""

    reason: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class JobDetail:
    """One job as its page shows it."""

    org: str
    name: str
    uid: str
    status: Mark
    elapsed: Elapsed
    has_ended: bool
    is_suspended: bool
    can_be_suspended: bool
    """Whether it is pending: only then suspending or resuming has an effect."""
    message: str
    """Message of the status, which is there before anything else is computed."""
    why: Why | None
    typical: str
    """Sentence on how long runs like this one take; empty unless it runs, and that is known."""
    is_overlong: bool
    failure: Failure | None
    cancel: tuple[str, ...]
    """Sentences on a cancel that was requested."""
    facts: tuple[Fact, ...]
    times: tuple[Fact, ...]
    chart: Chart | None
    outputs: tuple[Output, ...]
    resources: tuple[tuple[str, str, str], ...]
    """Action, address and type of each resource."""
    more_resources: int
    conditions: tuple[Condition, ...]
    log: str
    """Size of the log archive in words; empty if there is none."""
    yaml: str
    commands: tuple[Command, ...]


def job_detail(
    model: ProvisionerJob, job: Job, body: Mapping[str, Any], why: Why | None, run: RunEstimate | None, now: float
) -> JobDetail:
    """Return the page's content for a job, given its model, its record and its body as read."""
    status = model.status
    return JobDetail(
        org=job.namespace,
        name=job.name,
        uid=job.uid,
        status=PHASES[job.phase],
        elapsed=elapsed_of(job, now),
        has_ended=job.phase in TERMINAL,
        is_suspended=job.suspend,
        can_be_suspended=job.phase is Phase.PENDING and not job.cancel,
        message=job.message or "",
        why=why,
        typical="" if run is None else typical_run(run),
        is_overlong=run is not None and run.is_overlong,
        failure=_failure(job),
        cancel=_cancel(job),
        facts=_facts(model, job),
        times=_times(job, now),
        chart=chart_of(status.timings, now, job.finished),
        outputs=tuple(Output(each.name, each.value, web_link(each.value)) for each in status.outputs),
        resources=tuple((each.action, each.address, each.type) for each in status.resources[:MOST_SHOWN]),
        more_resources=max(0, len(status.resources) - MOST_SHOWN),
        conditions=_conditions(job, now),
        log=_log(model),
        yaml=as_yaml(body),
        commands=_commands(job),
    )


def typical_run(run: RunEstimate) -> str:
    """Return how long runs like one take, in a sentence."""
    p50, p90 = duration(run.p50), duration(run.p90)
    usual = f"Of {counted(run.runs, 'run')} like it, half took up to {p50} and nine of ten up to {p90}."
    return f"It has run for longer than 99 % of the runs like it. {usual}" if run.is_overlong else usual


def as_yaml(body: Mapping[str, Any]) -> str:
    """Return an object as YAML, without the fields of other managers' bookkeeping."""
    meta = {key: value for key, value in body.get("metadata", {}).items() if key != "managedFields"}
    return str(yaml.safe_dump({**body, "metadata": meta}, sort_keys=False, allow_unicode=True, width=100))


def _failure(job: Job) -> Failure | None:
    if job.phase is not Phase.FAILED:
        return None
    return Failure(job.reason or "Failed", job.message or "", REMEDIES.get(job.reason or "", ""))


def _cancel(job: Job) -> tuple[str, ...]:
    if not job.cancel:
        return ()
    by = f" by {job.canceled_by}" if job.canceled_by else ""
    why = f": {job.cancel_reason}" if job.cancel_reason else ""
    force = " It is to be killed at once." if job.cancel_mode is CancelMode.FORCE else ""
    outcome = next((each.message for each in job.conditions if each.type == JobCondition.CANCEL_REQUESTED), "")
    return tuple(each for each in (f"Cancel requested{by}{why}.{force}", outcome) if each)


def _facts(model: ProvisionerJob, job: Job) -> tuple[Fact, ...]:
    spec, status = model.spec, model.status
    reference = spec.template_ref
    template = " ".join(each for each in (reference.name, reference.version) if each) if reference else ""
    retry_of = model.metadata.annotations.get(RETRY_OF, "")
    daemon = job.assignment.daemon if job.assignment else ""
    workspace_href = paths.workspace(job.namespace, job.workspace) if job.workspace and job.builds_workspace else ""
    found = (
        Fact("Job ID", job.uid),
        Fact("Type", " · ".join(each for each in (JOB_TYPES[job.type], job.transition) if each)),
        Fact("Workspace", job.workspace or "", workspace_href),
        Fact("Workspace owner", job.workspace_owner or ""),
        Fact("Template", template),
        Fact("Provisioner", daemon, paths.provisioner(job.namespace, daemon) if daemon else ""),
        Fact("Program", job.demand.provisioner),
        Fact("Tags", format_tags(job.demand.tags)),
        Fact("Priority", str(job.priority) if job.priority else ""),
        Fact("Initiator", job.initiator or ""),
        Fact("Retry of", retry_of, paths.job(job.namespace, retry_of) if retry_of else ""),
        Fact("Commit", status.commit or ""),
    )
    return tuple(each for each in found if each.value)


def _times(job: Job, now: float) -> tuple[Fact, ...]:
    assigned = job.assignment.time if job.assignment else None
    found = (
        ("Created", job.created),
        ("Suspended", job.suspended_at),
        ("Assigned", assigned),
        ("Started", job.started),
        ("Ended", job.finished),
    )
    return tuple(Fact(label, "", moment=moment(at, now)) for label, at in found if at is not None)


def _conditions(job: Job, now: float) -> tuple[Condition, ...]:
    return tuple(
        Condition(each.type, each.status, each.reason, each.message, moment(each.since, now)) for each in job.conditions
    )


def _log(model: ProvisionerJob) -> str:
    log = model.status.log
    if log is None:
        return ""
    return f"{log.bytes:,} bytes{', its middle left out' if log.truncated else ''}"


def _commands(job: Job) -> tuple[Command, ...]:
    org, name = shlex.quote(job.namespace), shlex.quote(job.name)
    found: Sequence[tuple[str, str, bool]] = (
        ("Read it", f"kubectl -n {org} get pj {name} -o yaml", True),
        ("Explain it", f"kubectl provisioner -n {org} jobs why {name}", job.phase is Phase.PENDING),
        ("Follow its log", f"kubectl provisioner -n {org} jobs logs {name} --follow", job.phase in STARTED),
        ("Read its log", f"kubectl provisioner -n {org} jobs logs {name}", job.phase in TERMINAL),
        ("Cancel it", f"kubectl provisioner -n {org} jobs cancel {name}", job.phase not in TERMINAL),
        (
            "Cancel it with Coder's client",
            f"coder provisioner jobs cancel {shlex.quote(job.uid)} -O {org}",
            job.phase not in TERMINAL,
        ),
        ("Retry it", f"kubectl provisioner -n {org} jobs retry {name}", job.phase in TERMINAL),
    )
    return tuple(Command(label, text) for label, text, applies in found if applies)
