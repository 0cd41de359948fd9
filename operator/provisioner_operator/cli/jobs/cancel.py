"""`jobs cancel`: one write for each job, with its precondition; nothing is called canceled before it is."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.cli.api.client import Body
from provisioner_operator.cli.errors import (
    CliError,
    Exit,
    NotFoundError,
    PreconditionError,
    TimedOutError,
    UsageError,
    combined,
)
from provisioner_operator.cli.jobs import table
from provisioner_operator.cli.jobs.follow import follow
from provisioner_operator.cli.output.table import chosen, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.view.job_filter import Selection
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.json_patch import Field, JsonPatch
from provisioner_operator.kube import paths, selectors

_RACES = 5
"""How often a write is made anew when the job changed between reading and writing it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How the jobs are to be canceled."""

    reason: str | None = None
    if_pending: bool = False
    force: bool = False
    wait: bool = False
    timeout: float | None = None
    dry_run: bool = False
    yes: bool = False


class NothingToDoError(Exception):
    """There is nothing to write; the message says why."""


def cancel_jobs(
    session: Session, names: Sequence[str], selection: Selection, selector: str | None, asked: Asked
) -> Exit:
    """Cancel these jobs, or those that are selected."""
    found = tuple(dict.fromkeys(names)) or _selected(session, selection, selector, asked)
    if not found:
        return Exit.OK
    codes: dict[str, Exit] = {}
    for name in found:
        try:
            session.terminal.say(f"{name}: {cancel_one(session, name, asked)}")
            codes[name] = Exit.OK
        except NothingToDoError as said:
            session.terminal.say(f"{name}: {said}")
            codes[name] = Exit.OK
        except CliError as error:
            session.terminal.note(f"{name}: {error}")
            codes[name] = error.code
    if asked.wait and not asked.dry_run:
        accepted = [name for name, code in codes.items() if code is Exit.OK]
        codes |= _await_ends(session, accepted, asked.timeout)
    return combined(codes.values())


def cancel_patch(body: Body, asked: Asked) -> JsonPatch:
    """The write: it holds only for the job as it was read, in the phase that is asked for.

    Raises PreconditionError, or says that there is nothing to do.
    """
    spec, status = body["spec"], body.get("status") or {}
    phase = Phase(status.get("phase") or Phase.PENDING)
    mode = CancelMode.FORCE if asked.force else None
    if phase is Phase.CANCELED:
        raise NothingToDoError("is Canceled already")
    if phase in TERMINAL:
        raise PreconditionError(f"It has ended: it is {phase}.")
    if asked.if_pending and phase is not Phase.PENDING:
        raise PreconditionError(f"It is not pending any more: it is {phase}. Nothing was changed.")
    is_asked = bool(spec.get("cancel"))
    if is_asked and (mode is None or spec.get("cancelMode") == mode):
        raise NothingToDoError(f"its cancel was asked for already; it is {phase}")
    tests: list[Field] = [("/metadata/uid", body["metadata"]["uid"])]
    if asked.if_pending:
        tests.append(("/status/phase", Phase.PENDING))
    sets: list[Field] = []
    if not is_asked:
        sets.append(("/spec/cancel", True))
    if mode is not None:
        sets.append(("/spec/cancelMode", mode))
    if asked.reason is not None and not is_asked:
        sets.append(("/spec/cancelReason", asked.reason))
    return JsonPatch(tests=tuple(tests), sets=tuple(sets))


def cancel_one(session: Session, name: str, asked: Asked) -> str:
    """Ask for the cancel of one job; what came of it, in words. Raises NothingToDoError, or CliError."""
    path = paths.job(session.namespace, name)
    for attempt in range(_RACES):
        body = session.cluster.get(path)
        patch = cancel_patch(body, asked)
        try:
            session.cluster.json_patch(path, patch, dry_run=asked.dry_run, role="provisioner-admin")
        except PreconditionError:
            if attempt + 1 == _RACES:
                raise
            continue  # it changed meanwhile: look again what is true now
        phase = Phase((body.get("status") or {}).get("phase") or Phase.PENDING)
        if asked.dry_run:
            return f"would be canceled (dry run); it is {phase}"
        if phase in STARTED:
            how = "it is being killed" if asked.force else "its run is being interrupted"
            return f"cancel asked for; {how}"
        return "cancel asked for; it has not started"
    raise AssertionError("unreachable")


def _selected(session: Session, selection: Selection, selector: str | None, asked: Asked) -> tuple[str, ...]:
    """The names of the jobs that are selected, once they were shown and the question was answered."""
    terminal, cluster, warn = session.terminal, session.cluster, session.terminal.note
    if selection.phases & TERMINAL:
        raise UsageError("A job that has ended cannot be canceled: choose pending, running, canceling or stuck.")
    scene = loading.scene(cluster, session.scope, warn)
    params = {"labelSelector": selector} if selector else {}
    views = [
        view
        for _, view in loading.job_views(
            cluster, session.scope, warn, {"fieldSelector": selectors.UNFINISHED_JOBS} | params
        )
    ]
    meant = [
        view
        for view in views
        if selection.includes(view, scene) and not (asked.if_pending and view.job.phase is not Phase.PENDING)
    ]
    if not meant:
        terminal.note("No job is like that: there is nothing to cancel.")
        return ()
    rows = table.sorted_rows([table.job_row(view, scene, cluster.now()) for view in meant], "created")
    if not asked.yes:
        columns = chosen(table.columns(namespaced=False), (), wide=False)
        terminal.show(lines(columns, rows, width=terminal.width))
        if not asked.dry_run:
            _ask(session, len(rows))
    return tuple(row.view.job.name for row in rows)


def _ask(session: Session, count: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here: add --yes to cancel these jobs.")
    jobs = "this job" if count == 1 else f"these {count} jobs"
    if not session.terminal.confirm(f"Cancel {jobs} in namespace {session.namespace}?"):
        raise PreconditionError("Not confirmed: nothing was changed.")


def _await_ends(session: Session, names: Sequence[str], timeout: float | None) -> dict[str, Exit]:
    codes: dict[str, Exit] = {}
    if not names:
        return codes
    terminal = session.terminal
    last: dict[str, str] = {}
    try:
        for name, body in follow(session.cluster, session.namespace, names, timeout=timeout, say=terminal.note):
            if name in codes:
                continue
            status = (body or {}).get("status") or {}
            phase = Phase(status.get("phase") or Phase.PENDING)
            if body is None:
                terminal.note(f"{name}: it was deleted meanwhile.")
                codes[name] = NotFoundError.code
            elif phase in TERMINAL:
                codes[name] = _tell_end(session, name, phase, status.get("message") or "")
            elif last.get(name) != phase:
                terminal.note(f"{name}: {phase} …", "dim")
            last[name] = phase
            if len(codes) == len(names):
                break
    except TimedOutError as error:
        missing = [f"{name} ({last.get(name, 'unknown')})" for name in names if name not in codes]
        terminal.note(f"{error} Not ended yet: {', '.join(missing)}. Their cancel stays asked for.")
        codes |= {name: TimedOutError.code for name in names if name not in codes}
    return codes


def _tell_end(session: Session, name: str, phase: Phase, message: str) -> Exit:
    session.terminal.out.print(Text(f"{name}: {phase}. {message}".rstrip(), table.PHASE_STYLES[phase]))
    return Exit.OK if phase is Phase.CANCELED else Exit.FAILED
