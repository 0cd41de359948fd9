"""Keep the last versions of a workspace's Terraform state, and decide about a restore. Pure.

Used by the daemon, which adds a version when a run has changed the state, and by the command line. All versions of a workspace are
one object, so that they are few objects in a cluster, and bounded: the oldest go first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner_operator.core.states.file import StateFile, UnreadableStateError, pack, with_serial

MOST_VERSIONS = 10
MOST_BYTES = 1_000_000
"""Packed bytes of all versions together: a Secret takes 1,048,576, and the index needs its share."""


@dataclass(frozen=True, slots=True)
class StateVersion:
    """One version, without its content."""

    number: int
    """Counted from 1; numbers of versions that were dropped are not used again."""
    serial: int
    lineage: str
    resources: int
    size: int
    """Bytes of the unpacked state."""
    kept: float
    """Time at which it was kept."""
    origin: str
    """The job after whose run, or before whose run, the state was found; or the restore that replaced it."""


@dataclass(frozen=True, slots=True)
class StateHistory:
    """The versions that are kept of one state, the newest last."""

    versions: tuple[StateVersion, ...] = ()
    packed: Mapping[int, bytes] = field(default_factory=dict)
    """Their contents by number."""

    def version(self, number: int) -> StateVersion | None:
        """Return the version of that number."""
        return next((each for each in self.versions if each.number == number), None)

    def has(self, state: StateFile, packed: bytes) -> bool:
        """Return whether the newest version is this state."""
        if not self.versions:
            return False
        newest = self.versions[-1]
        # A serial that is the same does not make two states the same: somebody may have pushed one by force.
        return (newest.serial, newest.lineage) == (state.serial, state.lineage) and self.packed[newest.number] == packed


def with_version(history: StateHistory, state: StateFile, packed: bytes, *, origin: str, now: float) -> StateHistory:
    """Return the history with this state as its newest version, and the same history if it is that already.

    Raises UnreadableStateError if the state is too large to be kept.
    """
    if history.has(state, packed):
        return history
    if len(packed) > MOST_BYTES:
        raise UnreadableStateError(f"it has {len(packed):,} bytes packed, and at most {MOST_BYTES:,} are kept")
    number = history.versions[-1].number + 1 if history.versions else 1
    newest = StateVersion(number, state.serial, state.lineage, state.resources, len(state.text), now, origin)
    contents = {**history.packed, number: packed}
    room, kept = MOST_BYTES, [newest]
    for each in reversed(history.versions):
        room -= len(contents[kept[-1].number])
        if len(kept) == MOST_VERSIONS or len(contents[each.number]) > room:
            break
        kept.append(each)
    return StateHistory(tuple(reversed(kept)), {each.number: contents[each.number] for each in kept})


class NotRestorableError(Exception):
    """The version cannot take the place of the state; the message is a sentence that says why."""


def restored(version: StateFile, current: StateFile | None) -> bytes:
    """Return the packed state that takes the place of the current one. Raises NotRestorableError.

    Its serial is higher than all before: a plan that was made on the current state is refused, and no copy of it counts as newer.
    """
    if current is not None and current.resources and current.lineage != version.lineage:
        raise NotRestorableError(
            "The workspace was created anew after this version: the present state has another lineage, and its "
            f"{current.resources} resources would be lost track of. Destroy them first, or push the version by hand "
            "(`terraform state push -force`)."
        )
    serial = max(version.serial, 0 if current is None else current.serial) + 1
    try:
        return pack(with_serial(version, serial).text)
    except UnreadableStateError as error:
        raise NotRestorableError(f"This version cannot be restored: {error}. Push it by hand.") from None
