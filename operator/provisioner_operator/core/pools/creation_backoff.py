"""The Pods that a pool is making: how many are on their way, and when the next may be tried.

A Pod's name is chosen before it is asked for, so asking twice makes one Pod: after a crash the Pods are listed, and a
request without an answer is made again under the same name. Where Pods fail, or are refused, the pool pauses, ever
longer, and then tries with one Pod at a time until that has stood for a while. All of this may be lost: a controller that
starts anew pauses for the shortest time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.members import Member, Trouble
from provisioner_operator.core.pools.records import Pool

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 300.0
"""How long no Pod is made after one failed; doubled with each further failure. As kubelet's own for containers."""
SOUND_SECONDS = 60.0
"""A container that ran, or has been ready, for so long did not fail at its start."""

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""As Kubernetes' own for generated names: no vowels, no words."""
_SUFFIX_LENGTH = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """What a look at the pool has to know of its creations."""

    under_way: frozenset[str] = frozenset()
    """Names whose requests have not been answered yet."""
    unanswered: tuple[str, ...] = ()
    """Names whose requests came to nothing that is known: to be asked for again, if still wanted."""
    resume_at: float = float("-inf")
    """No Pod is to be made before this, on the monotonic clock."""
    failing: Trouble | None = None
    """What went wrong the last time, until a later Pod has stood for a while."""


class Creations:
    """Those of one pool."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()
        self._unanswered: dict[str, None] = {}
        self._failures = 0
        self._failing: Trouble | None = None
        self._is_refused = False
        """Whether the last failure was a refusal of the API server's, not a Pod's."""
        self._resume_at = float("-inf")
        self._counted: set[str] = set()
        """The uids of the ended Pods that were taken into account."""
        self._newest_at_failure: float | None = float("-inf")
        """When the newest Pod was created that there was at the last failure; None until the next look tells."""

    def begin(self, name: str) -> None:
        """A Pod is asked for."""
        self._unanswered.pop(name, None)
        self._under_way.add(name)

    def created(self, name: str) -> None:
        """The Pod is there and known, or was before it was asked for: Pods are not refused any more."""
        self._under_way.discard(name)
        if self._is_refused:
            self._reset()

    def unanswered(self, name: str) -> None:
        """It is not known what became of the request."""
        if name in self._under_way:
            self._under_way.discard(name)
            self._unanswered[name] = None

    def refused(self, name: str, trouble: Trouble, now: Instant) -> None:
        """The API server does not let the Pod be made."""
        self._under_way.discard(name)
        self._fail(trouble, now)
        self._is_refused = True

    def try_again(self) -> None:
        """The next Pod need not wait any more; what went wrong is still said until a Pod stands."""
        self._resume_at = float("-inf")

    def watch(self, members: Iterable[Member], now: Instant) -> None:
        """Learn from the pool's Pods as they are: which failed, which stand."""
        known = sorted(members, key=lambda member: member.pod.created)
        for member in known:
            self._unanswered.pop(member.pod.name, None)
        newest = max((member.pod.created for member in known), default=float("-inf"))
        ended = [member.pod for member in known if member.pod.end is not None and member.pod.uid not in self._counted]
        for pod in ended:
            if pod.end is not None and pod.end.failed and pod.end.ran < SOUND_SECONDS:
                self._fail(Trouble(pod.end.trouble.reason, f"Pod {pod.name}: {pod.end.trouble.message}"), now)
        if self._newest_at_failure is None:
            self._newest_at_failure = newest
        self._counted = {member.pod.uid for member in known if member.is_over}
        is_old = now.monotonic >= self._resume_at + LONGEST_PAUSE_SECONDS
        if self._failures and (is_old or any(self._is_sound(member, now) for member in known)):
            self._reset()

    def pace(self) -> Pace:
        """What is known now."""
        return Pace(frozenset(self._under_way), tuple(self._unanswered), self._resume_at, self._failing)

    def _fail(self, trouble: Trouble, now: Instant) -> None:
        self._failing = trouble
        self._is_refused = False
        if now.monotonic >= self._resume_at:  # those that were made together fail together
            self._failures += 1
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (self._failures - 1), LONGEST_PAUSE_SECONDS)
            self._resume_at = now.monotonic + pause
        self._newest_at_failure = None

    def _reset(self) -> None:
        self._failures, self._failing, self._resume_at, self._is_refused = 0, None, float("-inf"), False

    def _is_sound(self, member: Member, now: Instant) -> bool:
        since = member.pod.ready_since
        if since is None or not member.is_present or self._newest_at_failure is None:
            return False
        return member.pod.created > self._newest_at_failure and now.wall - since >= SOUND_SECONDS


def pod_names(pool: Pool, count: int, taken: Iterable[str], now: Instant) -> list[str]:
    """So many names for new Pods, none of them taken; those of another moment are others."""
    used = set(taken)
    names: list[str] = []
    attempt = 0
    while len(names) < count:
        digest = sha256(f"{pool.uid}/{now.wall!r}/{attempt}".encode()).digest()
        suffix = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_SUFFIX_LENGTH])
        name = f"{pool.name}-{suffix}"
        if name not in used:
            used.add(name)
            names.append(name)
        attempt += 1
    return names
