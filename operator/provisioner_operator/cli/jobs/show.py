"""`jobs show`: everything about one job, the most urgent first."""

import sys
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import EndReason, JobCondition, Phase
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.job_status import StageTiming
from provisioner_operator.cli.errors import require
from provisioner_operator.cli.jobs.table import PHASE_STYLES
from provisioner_operator.cli.jobs.why import describe_place
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import safe
from provisioner_operator.cli.output.times import duration, moment
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.retry import RETRY_OF
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.job_explanation import explain_job
from provisioner_operator.core.views.snapshot import Snapshot, ran, waited

_BAR = 24
"""Width of the bar of the longest stage, in cells."""
_SHOWN = 20
"""Most resources, and most outputs, to list; the rest is counted."""

WHAT_TO_DO: dict[str, str] = {
    EndReason.PENDING_TIMEOUT: "No daemon started it in time. Check why such jobs wait (`match`, `daemons list`), then `jobs retry` it.",
    EndReason.DEADLINE_EXCEEDED: "Find in its log what took so long, or submit a new job with a longer spec.activeDeadlineSeconds.",
    EndReason.DAEMON_LOST: "Check its daemon (`daemons show`), then `jobs retry` it.",
    EndReason.STALLED: "Find in its log (`jobs logs`) what it waited for, then `jobs retry` it.",
    EndReason.RUN_FAILED: "Read the end of its log (`jobs logs --tail 50`), fix the template or its variables, then `jobs retry` it.",
    EndReason.SOURCE_UNAVAILABLE: "Create what the message names, then `jobs retry` it.",
    EndReason.VARIABLE_UNAVAILABLE: "Create what the message names, then `jobs retry` it.",
    EndReason.STATE_LOCKED: "Wait until the holder of the lock, named in the message, is done, or `workspaces unlock` if it is dead; then `jobs retry` it.",
    EndReason.DELETED: "It is gone once its finalizers (metadata.finalizers) are removed; submit a new job.",
    EndReason.DAEMON_SHUTDOWN: "Its daemon was stopped during the run: `jobs retry` it.",
}
"""The next step after a failure, by its reason."""


def show_job(session: Session, name: str, form: str | None) -> None:
    """Print the job."""
    if form is not None:
        require(
            formats.is_for_programs(formats.checked(form)),
            f"`show` has no form {form!r}. Choose from: json, yaml, name, jsonpath=TEMPLATE; or leave out -o for text.",
        )
    body, model = loading.read_job(session.cluster, session.namespace, name)
    if form is not None:
        formats.write_one(sys.stdout, form, body)
        return
    snapshot = None
    if model.status.phase is Phase.PENDING:
        snapshot = loading.snapshot(session.cluster, session.namespace, session.terminal.note)
    for line in describe(model, snapshot, now=session.cluster.now(), utc=session.utc):
        session.terminal.out.print(line)


def describe(model: ProvisionerJob, snapshot: Snapshot | None, *, now: float, utc: bool) -> Iterator[Text]:
    """Yield the job in lines of text."""
    job = loading.job_view(model).job
    status = model.status
    yield Text.assemble((job.name, "bold"), f" in {job.namespace}: ", (job.phase, PHASE_STYLES[job.phase]))
    yield from _facts(model, job)
    yield from _section("Now", _present(job, snapshot, now))
    yield from _section("Cancel", _cancel(job))
    yield from _section("Life", _life(job, now, utc=utc))
    yield from _section("Stages", _stages(status.timings, now))
    yield from _section(
        "Resources", _some([f"{each.action:<8} {each.address}" for each in status.resources], "resources")
    )
    yield from _section("Outputs", _some([f"{each.name} = {each.value}" for each in status.outputs], "outputs"))
    if status.log is not None:
        cut = ", its middle left out" if status.log.truncated else ""
        yield from _section("Log", [f"{status.log.bytes} bytes{cut}: `jobs logs {job.name}`"])


def _facts(model: ProvisionerJob, job: Job) -> Iterator[Text]:
    spec, status = model.spec, model.status
    facts: list[tuple[str, str]] = [
        ("Type", " ".join(each for each in (job.type, job.transition) if each)),
        ("Workspace", job.workspace or ""),
        ("Owner", (spec.workspace_ref.owner or "") if spec.workspace_ref else ""),
        ("Template", _template(model)),
        ("Provisioner", job.demand.provisioner),
        ("Tags", format_tags(job.demand.tags)),
        ("Priority", str(job.priority) if job.priority else ""),
        ("Submitted by", spec.initiator or "unknown"),
        ("Repeats", model.metadata.annotations.get(RETRY_OF, "")),
        ("Daemon", job.assignment.daemon if job.assignment else ""),
        ("Commit", status.commit or ""),
    ]
    for name, value in facts:
        if value:
            yield Text.assemble((f"  {name + ':':<14}", "dim"), safe(value))


def _template(model: ProvisionerJob) -> str:
    reference = model.spec.template_ref
    if reference is None:
        return ""
    return f"{reference.name} {reference.version}" if reference.version else reference.name


def _section(title: str, content: Iterable[str | Text]) -> Iterator[Text]:
    found = list(content)
    if found:
        yield Text(title, "bold")
        for line in found:
            yield Text.assemble("  ", line if isinstance(line, Text) else safe(line))


def _present(job: Job, snapshot: Snapshot | None, now: float) -> list[str | Text]:
    if job.phase is Phase.PENDING and snapshot is not None:
        current = snapshot.jobs.get(job.uid, job)
        explanation = explain_job(current, snapshot)
        place = snapshot.places.get(job.uid)
        found: list[str | Text] = [f"has waited for {duration(waited(job, now))}"]
        if explanation is not None:
            message = f"{explanation.message} {explanation.details}".rstrip()
            found.append(Text.assemble((explanation.reason, "bold"), f": {safe(message)}"))
        if place is not None:
            found.append(f"{describe_place(place)}.")
        return found
    found = []
    if job.reason and job.reason != job.phase:
        style = "bold red" if job.phase is Phase.FAILED else "bold"
        found.append(Text.assemble((job.reason, style), f": {safe(job.message or '')}"))
    elif job.message:
        found.append(job.message)
    if job.phase is Phase.FAILED and job.reason in WHAT_TO_DO:
        found.append(Text.assemble(("What to do: ", "bold"), WHAT_TO_DO[job.reason]))
    return found


def _cancel(job: Job) -> list[str]:
    if not job.cancel:
        return []
    by = f" by {job.canceled_by}" if job.canceled_by else ""
    why = f": {job.cancel_reason}" if job.cancel_reason else ""
    found = [f"requested{by} ({job.cancel_mode}){why}"]
    outcome = next((each for each in job.conditions if each.type == JobCondition.CANCEL_REQUESTED), None)
    if outcome is not None:
        found.append(f"{outcome.reason}: {outcome.message}" if outcome.message else outcome.reason)
    return found


def _life(job: Job, now: float, *, utc: bool) -> list[str]:
    events: list[tuple[float, str]] = [(job.created, "submitted")]
    if job.suspended_at is not None:
        events.append((job.suspended_at, "suspended"))
    if job.assignment is not None:
        events.append((job.assignment.time, f"assigned to {job.assignment.daemon}"))
    if job.started is not None:
        events.append((job.started, f"started after {duration(waited(job, now))}"))
    requested = next((each for each in job.conditions if each.type == JobCondition.CANCEL_REQUESTED), None)
    if requested is not None:
        events.append((requested.since, "cancel observed by the operator"))
    if job.finished is not None:
        seconds = ran(job, now)
        took = "" if seconds is None else f" after a run of {duration(seconds)}"
        events.append((job.finished, f"{job.phase}{took}"))
    lines = [f"{moment(when, utc=utc)}  {what}" for when, what in sorted(events, key=lambda event: event[0])]
    if job.phase not in TERMINAL:
        seconds = ran(job, now)
        lines.append(
            f"{moment(now, utc=utc)}  {job.phase} for {duration(waited(job, now) if seconds is None else seconds)}"
        )
    return lines


def _stages(timings: Sequence[StageTiming], now: float) -> list[str | Text]:
    taken = [
        ((timing.finished_at.timestamp() if timing.finished_at else now) - timing.started_at.timestamp())
        for timing in timings
    ]
    longest = max([*taken, 1.0])
    return [
        Text.assemble(
            f"{timing.stage:<10} {duration(seconds):>6}  ",
            ("━" * max(1, round(_BAR * seconds / longest)), "cyan" if timing.finished_at else "yellow"),
            "" if timing.finished_at else " …",
        )
        for timing, seconds in zip(timings, taken, strict=True)
    ]


def _some(lines: Sequence[str], what: str) -> list[str]:
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"and {more} more {what}; -o json shows all"] if more > 0 else list(lines)
