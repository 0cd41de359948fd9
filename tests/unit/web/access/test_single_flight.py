"""One question for all who ask it at the same time."""

import asyncio

import pytest

from provisioner_operator.web.access.single_flight import SingleFlight
from support.virtual_time import virtual_time


class Question:
    """Takes a second to answer, and counts how often it was asked."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked = 0
        self._fails = fails

    async def ask(self) -> int:
        self.asked += 1
        await asyncio.sleep(1)
        if self._fails:
            raise LookupError
        return self.asked


@virtual_time
async def test_all_who_ask_at_once_get_one_answer_and_the_next_a_new_one() -> None:
    flight, question = SingleFlight[str, int](), Question()
    assert await asyncio.gather(*(flight.answer("a", question.ask) for _ in range(3))) == [1, 1, 1]
    assert await flight.answer("a", question.ask) == 2


@virtual_time
async def test_another_question_is_asked_beside_it() -> None:
    flight, question = SingleFlight[str, int](), Question()
    await asyncio.gather(*(flight.answer(key, question.ask) for key in "ab"))
    assert question.asked == 2


@virtual_time
async def test_one_who_waits_no_longer_takes_no_answer_from_the_others() -> None:
    flight, question = SingleFlight[str, int](), Question()
    impatient, patient = (asyncio.ensure_future(flight.answer("a", question.ask)) for _ in range(2))
    await asyncio.sleep(0.5)
    impatient.cancel()
    assert await patient == 1


@virtual_time
async def test_all_get_the_failure_which_is_not_kept() -> None:
    flight, failing, working = SingleFlight[str, int](), Question(fails=True), Question()
    found = await asyncio.gather(*(flight.answer("a", failing.ask) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in found] == [LookupError, LookupError]
    with pytest.raises(LookupError):
        await flight.answer("a", failing.ask)
    assert await flight.answer("a", working.ask) == 1
