"""Explain why a job is pending: the reason, the situation in words, and the smallest change that would unblock the job.

The reason names how far the best daemons get: none matches, or all that match are offline, cordoned or busy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.model.matching import Demand, Supply, format_tags, satisfies, tags_match
from provisioner_operator.core.scheduling.smallest_change import Candidate, Edit, TagDaemon, sentence, smallest_change

STUCK = frozenset({PendingReason.NO_MATCHING_DAEMON, PendingReason.DAEMONS_OFFLINE, PendingReason.DAEMONS_CORDONED})
"""Reasons that need somebody to act."""

_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Growth:
    """A pool of the job's organization that creates daemons when jobs wait."""

    pool: str
    supply: Supply
    has_room: bool = True
    """Whether it may have more daemons than it has now."""
    trouble: str | None = None
    """Message that says why its Pods do not become ready; None while nothing is wrong with them."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Reason why no daemon takes jobs of a demand now, and the smallest change after which one would.

    Without edits where a pool is starting a daemon: then nobody has to act.
    """

    reason: PendingReason
    message: str
    edits: tuple[Edit, ...]


def explain(demand: Demand, candidates: Sequence[Candidate], growths: Iterable[Growth] = ()) -> Explanation | None:
    """Explain a waiting demand, given all daemons of its organization and the pools that create more.

    Return None if one of the daemons is ready to take it.
    """
    matching = [each for each in candidates if satisfies(each.daemon.supply, demand)]
    if any(each.open and each.free for each in matching):
        return None
    if not any(each.open for each in matching):
        growing = sorted((each for each in growths if satisfies(each.supply, demand)), key=lambda each: each.pool)
        if (explanation := _explain_growth(growing, matching)) is not None:
            return explanation
    edits = smallest_change(demand, candidates)
    reason = _reason(matching)
    return Explanation(
        reason, f"{_situation(reason, demand, candidates, matching)} {_advice(demand, candidates, edits)}", edits
    )


def explain_busy_workspace(workspace: str | None, blocker: str) -> Explanation:
    """Explain a job that waits for another job of its workspace."""
    message = f"Waiting for {blocker}: workspace {workspace} runs one job at a time, in order of creation."
    return Explanation(PendingReason.WORKSPACE_BUSY, message, ())


def _explain_growth(growing: Iterable[Growth], matching: Iterable[Candidate]) -> Explanation | None:
    """Explain a demand for which a pool is starting a daemon, or fails to; None if no pool can have another one."""
    is_starting = any(each.daemon.pod_uid is not None and each.daemon.heartbeat is None for each in matching)
    able = [each for each in growing if each.has_room or is_starting]
    sound = next((each for each in able if each.trouble is None), None)
    if sound is not None:
        message = f"Pool {sound.pool} is starting a daemon that matches."
        return Explanation(PendingReason.DAEMONS_STARTING, message, ())
    if not able:
        return None
    failing = able[0]
    message = f"Pool {failing.pool} cannot start a daemon that matches. {failing.trouble} To unblock it: fix the cause."
    return Explanation(PendingReason.DAEMONS_OFFLINE, message, ())


def _reason(matching: Sequence[Candidate]) -> PendingReason:
    if not matching:
        return PendingReason.NO_MATCHING_DAEMON
    if any(each.open for each in matching):
        return PendingReason.DAEMONS_BUSY
    if any(each.online for each in matching):
        return PendingReason.DAEMONS_CORDONED
    return PendingReason.DAEMONS_OFFLINE


def _situation(
    reason: PendingReason, demand: Demand, candidates: Sequence[Candidate], matching: Sequence[Candidate]
) -> str:
    names = _listed([each.daemon.name for each in matching])
    match reason:
        case PendingReason.NO_MATCHING_DAEMON if not candidates:
            return f"There is no daemon in namespace {demand.namespace}."
        case PendingReason.NO_MATCHING_DAEMON:
            count = f"{len(candidates)} daemons" if len(candidates) > 1 else "1 daemon"
            wanted = f"provisioner {demand.provisioner} and tags {format_tags(demand.tags)}"
            return f"No daemon matches {wanted} ({count} in namespace {demand.namespace})."
        case PendingReason.DAEMONS_OFFLINE:
            return f"The matching daemons are offline: {names}."
        case PendingReason.DAEMONS_CORDONED:
            return f"The matching daemons are cordoned or offline: {names}."
        case _:
            return f"The matching daemons are busy: {names}."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"


def _advice(demand: Demand, candidates: Sequence[Candidate], edits: tuple[Edit, ...]) -> str:
    lacking = [edit for edit in edits if isinstance(edit, TagDaemon)]
    if lacking and len(lacking) == len(edits):
        name = lacking[0].daemon
        plural = "tags" if len(lacking) > 1 else "tag"
        tags = ", ".join(f"{edit.key}={edit.value}" for edit in lacking)
        nearest = next(each.daemon for each in candidates if each.daemon.name == name)
        # Without its last tag a job is untagged, which a daemon with other tags does not match either.
        if tags_match(nearest.supply.tags, demand.tags - {(edit.key, edit.value) for edit in lacking}):
            them = "them" if len(lacking) > 1 else "it"
            return (
                f"Daemon {name} would match without {plural} {tags}: "
                f"give it the {plural}, or submit the job without {them}."
            )
        return f"Daemon {name} lacks only the {plural} {tags}: give it the {plural}."
    return "To unblock it: " + "; ".join(sentence(edit) for edit in edits) + "."
