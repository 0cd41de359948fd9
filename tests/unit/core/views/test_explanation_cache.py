"""Kept explanations equal what would be computed anew, and nothing that makes no difference is computed twice."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.scheduling.explanation import STUCK, Growth, explain
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views import explanation_cache
from provisioner_operator.core.views.explanation_cache import ExplanationCache
from support.builders.core import a_daemon, a_demand

DEMANDS = (a_demand(), a_demand(x="1"))
NAMES = st.sampled_from(["one", "two"])
TAGS = st.sampled_from([{}, {"x": "1"}])
CANDIDATES = st.builds(
    lambda name, tags, state, cordoned, heartbeat, online, free: Candidate(
        a_daemon(name, tags=tags, state=state, cordoned=cordoned, pod_uid="pod", heartbeat=heartbeat), online, free
    ),
    NAMES,
    TAGS,
    st.sampled_from([DaemonState.IDLE, DaemonState.OFFLINE]),
    st.booleans(),
    st.sampled_from([None, "noon", "later"]),
    st.booleans(),
    st.booleans(),
)
GROWTHS = st.builds(
    lambda name, tags, room, trouble: Growth(name, a_daemon(tags=tags).supply, room, trouble),
    NAMES,
    TAGS,
    st.booleans(),
    st.sampled_from([None, "no quota"]),
)
STEPS = st.lists(st.one_of(CANDIDATES, GROWTHS, NAMES), max_size=12)


@settings(deadline=None)
@given(STEPS, st.sampled_from([1, 9]))
def test_what_is_kept_is_what_would_be_said_now(steps: Sequence[Candidate | Growth | str], most: int) -> None:
    candidates: dict[str, Candidate] = {}
    growths: dict[str, Growth] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explanation_cache, "_MOST_DEMANDS", most)
        cache = ExplanationCache()
        for step in steps:
            match step:
                case Candidate():
                    candidates[step.daemon.uid] = step
                    cache.put_daemon(step)
                case Growth():
                    growths[step.pool] = step
                    cache.put_pool(step.pool, step)
                case _:
                    candidates.pop(f"uid-of-{step}", None)
                    growths.pop(step, None)
                    cache.remove_daemon(f"uid-of-{step}")
                    cache.put_pool(step, None)
            for demand in DEMANDS:
                explanation = explain(demand, list(candidates.values()), growths.values())
                stuck = explanation is not None and explanation.reason in STUCK
                assert cache.explain(demand) == explanation
                assert cache.reason_while_waiting(demand) == (explanation.reason if explanation and stuck else None)
                assert cache.size <= most
        assert cache.is_empty == (not candidates and not growths)


def test_only_what_makes_a_difference_is_explained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(explanation_cache, "explain", lambda demand, *_: asked.append(demand))
    cache, growth = ExplanationCache(), Growth("pool", a_daemon().supply)

    def explained_again() -> int:
        del asked[:]
        for demand in DEMANDS:
            cache.explain(demand)
            cache.reason_while_waiting(demand)
        return len(asked)

    cache.put_daemon(Candidate(a_daemon(), online=True, free=True))
    cache.put_pool("pool", growth)
    assert explained_again() == len(DEMANDS)
    cache.put_daemon(Candidate(a_daemon(heartbeat="later"), online=True, free=True))
    cache.put_pool("pool", growth)
    assert explained_again() == 0
    cache.put_daemon(Candidate(a_daemon(), online=True, free=False))
    assert explained_again() == len(DEMANDS)


def test_as_many_explanations_are_kept_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation_cache, "_MOST_DEMANDS", 3)
    cache = ExplanationCache()
    sizes: list[int] = []
    for number in range(5):
        cache.explain(a_demand(number=str(number)))
        sizes.append(cache.size)
    assert sizes == [1, 2, 3, 1, 2]
