"""`jobs wait`: until jobs are what is waited for, or cannot become it any more."""

from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import Exit, NotFoundError, TimedOutError, combined
from provisioner_operator.cli.jobs.follow import follow
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.lifecycle import TERMINAL, TRANSITIONS


def goal_phases(goal: str) -> frozenset[Phase]:
    """The phases in which a job is what is waited for."""
    if goal == "ended":
        return TERMINAL
    if goal == "started":
        return frozenset(Phase) - {Phase.PENDING}
    return frozenset(phase for phase in Phase if phase.lower() == goal)


def is_reachable(phase: Phase, goal: frozenset[Phase]) -> bool:
    """Whether a job of this phase may still come to one of those."""
    seen: set[Phase] = set()
    coming = [phase]
    while coming:
        each = coming.pop()
        if each in goal:
            return True
        if each not in seen:
            seen.add(each)
            coming.extend(TRANSITIONS[each])
    return False


def wait_for(session: Session, names: Sequence[str], goal: str, timeout: float | None) -> Exit:
    """Wait for all of these jobs."""
    terminal, phases = session.terminal, goal_phases(goal)
    wanted = tuple(dict.fromkeys(names))
    codes: dict[str, Exit] = {}
    last: dict[str, str] = {}
    try:
        for name, body in follow(session.cluster, session.namespace, wanted, timeout=timeout, say=terminal.note):
            if name in codes:
                continue
            if body is None:
                terminal.note(f"{name}: there is no such job, or no longer.")
                codes[name] = NotFoundError.code
            else:
                status = body.get("status") or {}
                phase = Phase(status.get("phase") or Phase.PENDING)
                last[name] = phase
                if phase in phases:
                    terminal.say(f"{name}: {phase}")
                    codes[name] = Exit.OK
                elif not is_reachable(phase, phases):
                    terminal.note(f"{name}: {phase}, so not {goal} any more. {status.get('message') or ''}".rstrip())
                    codes[name] = Exit.FAILED
            if len(codes) == len(wanted):
                break
    except TimedOutError as error:
        missing = [f"{name} ({last.get(name, 'unknown')})" for name in wanted if name not in codes]
        terminal.note(f"{error} Not {goal} yet: {', '.join(missing)}.")
        return TimedOutError.code
    return combined(codes.values())
