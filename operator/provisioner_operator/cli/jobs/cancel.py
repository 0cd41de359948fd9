"""`jobs cancel`: request the cancellation of jobs, one conditional write each, and wait for their end if asked to."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import (
    Exit,
    NotFoundError,
    PreconditionError,
    TimedOutError,
    UsageError,
    combined,
)
from provisioner_operator.cli.jobs import table
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.output.table import chosen, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.follow import follow
from provisioner_operator.cli.view.job_filter import Selection
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.requests import CancelRequest, JobState, cancel_patch
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.object_states import job_state


@dataclass(frozen=True, slots=True)
class CancelOptions:
    """The options of `jobs cancel`."""

    reason: str | None = None
    if_pending: bool = False
    force: bool = False
    wait: bool = False
    timeout: float | None = None
    dry_run: bool = False
    yes: bool = False


def cancel_jobs(
    session: Session, names: Sequence[str], selection: Selection, selector: str | None, options: CancelOptions
) -> Exit:
    """Cancel the named jobs, or the selected ones."""
    targets = names or _confirmed(session, selection, selector, options)
    codes = for_each(session.terminal, targets, lambda name: cancel_one(session, name, options))
    if options.wait and not options.dry_run:
        accepted = [name for name, code in codes.items() if code is Exit.OK]
        codes |= _await_ends(session, accepted, options.timeout)
    return combined(codes.values())


def cancel_one(session: Session, name: str, options: CancelOptions) -> str:
    """Request the cancellation of one job; returns the outcome in words. Raises NothingToDoError, or CliError."""
    request = CancelRequest(options.reason, options.force, Phase.PENDING if options.if_pending else None)
    before = change(
        session.cluster,
        paths.job(session.namespace, name),
        lambda body: cancel_patch(job_state(body), request),
        dry_run=options.dry_run,
        role="provisioner-admin",
    )
    phase = job_state(before).phase
    if options.dry_run:
        return f"would be canceled (dry run); it is {phase}"
    if phase in STARTED:
        return f"cancel requested; {'its run is being killed' if options.force else 'its run is being interrupted'}"
    return "cancel requested; it has not started"


def _confirmed(session: Session, selection: Selection, selector: str | None, options: CancelOptions) -> tuple[str, ...]:
    """Return the names of the selected jobs after showing them and asking for confirmation."""
    terminal, cluster = session.terminal, session.cluster
    if selection.phases & TERMINAL:
        raise UsageError("A job that has ended cannot be canceled: choose pending, running, canceling or stuck.")
    snapshot = loading.snapshot(cluster, session.scope, terminal.note)
    params = {"fieldSelector": selectors.UNFINISHED_JOBS} | ({"labelSelector": selector} if selector else {})
    selected = [
        view
        for _, view in loading.job_views(cluster, session.scope, terminal.note, params)
        if selection.includes(view, snapshot) and (view.job.phase is Phase.PENDING or not options.if_pending)
    ]
    if not selected:
        terminal.note("No unfinished job matches: there is nothing to cancel.")
        return ()
    rows = table.sorted_rows([table.job_row(view, snapshot, cluster.now()) for view in selected], "created")
    if not options.yes:
        columns = chosen(table.columns(namespaced=False), (), wide=False)
        terminal.show(lines(columns, rows, width=terminal.width))
        if not options.dry_run:
            _ask(session, len(rows))
    return tuple(row.view.job.name for row in rows)


def _ask(session: Session, count: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError("Standard input is not a terminal to ask for confirmation: add --yes to cancel these jobs.")
    jobs = "this job" if count == 1 else f"these {count} jobs"
    if not session.terminal.confirm(f"Cancel {jobs} in namespace {session.namespace}?"):
        raise PreconditionError("Not confirmed: nothing was changed.")


def _await_ends(session: Session, names: Sequence[str], timeout: float | None) -> dict[str, Exit]:
    codes: dict[str, Exit] = {}
    if not names:
        return codes
    terminal = session.terminal
    last: dict[str, Phase] = {}
    try:
        for name, job in follow(session.cluster, session.namespace, names, timeout=timeout, note=terminal.note):
            if name in codes:
                continue
            if job is None:
                terminal.note(f"{name}: it was deleted before it ended.")
                codes[name] = NotFoundError.code
            elif job.phase in TERMINAL:
                codes[name] = _report_end(session, job)
            elif last.get(name) != job.phase:
                last[name] = job.phase
                terminal.note(f"{name}: {job.phase} …", "dim")
            if len(codes) == len(names):
                break
    except TimedOutError as error:
        missing = [name for name in names if name not in codes]
        listed = ", ".join(f"{name} ({last.get(name, 'unknown')})" for name in missing)
        terminal.note(f"{error} Not ended yet: {listed}. Their cancel remains requested.")
        codes |= dict.fromkeys(missing, TimedOutError.code)
    return codes


def _report_end(session: Session, job: JobState) -> Exit:
    line = f"{job.meta.name}: {job.phase}. {job.message}".rstrip()
    session.terminal.out.print(Text(line, table.PHASE_STYLES[job.phase]))
    return Exit.OK if job.phase is Phase.CANCELED else Exit.FAILED
