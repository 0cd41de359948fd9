"""`jobs wait`: wait until jobs reach a status, or can no longer reach it."""

from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import Exit, NotFoundError, TimedOutError, combined
from provisioner_operator.cli.output.terminal import Terminal
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view.follow import follow
from provisioner_operator.core.jobs.lifecycle import TERMINAL, TRANSITIONS
from provisioner_operator.core.jobs.requests import JobState


def goal_phases(goal: str) -> frozenset[Phase]:
    """Return the phases that fulfill the goal."""
    if goal == "ended":
        return TERMINAL
    if goal == "started":
        return frozenset(Phase) - {Phase.PENDING}
    return frozenset(phase for phase in Phase if phase.lower() == goal)


def is_reachable(phase: Phase, goal: frozenset[Phase]) -> bool:
    """Return whether a job in this phase is in one of the goal's phases, or can still reach one."""
    seen: set[Phase] = set()
    ahead = [phase]
    while ahead:
        each = ahead.pop()
        if each in goal:
            return True
        if each not in seen:
            seen.add(each)
            ahead.extend(TRANSITIONS[each])
    return False


def wait_for(session: Session, names: Sequence[str], goal: str, timeout: float | None) -> Exit:
    """Wait for all of these jobs."""
    terminal = session.terminal
    wanted = tuple(dict.fromkeys(names))
    codes: dict[str, Exit] = {}
    last: dict[str, Phase] = {}
    try:
        for name, job in follow(session.cluster, session.namespace, wanted, timeout=timeout, note=terminal.note):
            if name in codes:
                continue
            if job is not None:
                last[name] = job.phase
            code = _judge(terminal, name, job, goal)
            if code is not None:
                codes[name] = code
            if len(codes) == len(wanted):
                break
    except TimedOutError as error:
        missing = [f"{name} ({last.get(name, 'unknown')})" for name in wanted if name not in codes]
        terminal.note(f"{error} Not {goal} yet: {', '.join(missing)}.")
        return TimedOutError.code
    return combined(codes.values())


def _judge(terminal: Terminal, name: str, job: JobState | None, goal: str) -> Exit | None:
    """Report a job whose wait is over, and return its exit code; None to continue waiting."""
    if job is None:
        terminal.note(f"{name}: does not exist, or was deleted.")
        return NotFoundError.code
    phases = goal_phases(goal)
    if job.phase in phases:
        terminal.say(f"{name}: {job.phase}")
        return Exit.OK
    if not is_reachable(job.phase, phases):
        terminal.note(f"{name}: {job.phase}, so it can no longer be {goal}. {job.message}".rstrip())
        return Exit.FAILED
    return None
