"""Judgment of a policy about a job: its group, its limits, and whether people wait for it."""

import pytest

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, GroupField, JobType, Transition
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.policy import Grouping, Limit, QueuePolicy, past_run
from support.builders.core import NOON, a_job, an_ended_job
from support.builders.queues import BY_INITIATOR

JOB = a_job(
    initiator="ann",
    workspace_owner="bob",
    template="gpu",
    labels=frozenset({("team", "red"), ("other", "blue")}),
    tags={"x": "1", "y": "2"},
)


@pytest.mark.parametrize(
    ("grouping", "group", "named", "nameless"),
    [
        (Grouping(GroupField.INITIATOR), "ann", "initiator ann", "jobs without initiator"),
        (Grouping(GroupField.OWNER), "bob", "owner bob", "jobs without owner"),
        (Grouping(GroupField.TEMPLATE), "gpu", "template gpu", "jobs without template"),
        (Grouping(GroupField.LABEL, "team"), "red", "label team red", "jobs without label team"),
        (Grouping(GroupField.LABEL, "absent"), "", "label absent x", "jobs without label absent"),
    ],
)
def test_a_job_and_its_past_run_are_of_the_group_of_their_field(
    grouping: Grouping, group: str, named: str, nameless: str
) -> None:
    ended = past_run(an_ended_job(**{name: getattr(JOB, name) for name in FIELDS}))
    assert ended is not None
    assert grouping.group_of(JOB) == grouping.group_of(ended) == group
    assert grouping.describe(group or "x") == named
    assert grouping.describe("") == nameless
    assert grouping.group_of(a_job(initiator=None)) == ""


FIELDS = ("initiator", "workspace_owner", "template", "labels")


def test_only_what_ran_and_ended_is_a_past_run() -> None:
    assert past_run(a_job(started=NOON)) is None
    assert past_run(a_job(finished=NOON)) is None
    run = past_run(an_ended_job(started=5, finished=20))
    assert run is not None
    assert (run.uid, run.started, run.finished) == ("uid-of-job", NOON + 5, NOON + 20)


BUILD = JobType.WORKSPACE_BUILD


@pytest.mark.parametrize(
    ("limit", "job", "concerns"),
    [
        (Limit("any", 1), a_job(type=BUILD, transition=Transition.START), True),
        (Limit("any", 1), a_job(type=BUILD, transition=Transition.STOP), False),
        (Limit("any", 1), a_job(type=BUILD, transition=Transition.DELETE), False),
        (Limit("any", 1), a_job(type=JobType.WORKSPACE_PLAN, transition=Transition.DELETE), True),
        (Limit("named", 1, transition=Transition.STOP), a_job(type=BUILD, transition=Transition.STOP), True),
        (Limit("named", 1, transition=Transition.STOP), a_job(type=BUILD, transition=Transition.START), False),
        (Limit("template", 1, template="gpu"), JOB, True),
        (Limit("template", 1, template="small"), JOB, False),
        (Limit("initiator", 1, initiator="ann"), JOB, True),
        (Limit("initiator", 1, initiator="bob"), JOB, False),
        (Limit("tags", 1, tags=frozenset({("x", "1")})), JOB, True),
        (Limit("tags", 1, tags=frozenset({("x", "2")})), JOB, False),
        (Limit("tags", 1, tags=frozenset({("x", "1"), ("z", "3")})), JOB, False),
    ],
)
def test_a_limit_concerns_the_jobs_that_match_all_it_names(limit: Limit, job: Job, *, concerns: bool) -> None:
    assert limit.concerns(job) is concerns
    assert QueuePolicy(limits=(Limit("none", 0, initiator="nobody"), limit)).limits_of(job) == (
        ((limit.name, ""),) if concerns else ()
    )


def test_a_limit_per_group_counts_each_group_by_itself() -> None:
    policy = QueuePolicy(limits=(Limit("all", 7), Limit("each", 2, per=BY_INITIATOR)))
    assert policy.limits_of(JOB) == (("all", ""), ("each", "ann"))
    assert [policy.most(key) for key in policy.limits_of(JOB)] == [7, 2]
    with pytest.raises(LookupError, match="gone"):
        policy.most(("gone", ""))


def test_background_work_is_that_which_the_policy_names() -> None:
    policy = QueuePolicy(background=frozenset({BackgroundWork.DRIFT}))
    assert policy.is_background(a_job(background_reason=BackgroundWork.DRIFT))
    assert not policy.is_background(a_job(background_reason=BackgroundWork.TEMPLATE_IMPORT))
    assert not policy.is_background(a_job())
