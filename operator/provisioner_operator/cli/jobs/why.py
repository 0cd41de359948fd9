"""`jobs why`: explain why a job is pending and when it is going to start, in the core's words and by its rules."""

import sys
from collections.abc import Sequence
from math import ceil

import orjson
from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import CliError
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.table import lines
from provisioner_operator.cli.output.times import duration, moment
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.fit_table import columns_in_use
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.jobs.timeouts import pending_deadline
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.core.views.fit import Fit, fits
from provisioner_operator.core.views.job_explanation import explain_job
from provisioner_operator.core.views.near_miss import near_misses
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.snapshot import Snapshot, waited
from provisioner_operator.core.views.wait_estimate import Forecast, unknown_because


def print_explanation(session: Session, name: str, *, as_json: bool) -> None:
    """Print why the job is pending."""
    job, snapshot, guess = read_explained(session, name, session.terminal.note)
    found = fits(job.demand, snapshot)
    if as_json:
        document = explanation_document(job, snapshot, guess, found)
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    for line in describe(job, snapshot, guess, utc=session.utc):
        session.terminal.out.print(line)
    if job.phase is Phase.PENDING and found:
        session.terminal.out.print()
        session.terminal.show(lines(columns_in_use(found), found, width=session.terminal.width))


def read_explained(session: Session, name: str, warn: loading.Warn) -> tuple[Job, Snapshot, StartEstimate | None]:
    """Read a job, the queue, and an estimate of the job's start if it is waiting in the queue."""
    _, model = loading.read_job(session.cluster, session.namespace, name)
    job = loading.job_view(model).job
    snapshot = loading.snapshot(session.cluster, session.namespace, warn)
    # The snapshot is newer.
    job = snapshot.jobs.get(job.uid, job)
    return job, snapshot, _estimate(session, job, snapshot, warn)


def _estimate(session: Session, job: Job, snapshot: Snapshot, warn: loading.Warn) -> StartEstimate | None:
    if job.uid not in snapshot.places:
        return None
    try:
        history = loading.run_history(session.cluster, session.namespace, warn)
    except CliError as error:
        warn(f"Past runs cannot be read, so it is unknown when the job starts: {error}")
        history = RunHistory()
    return Forecast(snapshot, history).start_of(job)


def describe(job: Job, snapshot: Snapshot, guess: StartEstimate | None, *, utc: bool) -> list[Text]:
    """Return the explanation in lines of text."""
    head = Text.assemble((job.name, "bold"), f" is {job.phase}")
    if job.phase is not Phase.PENDING:
        head.append(f", not pending. {job.message or ''}".rstrip())
        return [head, Text(f"`jobs show {job.name}` shows its history.", "dim")]
    head.append(f" for {duration(waited(job, snapshot.now))}")
    found = [head, Text(f"It needs provisioner {job.demand.provisioner} and tags {format_tags(job.demand.tags)}.")]
    found.append(_reason(job, snapshot))
    found += [Text(line) for line in _group(job, snapshot)]
    found += [Text(f"  {each.sentence}") for each in near_misses(job.demand, snapshot)]
    if (place := snapshot.places.get(job.uid)) is not None:
        found.append(Text(f"{describe_place(place)}."))
        found.append(Text(describe_start(job, snapshot, guess)))
    deadline = pending_deadline(job)
    if deadline is not None:
        left = duration(deadline - snapshot.now)
        found.append(
            Text(f"If it has not started by {moment(deadline, utc=utc)}, in {left}, it fails: PendingTimeout.")
        )
    return found


def describe_place(place: Place) -> str:
    """Return the place in the queue in words."""
    if place.size == 1:
        return "It is the only job in the queue for these tags"
    return f"It is number {place.position} of {place.size} in the queue for these tags"


def _reason(job: Job, snapshot: Snapshot) -> Text:
    explanation = explain_job(job, snapshot)
    if explanation is not None:
        style = "bold red" if explanation.reason in STUCK else "yellow"
        return Text.assemble((explanation.reason, style), f": {explanation.message} {explanation.details}".rstrip())
    if job.cancel:
        return Text("Its cancel was requested: the operator is about to end it.")
    if job.assignment is not None:
        return Text(f"It is assigned to daemon {job.assignment.daemon}, which is about to start it.")
    if job.workspace is not None:
        return Text(
            "A daemon is free for it. An operator that has just started waits for two heartbeats of each daemon first. If the "
            "job does not start then, the operator is down: run `doctor` to check."
        )
    return Text(
        "A daemon is free for it. If it does not start within seconds, the operator is down: run `doctor` to check."
    )


def _group(job: Job, snapshot: Snapshot) -> list[str]:
    """Say whose share of the slots the job is going to use; nothing unless the namespace's policy shares them."""
    queue = snapshot.policies.of(job.namespace)
    if queue is None or queue.policy.fairness is None:
        return []
    group = queue.policy.group_of(job)
    whose = queue.policy.fairness.by.describe(group)
    return [f"It counts for {whose}, with {queue.slots.of_group(group)} of the {len(queue.slots)} jobs that run."]


def describe_start(job: Job, snapshot: Snapshot, guess: StartEstimate | None) -> str:
    """Return the estimate of the start in words."""
    if guess is None:
        return f"When it starts is unknown: {unknown_because(job, snapshot)}."
    if guess.p90 <= 0:
        return "It is about to start: a daemon is free for it."
    basis = f"at least {counted(guess.runs, 'past run')} of each kind"
    return (
        f"It starts in {duration(ceil(guess.p50))} (p50), or {duration(ceil(guess.p90))} (p90), estimated from {basis}."
    )


def explanation_document(
    job: Job, snapshot: Snapshot, guess: StartEstimate | None, found: Sequence[Fit]
) -> dict[str, object]:
    """Return the explanation as a JSON document."""
    explanation = explain_job(job, snapshot) if job.phase is Phase.PENDING else None
    place = snapshot.places.get(job.uid)
    return {
        "job": job.name,
        "namespace": job.namespace,
        "phase": job.phase,
        "reason": explanation.reason if explanation else None,
        "message": explanation.message if explanation else job.message,
        "details": explanation.details or None if explanation else None,
        "nearest": [each.sentence for each in near_misses(job.demand, snapshot)] if explanation else [],
        "stuck": job.uid in snapshot.jobs and snapshot.is_stuck(job),
        "waitedSeconds": int(waited(job, snapshot.now)),
        "queue": None if place is None else {"position": place.position, "size": place.size},
        "estimate": estimate_document(guess),
        "daemons": [
            {
                "name": fit.daemon,
                "matches": fit.matches,
                "state": fit.state,
                "lacks": fit.lacks,
                "hasTooMany": fit.has_too_many,
                "lastSeenSeconds": None if fit.last_seen is None else int(fit.last_seen),
            }
            for fit in found
        ],
    }


def estimate_document(guess: StartEstimate | None) -> dict[str, int] | None:
    """Return the estimate of a start as a JSON document."""
    return None if guess is None else {"p50Seconds": ceil(guess.p50), "p90Seconds": ceil(guess.p90), "runs": guess.runs}
