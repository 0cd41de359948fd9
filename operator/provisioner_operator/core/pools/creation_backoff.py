"""Track the Pods that a pool is creating: those in flight, and the time of the next attempt after a failure.

A Pod's name is chosen before the request is sent, so repeating the request creates no second Pod: after a crash the
Pods are listed, and a request without an answer is repeated under the same name. Where Pods fail, or are refused, the
pool backs off exponentially, and then tries with one Pod at a time until that has run for a while. All of this may be
lost: a controller that starts anew begins with the shortest backoff.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from provisioner_operator.core.model.backoff import doubled
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.members import Member, Trouble
from provisioner_operator.core.pools.records import Pool

FIRST_CREATION_BACKOFF_SECONDS = 10.0
LONGEST_CREATION_BACKOFF_SECONDS = 300.0
"""Backoff after a first failure; doubled with each further one, as kubelet does for containers."""
SOUND_SECONDS = 60.0
"""Time for which a container has to run, or be ready, to count as started well."""

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Alphabet of Kubernetes' own generated names: without vowels, so that no words arise."""
_SUFFIX_LENGTH = 5


@dataclass(frozen=True, slots=True)
class CreationState:
    """State of a pool's creations, as the plan needs it."""

    under_way: frozenset[str] = frozenset()
    """Names with a request in flight."""
    unanswered: tuple[str, ...] = ()
    """Names whose request had no answer: to be requested again, if still wanted."""
    resume_at: float = float("-inf")
    """Time before which no Pod is created, on the monotonic clock."""
    failing: Trouble | None = None
    """Last failure, until a later Pod has run for a while."""
    is_refused: bool = False
    """Whether that was a refusal by the API server rather than a failed Pod."""
    forget_at: float | None = None
    """Time at which that is forgotten, on the monotonic clock, if there was one."""


class Creations:
    """Creations of one pool."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()
        self._unanswered: dict[str, None] = {}
        self._failures = 0
        self._failing: Trouble | None = None
        self._is_refused = False
        """Whether the last failure was a refusal by the API server rather than a failed Pod."""
        self._resume_at = float("-inf")
        self._forget_at = float("-inf")
        """Time from which on the last failure is too long ago to matter, on the monotonic clock."""
        self._counted: set[str] = set()
        """Uids of the ended Pods that have been counted."""
        self._newest_at_failure: float | None = float("-inf")
        """Creation time of the newest Pod at the last failure; None until the next observation."""

    def begin(self, name: str) -> None:
        """Record that a Pod's creation is requested."""
        self._unanswered.pop(name, None)
        self._under_way.add(name)

    def created(self, name: str) -> None:
        """Record that the Pod exists and is observed, so Pods are no longer refused."""
        self._under_way.discard(name)
        if self._is_refused:
            self._reset()

    def unanswered(self, name: str) -> None:
        """Record that the request had no answer."""
        if name in self._under_way:
            self._under_way.discard(name)
            self._unanswered[name] = None

    def refused(self, name: str, trouble: Trouble, now: Instant) -> None:
        """Record that the API server refused the Pod."""
        self._under_way.discard(name)
        self._fail(trouble, now)
        self._is_refused = True

    def try_again(self) -> None:
        """End the backoff; the last failure is still reported until a Pod exists."""
        self._resume_at = float("-inf")

    def watch(self, members: Iterable[Member], now: Instant) -> None:
        """Observe the pool's Pods: the failed ones, and those that run well."""
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
        is_old = now.monotonic >= self._forget_at
        if self._failures and (is_old or any(self._is_sound(member, now) for member in known)):
            self._reset()

    @property
    def is_quiet(self) -> bool:
        """Whether no Pod is being created and none has failed lately: then time changes nothing here."""
        return not (self._under_way or self._unanswered or self._failures)

    def state(self) -> CreationState:
        """Return the current state."""
        return CreationState(
            frozenset(self._under_way),
            tuple(self._unanswered),
            self._resume_at,
            self._failing,
            is_refused=self._is_refused,
            forget_at=None if self._failing is None else self._forget_at,
        )

    def _fail(self, trouble: Trouble, now: Instant) -> None:
        self._failing = trouble
        self._is_refused = False
        if now.monotonic >= self._resume_at:  # those that were made together fail together
            pause = doubled(FIRST_CREATION_BACKOFF_SECONDS, self._failures, LONGEST_CREATION_BACKOFF_SECONDS)
            self._failures += 1
            self._resume_at = now.monotonic + pause
            self._forget_at = self._resume_at + LONGEST_CREATION_BACKOFF_SECONDS
        self._newest_at_failure = None

    def _reset(self) -> None:
        self._failures, self._failing, self._resume_at, self._is_refused = 0, None, float("-inf"), False

    def _is_sound(self, member: Member, now: Instant) -> bool:
        since = member.pod.ready_since
        if since is None or not member.is_present or self._newest_at_failure is None:
            return False
        return member.pod.created > self._newest_at_failure and now.wall - since >= SOUND_SECONDS


def pod_names(pool: Pool, count: int, taken: Iterable[str], now: Instant) -> list[str]:
    """Return this many names for new Pods, none of them taken; another moment yields other names."""
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
