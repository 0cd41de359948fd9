"""Builders of queue policies with defaults, strategies for random ones, and the plain definition of the order."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, GroupField, JobType, Transition
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Grouping, Limit, PastRun, QueuePolicy
from support.builders.core import NOON, a_job

HALF_LIFE = 3600
BY_INITIATOR = Grouping(GroupField.INITIATOR)
PEOPLE = ("ann", "bob", "cleo")


def fair(weights: Mapping[str, int] | None = None, *, half_life: int = HALF_LIFE) -> Fairness:
    """Fairness by initiator, in which each has the weight 1 unless it is named."""
    return Fairness(BY_INITIATOR, half_life, tuple((weights or {}).items()))


def a_policy(*limits: Limit, fairness: Fairness | None = None, **fields: Any) -> QueuePolicy:
    """A policy with these limits; fair by initiator if there are none."""
    return QueuePolicy(fairness or (None if limits else fair()), limits, **fields)


def a_past_run(uid: str = "past", *, started: float, finished: float, **fields: Any) -> PastRun:
    """A run that occupied a slot in this time."""
    return PastRun(uid, started, finished, **fields)


def groupings() -> st.SearchStrategy[Grouping]:
    """Fields and a label."""
    return st.sampled_from(GroupField).map(lambda field: Grouping(field, "team"))


@st.composite
def limits(draw: st.DrawFn, name: str) -> Limit:
    """A limit that concerns many jobs of `people_jobs`."""
    return Limit(
        name,
        draw(st.integers(0, 3)),
        per=draw(st.none() | groupings()),
        template=draw(st.sampled_from([None, None, "gpu"])),
        transition=draw(st.sampled_from([None, None, *Transition])),
        initiator=draw(st.sampled_from([None, None, None, *PEOPLE])),
        tags=draw(st.sampled_from([frozenset[tuple[str, str]](), frozenset({("x", "1")})])),
    )


@st.composite
def policies(draw: st.DrawFn) -> QueuePolicy:
    """A policy of any shape, or none."""
    fairness = draw(
        st.none()
        | st.builds(
            Fairness,
            groupings(),
            st.just(HALF_LIFE),
            st.dictionaries(st.sampled_from(PEOPLE), st.integers(1, 1000), max_size=2).map(lambda d: tuple(d.items())),
            st.integers(1, 1000),
        )
    )
    names = draw(st.lists(st.sampled_from(["one", "two", "three"]), unique=True))
    background = draw(st.frozensets(st.sampled_from(BackgroundWork)))
    return QueuePolicy(fairness, tuple(draw(limits(name)) for name in names), background)


START = round(NOON // HALF_LIFE) * HALF_LIFE
"""A time that is a whole number of half-lives: with such times, past use is exact."""
TAGS: tuple[dict[str, str], ...] = ({}, {"x": "1"}, {"x": "1", "y": "2"})


@st.composite
def people_jobs(draw: st.DrawFn) -> Job:
    """A job of one of three people, of any kind."""
    name = f"job-{draw(st.integers(0, 12))}"
    return a_job(
        name,
        created=draw(st.integers(0, 2)),
        type=draw(st.sampled_from([JobType.WORKSPACE_BUILD, JobType.WORKSPACE_BUILD, JobType.WORKSPACE_PLAN])),
        transition=draw(st.sampled_from([Transition.START, *Transition])),
        tags=draw(st.sampled_from(TAGS)),
        priority=draw(st.sampled_from([0, 0, 0, 1])),
        initiator=draw(st.sampled_from([*PEOPLE, None])),
        workspace_owner=draw(st.sampled_from(PEOPLE)),
        template=draw(st.sampled_from(["gpu", "small", None])),
        labels=draw(st.sampled_from([frozenset[tuple[str, str]](), frozenset({("team", "red"), ("a", "b")})])),
        background_reason=draw(st.sampled_from([None, None, *BackgroundWork])),
    )


def plain_first(
    policy: QueuePolicy, waiting: Iterable[Job], running: Iterable[Job], past: Iterable[PastRun]
) -> Job | None:
    """Return the first of the jobs by definition: with sums of everything, and without any memory.

    The times of past runs are whole numbers of half-lives after `START`.
    """
    used, ended = list(running), list(past)

    def is_held(job: Job) -> bool:
        return any(
            limit.concerns(job)
            and sum(limit.concerns(each) and limit.key_of(each) == limit.key_of(job) for each in used) >= limit.most
            for limit in policy.limits
        )

    def key(job: Job) -> tuple[Any, ...]:
        group, share = policy.group_of(job), (Fraction(0), Fraction(0))
        if policy.fairness is not None:
            weight = policy.fairness.weight_of(group)
            slots = sum(policy.group_of(each) == group for each in used)
            use = sum(
                Fraction(2) ** _half_lives(each.finished) - Fraction(2) ** _half_lives(each.started)
                for each in ended
                if policy.group_of(each) == group
            )
            share = Fraction(slots, weight), Fraction(use) / weight
        return -job.priority, policy.is_background(job), *share, job.created, natural(job.name)

    return min((job for job in waiting if not is_held(job)), key=key, default=None)


def _half_lives(time: float) -> int:
    return round((time - START) / HALF_LIFE)
