"""A "yes" is kept for thirty seconds, a "no" for five, and never more than a bounded number of either."""

from provisioner_operator.web.access.answer_cache import NO_SECONDS, OUTAGE_SECONDS, YES_SECONDS, AnswerCache, Lifetimes


def a_cache(most: int = 10) -> AnswerCache[str, bool]:
    return AnswerCache(Lifetimes(), most)


def test_a_yes_is_kept_longer_than_a_no() -> None:
    cache = a_cache()
    cache.keep("may", answer=True, now=100.0)
    cache.keep("may not", answer=False, now=100.0)

    assert cache.find("may", now=100.0 + YES_SECONDS - 0.01) == (True,)
    assert cache.find("may", now=100.0 + YES_SECONDS) is None
    assert cache.find("may not", now=100.0 + NO_SECONDS - 0.01) == (False,)
    assert cache.find("may not", now=100.0 + NO_SECONDS) is None
    assert (YES_SECONDS, NO_SECONDS) == (30.0, 5.0)


def test_what_was_never_asked_is_unknown() -> None:
    assert a_cache().find("anything", now=0.0) is None


def test_a_use_does_not_prolong_an_answer() -> None:
    cache = a_cache()
    cache.keep("may", answer=True, now=0.0)
    for now in range(30):
        assert cache.find("may", float(now)) == (True,)

    assert cache.find("may", now=30.0) is None


def test_the_answers_that_were_used_longest_ago_make_room() -> None:
    cache = a_cache(most=2)
    cache.keep("a", answer=True, now=0.0)
    cache.keep("b", answer=True, now=0.0)
    cache.find("a", now=1.0)
    cache.keep("c", answer=True, now=1.0)

    assert len(cache) == 2
    assert cache.find("b", now=1.0) is None
    assert cache.find("a", now=1.0) == (True,)


def test_in_an_outage_the_last_answer_counts_for_a_while() -> None:
    cache = a_cache()
    cache.keep("a", answer=True, now=0.0)

    assert cache.find("a", now=YES_SECONDS) is None
    assert cache.last("a", now=OUTAGE_SECONDS - 1) == (True,)
    assert cache.last("a", now=OUTAGE_SECONDS) is None
    assert cache.last("b", now=0.0) is None
