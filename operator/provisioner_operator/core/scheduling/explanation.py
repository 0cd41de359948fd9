"""Explain why a job is pending: the reason, the situation in words, and the smallest change that would unblock the job.

The reason names how far the best daemons get: none matches, or all that match are offline, cordoned or busy. The message
is written to the status of each job that waits, so it contains nothing that changes with every daemon or job: no counts,
no lists of names, no state of a pool. `jobs why` and `match` add these for whoever asks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.api.v1alpha1.names import QUEUE_NAME
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.matching import Demand, Supply, format_tags, satisfies, tags_match
from provisioner_operator.core.model.records import Job, ReportedState
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import LimitKey
from provisioner_operator.core.scheduling.smallest_change import Candidate, Edit, TagDaemon, sentence, smallest_change

_NAMED = 10
"""Jobs of a limit that an explanation names."""

STUCK = frozenset({PendingReason.NO_MATCHING_DAEMON, PendingReason.DAEMONS_OFFLINE, PendingReason.DAEMONS_CORDONED})
"""Reasons that need somebody to act."""


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
    """Reason and smallest change in words, for the status."""
    edits: tuple[Edit, ...]
    details: str = field(default="", compare=False)
    """Circumstances that change too often for the status: the job that goes first, or a pool's trouble."""


def explain(
    demand: Demand, candidates: Sequence[Candidate], growths: Iterable[Growth] = (), *, advised: str | None = None
) -> Explanation | None:
    """Explain a waiting demand, given all daemons of its organization and the pools that create more.

    Of changes that are equally small, one of the daemon `advised` is advised. Return None if one of the daemons is ready
    to take the demand.
    """
    matching = [each for each in candidates if satisfies(each.daemon.supply, demand)]
    if any(each.open and each.free for each in matching):
        return None
    if not any(each.open for each in matching):
        growing = sorted((each for each in growths if satisfies(each.supply, demand)), key=lambda each: each.pool)
        if (explanation := _explain_growth(growing, matching)) is not None:
            return explanation
    # The reason is about the matching daemons, so the advice is too.
    edits = smallest_change(demand, matching or candidates, advised)
    reason = _reason(matching)
    situation = _situation(reason, demand, has_daemons=bool(candidates))
    return Explanation(reason, f"{situation} {_advice(reason, demand, candidates, edits)}", edits)


def explain_busy_workspace(workspace: str | None, blocker: str | None) -> Explanation:
    """Explain a job that waits for other jobs of its workspace, the first of which is `blocker`; None if it is over."""
    first = "an earlier job whose run may not have ended yet" if blocker is None else blocker
    message = f"Waiting for earlier jobs of workspace {workspace}, which runs one job at a time, in order of creation."
    return Explanation(PendingReason.WORKSPACE_BUSY, message, (), f"First goes {first}.")


def explain_unsaved_state(state: ReportedState, daemon: str) -> Explanation:
    """Explain a job of a workspace whose state this daemon could not save yet."""
    message = (
        f"Job {state.job} could not save the Terraform state of workspace {state.workspace}. Daemon {daemon} keeps it and tries "
        "again; no job of the workspace starts before that succeeds, since its resources would be forgotten. "
        f"status.unsavedStates of ProvisionerDaemon {daemon} says why it fails: remove that cause (docs/state.md)."
    )
    return Explanation(PendingReason.STATE_UNSAVED, message, (), state.message)


def describe_unsaved_state(state: ReportedState, daemon: str) -> str:
    """Return the same for the status of the workspace, with what the daemon says."""
    explanation = explain_unsaved_state(state, daemon)
    return f"{explanation.message} Now: {explanation.details or 'it has not tried yet'}."


def explain_limit(queue: NamespaceQueue, limit: LimitKey) -> Explanation:
    """Explain a job that waits because a limit of its namespace's policy is reached."""
    name, group = limit
    per, most = queue.policy.limit(name).per, queue.policy.most(limit)
    whose = "" if per is None else f" for {per.describe(group)}"
    lets = f"lets {most} such job{'s' if most != 1 else ''} run at a time{whose}"
    remedy = "raise its maxRunning" if most == 0 else "wait until one of them ends, or raise its maxRunning"
    message = f"Limit {name} of ProvisionerQueue {QUEUE_NAME} {lets}. To unblock it: {remedy}."
    names = sorted((job.name for job in queue.slots.under(limit)), key=natural)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    details = f"Running under it: {', '.join(names[:_NAMED])}{more}." if names else ""
    return Explanation(PendingReason.LIMIT_REACHED, message, (), details)


_AWAITED = "After its start, the controller waits for the reports of "


def explain_awaited_reports(daemon: str | None) -> Explanation:
    """Explain a job of a workspace that waits until this daemon, None for one that is deleted, has shown what it runs."""
    who, remedy = (
        ("a deleted daemon", "Wait")
        if daemon is None
        else (f"daemon {daemon}", "If it has stopped, start it again, or wait")
    )
    message = f"{_AWAITED}{who}, since it may run something. {remedy} until it counts as lost (lostAfterSeconds)."
    return Explanation(PendingReason.WORKSPACE_BUSY, message, ())


def explain_restore() -> Explanation:
    """Explain a job of a workspace that waits since etcd was restored: daemons may run something that the backup does not know."""
    who = "daemons that the restored backup of etcd may lack"
    message = f"{_AWAITED}{who}, since they may run something. Wait until they count as lost, after five minutes."
    return Explanation(PendingReason.WORKSPACE_BUSY, message, ())


def awaits_reports(job: Job) -> bool:
    """Return whether the job's status says that it waits for a daemon's reports, which only the controller knows."""
    return job.reason == PendingReason.WORKSPACE_BUSY and (job.message or "").startswith(_AWAITED)


def _explain_growth(growing: Iterable[Growth], matching: Iterable[Candidate]) -> Explanation | None:
    """Explain a demand for which a pool is starting a daemon, or fails to; None if no pool can have another one."""
    is_starting = any(each.starting for each in matching)
    able = [each for each in growing if each.has_room or is_starting]
    sound = next((each for each in able if each.trouble is None), None)
    if sound is not None:
        message = f"Pool {sound.pool} is starting a daemon that matches."
        return Explanation(PendingReason.DAEMONS_STARTING, message, ())
    if not able:
        return None
    pool, trouble = able[0].pool, able[0].trouble or ""
    message = (
        f"Pool {pool} cannot start a daemon that matches. "
        f"To unblock it: fix the cause, which the condition Ready of ProvisionerPool {pool} describes."
    )
    return Explanation(PendingReason.DAEMONS_OFFLINE, message, (), f"Pool {pool}: {trouble}")


def _reason(matching: Sequence[Candidate]) -> PendingReason:
    if not matching:
        return PendingReason.NO_MATCHING_DAEMON
    if any(each.open for each in matching):
        return PendingReason.DAEMONS_BUSY
    if any(each.online for each in matching):
        return PendingReason.DAEMONS_CORDONED
    return PendingReason.DAEMONS_OFFLINE


def _situation(reason: PendingReason, demand: Demand, *, has_daemons: bool) -> str:
    match reason:
        case PendingReason.NO_MATCHING_DAEMON if not has_daemons:
            return f"There is no daemon in namespace {demand.namespace}."
        case PendingReason.NO_MATCHING_DAEMON:
            return f"No daemon matches provisioner {demand.provisioner} and tags {format_tags(demand.tags)}."
        case PendingReason.DAEMONS_OFFLINE:
            return "All matching daemons are offline or shutting down."
        case PendingReason.DAEMONS_CORDONED:
            return "All matching daemons are cordoned, offline or shutting down."
        case _:
            return "All matching daemons that take jobs are busy."


def _advice(reason: PendingReason, demand: Demand, candidates: Sequence[Candidate], edits: tuple[Edit, ...]) -> str:
    if reason is PendingReason.DAEMONS_BUSY:
        return "To unblock it: wait until a job on one of them ends, or raise the spec.capacity of one."
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
