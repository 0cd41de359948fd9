"""Why a job is pending, and the smallest change that would unblock it.

A change is a set of edits, each undoing one obstacle between the job and one daemon; the smallest has the fewest edits,
and of equals the least intrusive (wait, uncordon, bring online, retag, install). The reason names how far the best
daemons get: none matches, those that match are offline, or cordoned, or busy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import PendingReason, Provisioner
from provisioner_operator.core.model.matching import (
    OWNER,
    SCOPE,
    UNTAGGED,
    Demand,
    Supply,
    Tags,
    format_tags,
    satisfies,
    tags_match,
)
from provisioner_operator.core.model.records import Daemon

STUCK = frozenset({PendingReason.NO_MATCHING_DAEMON, PendingReason.DAEMONS_OFFLINE, PendingReason.DAEMONS_CORDONED})
"""Reasons that do not pass by themselves."""

_RESERVED = frozenset({SCOPE, OWNER})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A daemon of the job's organization, as the queue sees it now."""

    daemon: Daemon
    online: bool
    free: bool

    @property
    def open(self) -> bool:
        """Whether it takes new jobs at all."""
        return self.online and not self.daemon.cordoned


@dataclass(frozen=True, slots=True)
class Growth:
    """A pool of the job's organization that makes daemons when jobs wait."""

    pool: str
    supply: Supply
    has_room: bool = True
    """Whether it may have more daemons than it has."""
    trouble: str | None = None
    """Why its Pods do not come to work; None while nothing is wrong with them."""


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """Let one of the daemon's jobs end, or raise its capacity."""

    daemon: str


@dataclass(frozen=True, slots=True)
class Uncordon:
    """Set the daemon's spec.cordoned to false."""

    daemon: str


@dataclass(frozen=True, slots=True)
class BringOnline:
    """Start the daemon, or mend its way to the API server."""

    daemon: str


@dataclass(frozen=True, slots=True)
class TagDaemon:
    """Give the daemon a tag, or that tag another value."""

    daemon: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ScopeDaemon:
    """Give the daemon the job's scope and owner."""

    daemon: str
    scope: str
    owner: str


@dataclass(frozen=True, slots=True)
class TagJob:
    """Submit the job with a tag of the daemon."""

    daemon: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ScopeJob:
    """Submit the job with the daemon's scope and owner."""

    daemon: str
    scope: str
    owner: str


@dataclass(frozen=True, slots=True)
class AddProvisioner:
    """Let the daemon run that program."""

    daemon: str
    provisioner: Provisioner


@dataclass(frozen=True, slots=True)
class StartDaemon:
    """Start a daemon that satisfies the demand: there is none at all."""

    demand: Demand


Edit = AwaitSlot | Uncordon | BringOnline | TagDaemon | ScopeDaemon | TagJob | ScopeJob | AddProvisioner | StartDaemon

_INTRUSIVENESS: dict[type, int] = {
    AwaitSlot: 0,
    Uncordon: 1,
    BringOnline: 2,
    TagJob: 3,
    ScopeJob: 4,
    TagDaemon: 5,
    ScopeDaemon: 6,
    AddProvisioner: 7,
    StartDaemon: 8,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why no daemon takes jobs of a demand now, and the smallest change after which one would.

    There are no edits where a pool is to bring up a daemon: that is nobody's to make by hand.
    """

    reason: PendingReason
    message: str
    edits: tuple[Edit, ...]


def explain(demand: Demand, candidates: Sequence[Candidate], growths: Iterable[Growth] = ()) -> Explanation | None:
    """Explain a demand that waits, given all daemons of its organization and the pools that make more.

    None if one of the daemons is ready to take it.
    """
    matching = [each for each in candidates if satisfies(each.daemon.supply, demand)]
    if any(each.open and each.free for each in matching):
        return None
    if not any(each.open for each in matching):
        growing = sorted((each for each in growths if satisfies(each.supply, demand)), key=lambda each: each.pool)
        if (explanation := _explain_growth(growing, matching)) is not None:
            return explanation
    edits = _smallest_change(demand, candidates)
    reason = _reason(matching)
    return Explanation(
        reason, f"{_situation(reason, demand, candidates, matching)} {_advice(demand, candidates, edits)}", edits
    )


def _explain_growth(growing: Iterable[Growth], matching: Iterable[Candidate]) -> Explanation | None:
    """No daemon takes the demand now: is a pool about to bring one up that does, or does it try in vain?"""
    is_starting = any(each.daemon.pod_uid is not None and each.daemon.heartbeat is None for each in matching)
    able = [each for each in growing if each.has_room or is_starting]
    sound = next((each for each in able if each.trouble is None), None)
    if sound is not None:
        message = f"Pool {sound.pool} is bringing up a daemon for it."
        return Explanation(PendingReason.DAEMONS_STARTING, message, ())
    if not able:
        return None
    failing = able[0]
    message = f"Pool {failing.pool} cannot bring up a daemon for it. {failing.trouble} To unblock it: mend that."
    return Explanation(PendingReason.DAEMONS_OFFLINE, message, ())


def _smallest_change(demand: Demand, candidates: Iterable[Candidate]) -> tuple[Edit, ...]:
    changes = (_obstacles(demand, candidate) for candidate in candidates)
    return min(changes, key=_cost, default=(StartDaemon(demand),))


def _cost(edits: tuple[Edit, ...]) -> tuple[int, int, str]:
    return (len(edits), sum(_INTRUSIVENESS[type(edit)] for edit in edits), repr(edits[:1]))


def _obstacles(demand: Demand, candidate: Candidate) -> tuple[Edit, ...]:
    daemon, name = candidate.daemon, candidate.daemon.name
    edits: list[Edit] = []
    if demand.provisioner not in daemon.supply.provisioners:
        edits.append(AddProvisioner(name, demand.provisioner))
    edits.extend(_tag_edits(demand.tags, daemon.supply.tags, name))
    if not candidate.online:
        edits.append(BringOnline(name))
    if daemon.cordoned:
        edits.append(Uncordon(name))
    if not candidate.free:
        edits.append(AwaitSlot(name))
    return tuple(edits)


def _tag_edits(job: Tags, daemon: Tags, name: str) -> list[Edit]:
    if tags_match(daemon, job):
        return []
    if job == UNTAGGED:
        # The job must come to name one thing that the daemon has: any tag will do, else its scope.
        tags = sorted((key, value) for key, value in daemon if key not in _RESERVED)
        if _scope(daemon) != _scope(job):
            return [ScopeJob(name, *_scope(daemon))]
        return [TagJob(name, *tags[0])]
    edits: list[Edit] = [TagDaemon(name, key, value) for key, value in sorted(job - daemon) if key not in _RESERVED]
    if _scope(job) != _scope(daemon):
        edits.append(ScopeDaemon(name, *_scope(job)))
    return edits


def _scope(tags: Tags) -> tuple[str, str]:
    named = dict(tags)
    return named.get(SCOPE, ""), named.get(OWNER, "")


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
            return f"The daemons that match are offline: {names}."
        case PendingReason.DAEMONS_CORDONED:
            return f"The daemons that match are cordoned or offline: {names}."
        case _:
            return f"The daemons that match are busy: {names}."


_NAMES_SHOWN = 3


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
            return (
                f"Daemon {name} would match without {plural} {tags}: give it the {plural}, or submit the job without."
            )
        return f"Daemon {name} lacks only the {plural} {tags}: give it the {plural}."
    return "To unblock it: " + "; ".join(_sentence(edit) for edit in edits) + "."


def _sentence(edit: Edit) -> str:
    match edit:
        case AwaitSlot(daemon):
            text = f"wait until a job of {daemon} ends, or raise its spec.capacity"
        case Uncordon(daemon):
            text = f"set spec.cordoned of daemon {daemon} to false"
        case BringOnline(daemon):
            text = f"bring daemon {daemon} online"
        case TagDaemon(daemon, key, value):
            text = f"give daemon {daemon} the tag {key}={value}"
        case ScopeDaemon(daemon, scope, owner):
            text = f"give daemon {daemon} scope={scope}" + (f" and owner={owner}" if owner else "")
        case TagJob(daemon, key, value):
            text = (
                f"submit the job with the tag {key}={value}, which daemon {daemon} has "
                f"(a job without tags runs only on daemons without tags)"
            )
        case ScopeJob(daemon, scope, owner):
            text = (
                f"submit the job with scope={scope}"
                + (f" and owner={owner}" if owner else "")
                + f", as daemon {daemon} has"
            )
        case AddProvisioner(daemon, provisioner):
            text = f"let daemon {daemon} run {provisioner} (spec.provisioners)"
        case _:
            needed = edit.demand
            text = f"start a daemon with provisioner {needed.provisioner} and tags {format_tags(needed.tags)}"
    return text
