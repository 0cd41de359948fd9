"""Answers about users are kept by credential and question, so that no user gets another's, and not for long."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from provisioner_operator.kube.errors import ForbiddenError, KubeError, UnreachableError
from provisioner_operator.web.access.answer_cache import NO_SECONDS, OLD_NO_SECONDS, YES_SECONDS
from provisioner_operator.web.access.cached_reviews import (
    MOST_AT_A_TIME,
    MOST_FOR_ONE,
    PATIENCE_SECONDS,
    CachedReviews,
)
from provisioner_operator.web.access.caller import Question, User
from support.virtual_time import virtual_time

REVIEW_SECONDS = 0.001
LIST = Question("list", "provisionerjobs", "red")


@dataclass
class Reviewer:
    """Answers by the credential, and notes what it was asked."""

    users: dict[str, User | None] = field(default_factory=dict)
    rights: dict[tuple[str, Question], bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    away: bool = False
    failure: KubeError | None = None
    under_way: int = 0
    most_under_way: int = 0
    seconds: float = REVIEW_SECONDS

    async def user(self, credential: Mapping[str, str]) -> User | None:
        return self.users.get(await self._note(credential))

    async def allowed(self, credential: Mapping[str, str], question: Question) -> bool:
        return self.rights.get((await self._note(credential), question), False)

    async def _note(self, credential: Mapping[str, str]) -> str:
        self.asked.append(credential["token"])
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.seconds)
        self.under_way -= 1
        if self.away:
            raise UnreachableError("away")
        if self.failure:
            raise self.failure
        return credential["token"]


def cached(reviewer: Reviewer) -> CachedReviews:
    return CachedReviews(reviewer, lambda: asyncio.get_running_loop().time())


@virtual_time
async def test_threat_10_no_user_gets_what_anothers_token_cached() -> None:
    reviewer = Reviewer({"a": User("ada"), "b": User("sam")}, {("a", LIST): True})
    reviews = cached(reviewer)

    for _ in range(2):
        assert await reviews.user("digest of a", {"token": "a"}) == User("ada")
        assert await reviews.user("digest of b", {"token": "b"}) == User("sam")
        assert await reviews.allowed("digest of a", {"token": "a"}, LIST)
        assert not await reviews.allowed("digest of b", {"token": "b"}, LIST)

    assert sorted(reviewer.asked) == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    "other",
    [
        LIST._replace(verb="get"),
        LIST._replace(resource="workspaces"),
        LIST._replace(namespace="blue"),
        LIST._replace(namespace=""),
        LIST._replace(name="job"),
        LIST._replace(subresource="log"),
        LIST._replace(group=""),
    ],
    ids=str,
)
def test_threat_10_a_right_is_not_taken_for_another(other: Question) -> None:
    @virtual_time
    async def ask() -> None:
        reviews = cached(Reviewer(rights={("a", LIST): True}))
        assert await reviews.allowed("a", {"token": "a"}, LIST)
        assert not await reviews.allowed("a", {"token": "a"}, other)

    ask()


@virtual_time
async def test_threat_11_a_withdrawn_right_is_honored_for_thirty_seconds_at_most() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True})
    reviews = cached(reviewer)
    assert await reviews.allowed("a", {"token": "a"}, LIST)
    assert await reviews.user("a", {"token": "a"})

    reviewer.rights.clear()
    reviewer.users.clear()
    await asyncio.sleep(29)
    assert await reviews.allowed("a", {"token": "a"}, LIST)
    await asyncio.sleep(1)

    assert not await reviews.allowed("a", {"token": "a"}, LIST)
    assert await reviews.user("a", {"token": "a"}) is None


@virtual_time
async def test_a_new_right_is_noticed_after_five_seconds() -> None:
    reviewer = Reviewer()
    reviews = cached(reviewer)
    assert not await reviews.allowed("a", {"token": "a"}, LIST)
    assert await reviews.user("a", {"token": "a"}) is None

    reviewer.rights["a", LIST] = True
    reviewer.users["a"] = User("ada")
    await asyncio.sleep(4.9)
    assert not await reviews.allowed("a", {"token": "a"}, LIST)
    await asyncio.sleep(0.2)

    assert await reviews.allowed("a", {"token": "a"}, LIST)
    assert await reviews.user("a", {"token": "a"}) == User("ada")


@virtual_time
@pytest.mark.parametrize(("allowed", "seconds"), [(True, YES_SECONDS), (False, NO_SECONDS)])
async def test_who_comes_again_in_time_never_waits_for_a_review(allowed: bool, seconds: float) -> None:  # noqa: FBT001
    reviewer = Reviewer({"a": User("ada")} if allowed else {}, {("a", LIST): allowed})
    reviews = cached(reviewer)
    clock = asyncio.get_running_loop().time
    await ask_both(reviews)

    for visit in range(1, 6):
        await asyncio.sleep(0.8 * seconds)
        began = clock()
        assert await ask_both(reviews) == (allowed, allowed)
        assert clock() == began
        await asyncio.sleep(2 * REVIEW_SECONDS)
        assert len(reviewer.asked) == 2 * (1 + visit)


@virtual_time
async def test_while_the_api_server_is_slow_an_old_no_counts_and_the_new_answer_at_the_next_time() -> None:
    reviewer = Reviewer()
    reviews = cached(reviewer)
    clock = asyncio.get_running_loop().time
    assert not await reviews.allowed("a", {"token": "a"}, LIST)

    reviewer.rights, reviewer.seconds = {("a", LIST): True}, 10.0
    await asyncio.sleep(2 * NO_SECONDS)
    began = clock()
    assert not await reviews.allowed("a", {"token": "a"}, LIST)
    assert clock() - began == pytest.approx(PATIENCE_SECONDS)
    await asyncio.sleep(reviewer.seconds)
    began = clock()
    assert await reviews.allowed("a", {"token": "a"}, LIST)
    assert clock() == began
    assert len(reviewer.asked) == 2


@virtual_time
async def test_what_is_foreseen_is_asked_at_the_same_time_and_only_once() -> None:
    questions = [LIST._replace(resource=each) for each in ("jobs", "templates", "daemons")]
    reviewer = Reviewer({}, {("a", each): True for each in questions})
    reviews = cached(reviewer)
    clock = asyncio.get_running_loop().time

    for _ in range(2):
        began = clock()
        for each in questions:
            reviews.begin("a", {"token": "a"}, each)
        for each in questions:
            assert await reviews.allowed("a", {"token": "a"}, each)
        assert clock() - began <= 1.5 * REVIEW_SECONDS

    assert len(reviewer.asked) == len(questions)


@virtual_time
async def test_nobody_waits_for_the_rights_of_a_button_that_was_hidden() -> None:
    """The API server judges the change itself."""
    patch = LIST._replace(verb="patch")
    reviewer = Reviewer()
    reviews = cached(reviewer)
    clock = asyncio.get_running_loop().time
    assert not await reviews.allowed("a", {"token": "a"}, patch)

    reviewer.rights = {("a", patch): True}
    await asyncio.sleep(2 * NO_SECONDS)
    began = clock()
    assert not await reviews.allowed("a", {"token": "a"}, patch)
    assert clock() == began
    await asyncio.sleep(2 * REVIEW_SECONDS)
    assert await reviews.allowed("a", {"token": "a"}, patch)


@virtual_time
@pytest.mark.parametrize("was", [True, False])
async def test_no_other_old_answer_counts_however_slow_the_api_server(was: bool) -> None:  # noqa: FBT001
    """An old "yes" would show what may be hidden by now; an older "no" would hide a right for long."""
    reviewer = Reviewer({}, {("a", LIST): was})
    reviews = cached(reviewer)
    assert await reviews.allowed("a", {"token": "a"}, LIST) is was

    reviewer.rights, reviewer.seconds = {("a", LIST): not was}, 10.0
    await asyncio.sleep(YES_SECONDS if was else OLD_NO_SECONDS)
    assert await reviews.allowed("a", {"token": "a"}, LIST) is not was


@virtual_time
async def test_at_leisure_a_new_right_is_noticed_at_once_when_the_no_is_old() -> None:
    reviewer = Reviewer()
    reviews = cached(reviewer)
    assert not await reviews.allowed("a", {"token": "a"}, LIST)

    reviewer.rights = {("a", LIST): True}
    await asyncio.sleep(NO_SECONDS)
    assert await reviews.allowed("a", {"token": "a"}, LIST)


@virtual_time
async def test_in_the_first_half_of_its_time_no_answer_is_asked_for_again() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True})
    reviews = cached(reviewer)
    await ask_both(reviews)

    for _ in range(14):
        await asyncio.sleep(1)
        assert await ask_both(reviews) == (True, True)

    assert len(reviewer.asked) == 2


@virtual_time
async def test_threat_11_a_right_is_withdrawn_in_time_from_who_uses_it_all_the_time() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True})
    reviews = cached(reviewer)
    await ask_both(reviews)
    reviewer.rights.clear()
    reviewer.users.clear()

    answers = []
    for _ in range(int(YES_SECONDS)):
        await asyncio.sleep(1)
        answers.append(await ask_both(reviews))

    assert answers[0] == (True, True)
    assert answers[-1] == (False, False)
    assert answers == sorted(answers, reverse=True)


@virtual_time
async def test_a_renewal_that_fails_leaves_the_answer_its_time() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True})
    reviews = cached(reviewer)
    await ask_both(reviews)
    reviewer.failure = ForbiddenError(403, "no reviews for you")

    await asyncio.sleep(0.8 * YES_SECONDS)
    assert await ask_both(reviews) == (True, True)
    await asyncio.sleep(0.2 * YES_SECONDS)

    with pytest.raises(ForbiddenError):
        await ask_both(reviews)


async def ask_both(reviews: CachedReviews) -> tuple[bool, bool]:
    user = await reviews.user("a", {"token": "a"})
    return user is not None, await reviews.allowed("a", {"token": "a"}, LIST)


@virtual_time
async def test_a_failure_is_no_answer() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True}, away=True)
    reviews = cached(reviewer)
    with pytest.raises(UnreachableError):
        await reviews.user("a", {"token": "a"})
    with pytest.raises(UnreachableError):
        await reviews.allowed("a", {"token": "a"}, LIST)

    reviewer.away = False

    assert await reviews.user("a", {"token": "a"}) == User("ada")
    assert await reviews.allowed("a", {"token": "a"}, LIST)


def in_namespaces(number: int) -> list[Question]:
    return [LIST._replace(namespace=str(each)) for each in range(number)]


@virtual_time
async def test_many_users_are_reviewed_in_parallel_but_not_all_at_once() -> None:
    reviewer = Reviewer()
    reviews = cached(reviewer)

    users = [str(number) for number in range(3 * MOST_AT_A_TIME)]
    await asyncio.gather(*(reviews.allowed(each, {"token": each}, LIST) for each in users))

    assert reviewer.most_under_way == MOST_AT_A_TIME
    assert sorted(reviewer.asked) == sorted(users)


@virtual_time
async def test_threat_22_whoever_asks_much_leaves_places_to_others() -> None:
    reviewer = Reviewer()
    reviews = cached(reviewer)

    greedy = [
        asyncio.ensure_future(reviews.allowed("a", {"token": "a"}, each)) for each in in_namespaces(100 * MOST_FOR_ONE)
    ]
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    await reviews.allowed("b", {"token": "b"}, LIST)
    waited = asyncio.get_running_loop().time() - began

    assert waited == pytest.approx(REVIEW_SECONDS)
    assert reviewer.most_under_way == MOST_FOR_ONE + 1
    await asyncio.gather(*greedy)


@virtual_time
async def test_a_question_that_several_ask_at_once_is_asked_once() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True})
    reviews = cached(reviewer)

    assert await asyncio.gather(*(reviews.user("a", {"token": "a"}) for _ in range(5))) == [User("ada")] * 5
    assert await asyncio.gather(*(reviews.allowed("a", {"token": "a"}, LIST) for _ in range(5))) == [True] * 5
    assert len(reviewer.asked) == 2


@virtual_time
async def test_while_the_api_server_is_away_the_last_answers_count() -> None:
    reviewer = Reviewer({"a": User("ada")}, {("a", LIST): True})
    reviews = cached(reviewer)
    await reviews.user("digest of a", {"token": "a"})
    await reviews.allowed("digest of a", {"token": "a"}, LIST)
    reviewer.away = True
    await asyncio.sleep(YES_SECONDS)

    assert await reviews.user("digest of a", {"token": "a"}) == User("ada")
    assert await reviews.allowed("digest of a", {"token": "a"}, LIST)
    with pytest.raises(UnreachableError):
        await reviews.allowed("digest of a", {"token": "a"}, LIST._replace(verb="get"))
    with pytest.raises(UnreachableError):
        await reviews.user("digest of b", {"token": "b"})

    reviewer.away, reviewer.rights = False, {}
    assert not await reviews.allowed("digest of a", {"token": "a"}, LIST)
