"""Reviews whose answers are kept for some seconds, by the digest of the credential, so that no user gets another's.

An answer that is used in the second half of its time is asked for anew meanwhile, so that who comes again does not wait. A "no"
that is older counts once more if it is about a change, for which it hides a button, or if the API server takes long to answer.

Of the places for reviews under way, one credential has some only: whoever asks much waits for their own questions only. While
the API server cannot be reached, the last answers count, so that its users still see what was known before.
"""

import asyncio
from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from provisioner_operator.kube.errors import UnreachableError
from provisioner_operator.web.access.answer_cache import AnswerCache, Lifetimes
from provisioner_operator.web.access.caller import Question, User
from provisioner_operator.web.access.reviews import Reviewer
from provisioner_operator.web.access.single_flight import SingleFlight

MOST_AT_A_TIME = 32
"""Reviews under way at a time: enough to review many namespaces in parallel, too few to burden an API server."""
MOST_FOR_ONE = 8
"""Those of one credential: a user without a right for all namespaces asks one question for each."""
PATIENCE_SECONDS = 0.05
"""The time for which a reader with an old "no" waits for a new answer: an API server at leisure needs a tenth of it."""
_READS = frozenset({"get", "list", "watch"})
_DEFAULT_LIFETIMES = Lifetimes()


class CachedReviews:
    """Answers from its memory where it can, else asks a reviewer."""

    def __init__(
        self, reviewer: Reviewer, clock: Callable[[], float], lifetimes: Lifetimes = _DEFAULT_LIFETIMES
    ) -> None:
        """`clock` is one that never jumps, in seconds."""
        self._reviewer = reviewer
        self._clock = clock
        self._users: AnswerCache[str, User | None] = AnswerCache(lifetimes)
        self._rights: AnswerCache[tuple[str, Question], bool] = AnswerCache(lifetimes)
        self._places = asyncio.Semaphore(MOST_AT_A_TIME)
        self._own_places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """Places of each credential that asks at present."""
        self._identifying: SingleFlight[str, User | None] = SingleFlight()
        self._judging: SingleFlight[tuple[str, Question], bool] = SingleFlight()

    async def user(self, digest: str, credential: Mapping[str, str]) -> User | None:
        """Return the user of a credential, or None if it is not accepted. Raises KubeError."""
        now = self._clock()
        found = self._users.find(digest, now)
        if found is None:
            return await self._identifying.answer(digest, lambda: self._identify(digest, credential))
        if self._users.is_aging(digest, now):
            self._identifying.begin(digest, lambda: self._identify(digest, credential))
        return found[0]

    async def allowed(self, digest: str, credential: Mapping[str, str], question: Question) -> bool:
        """Return whether the user of a credential may take an action. Raises KubeError."""
        key = (digest, question)
        now = self._clock()
        found = self._rights.find(key, now)
        if found is not None and not self._rights.is_aging(key, now):
            return found[0]
        asked = self._judging.begin(key, lambda: self._judge(digest, credential, question))
        if found is not None:
            return found[0]
        if self._rights.was_no(key, now):
            if question.verb in _READS:
                await asyncio.wait((asked,), timeout=PATIENCE_SECONDS)
            if not asked.done():
                return False
        return await asyncio.shield(asked)

    def begin(self, digest: str, credential: Mapping[str, str], question: Question) -> None:
        """Ask, if the answer is not known, without waiting for it."""
        if self._rights.find((digest, question), self._clock()) is None:
            self._judging.begin((digest, question), lambda: self._judge(digest, credential, question))

    async def _identify(self, digest: str, credential: Mapping[str, str]) -> User | None:
        try:
            async with self._places:
                asked_at = self._clock()
                user = await self._reviewer.user(credential)
        except UnreachableError:
            if found := self._users.last(digest, self._clock()):
                return found[0]
            raise
        self._users.keep(digest, user, asked_at)
        return user

    async def _judge(self, digest: str, credential: Mapping[str, str], question: Question) -> bool:
        own = self._own_places.setdefault(digest, asyncio.Semaphore(MOST_FOR_ONE))
        try:
            async with own, self._places:
                asked_at = self._clock()
                allowed = await self._reviewer.allowed(credential, question)
        except UnreachableError:
            if found := self._rights.last((digest, question), self._clock()):
                return found[0]
            raise
        self._rights.keep((digest, question), allowed, asked_at)
        return allowed
