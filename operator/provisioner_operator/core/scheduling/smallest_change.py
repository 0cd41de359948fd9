"""Find the smallest change after which a daemon could take a job, and describe it.

A change is a set of edits, each of which removes one obstacle between the job and one daemon. The smallest has the
fewest edits; of equal numbers, the least intrusive wins: wait, uncordon, bring online, restart, retag, install. Of
equal changes, the one that was advised before wins, so that the advice does not change with every daemon that joins.
Used by `explanation`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.core.model.matching import (
    OWNER,
    SCOPE,
    UNTAGGED,
    Demand,
    Tags,
    format_tags,
    tags_match,
)
from provisioner_operator.core.model.records import Daemon

_RESERVED = frozenset({SCOPE, OWNER})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A daemon of the job's organization, in its current state."""

    daemon: Daemon
    online: bool
    free: bool

    @property
    def open(self) -> bool:
        """Whether it takes new jobs at all."""
        return self.online and not self.daemon.cordoned

    @property
    def starting(self) -> bool:
        """Whether its Pod exists and it has not reported yet."""
        return self.daemon.pod_uid is not None and self.daemon.heartbeat is None


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """Wait until one of the daemon's jobs ends, or raise its capacity."""

    daemon: str


@dataclass(frozen=True, slots=True)
class Uncordon:
    """Set the daemon's spec.cordoned to false."""

    daemon: str


@dataclass(frozen=True, slots=True)
class BringOnline:
    """Start the daemon, or restore its connection to the API server."""

    daemon: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the daemon, which is shutting down, or start another one like it."""

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
    """Let the daemon run that provisioner."""

    daemon: str
    provisioner: Provisioner


@dataclass(frozen=True, slots=True)
class StartDaemon:
    """Start a daemon that satisfies the demand, where there is none at all."""

    demand: Demand


DaemonEdit = AwaitSlot | Uncordon | BringOnline | Restart | TagDaemon | ScopeDaemon | TagJob | ScopeJob | AddProvisioner
Edit = DaemonEdit | StartDaemon

_INTRUSIVENESS: dict[type, int] = {
    AwaitSlot: 0,
    Uncordon: 1,
    BringOnline: 2,
    Restart: 3,
    TagJob: 4,
    ScopeJob: 5,
    TagDaemon: 6,
    ScopeDaemon: 7,
    AddProvisioner: 8,
}


def smallest_change(demand: Demand, candidates: Iterable[Candidate], advised: str | None = None) -> tuple[Edit, ...]:
    """Return the edits after which one of the candidates takes the demand; or to start a daemon where there is none.

    Of equal changes, one of the daemon `advised` wins.
    """
    changes = (_obstacles(demand, candidate) for candidate in candidates)
    return min(changes, key=lambda edits: _cost(edits, advised), default=(StartDaemon(demand),))


def advised_daemon(edits: tuple[Edit, ...]) -> str | None:
    """Return the name of the daemon that the change is about, if there is one."""
    return next((edit.daemon for edit in edits if not isinstance(edit, StartDaemon)), None)


def _cost(edits: tuple[DaemonEdit, ...], advised: str | None) -> tuple[int, int, bool, str]:
    name = edits[0].daemon
    return (len(edits), sum(_INTRUSIVENESS[type(edit)] for edit in edits), name != advised, name)


def _obstacles(demand: Demand, candidate: Candidate) -> tuple[DaemonEdit, ...]:
    daemon, name = candidate.daemon, candidate.daemon.name
    edits: list[DaemonEdit] = []
    if demand.provisioner not in daemon.supply.provisioners:
        edits.append(AddProvisioner(name, demand.provisioner))
    edits.extend(_tag_edits(demand.tags, daemon.supply.tags, name))
    if daemon.state is DaemonState.DRAINING:
        edits.append(Restart(name))
    elif not candidate.online:
        edits.append(BringOnline(name))
    if daemon.cordoned:
        edits.append(Uncordon(name))
    if not candidate.free:
        edits.append(AwaitSlot(name))
    return tuple(edits)


def _tag_edits(job: Tags, daemon: Tags, name: str) -> list[DaemonEdit]:
    if tags_match(daemon, job):
        return []
    if job == UNTAGGED:
        # An untagged job matches no tagged daemon. One tag of the daemon, or its scope, is enough to change that.
        tags = sorted((key, value) for key, value in daemon if key not in _RESERVED)
        if _scope(daemon) != _scope(job):
            return [ScopeJob(name, *_scope(daemon))]
        return [TagJob(name, *tags[0])]
    edits: list[DaemonEdit] = [
        TagDaemon(name, key, value) for key, value in sorted(job - daemon) if key not in _RESERVED
    ]
    if _scope(job) != _scope(daemon):
        edits.append(ScopeDaemon(name, *_scope(job)))
    return edits


def _scope(tags: Tags) -> tuple[str, str]:
    named = dict(tags)
    return named.get(SCOPE, ""), named.get(OWNER, "")


def sentence(edit: Edit) -> str:
    """Describe an edit as an instruction."""
    match edit:
        case AwaitSlot(daemon):
            text = f"wait until a job of {daemon} ends, or raise its spec.capacity"
        case Uncordon(daemon):
            text = f"set spec.cordoned of daemon {daemon} to false"
        case BringOnline(daemon):
            text = f"bring daemon {daemon} online"
        case Restart(daemon):
            text = f"restart daemon {daemon}, which is shutting down, or start another one like it"
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
            text = f"add {provisioner} to spec.provisioners of daemon {daemon}"
        case _:
            needed = edit.demand
            text = f"start a daemon with provisioner {needed.provisioner} and tags {format_tags(needed.tags)}"
    return text
