"""Jobs are assigned under any policies in the order of the plain definition, in fleets of any kind."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import GroupField
from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.model.matching import satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.assignment import AssignmentQueue
from provisioner_operator.core.scheduling.queueing.policy import Grouping, Limit, PastRun, QueuePolicy
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job, an_assigned_job
from support.builders.queues import START, TAGS, a_past_run, a_policy, people_jobs, plain_first, policies

JOBS = st.lists(people_jobs(), unique_by=lambda job: job.uid, max_size=13)
FLEETS = st.lists(st.tuples(st.sampled_from(TAGS), st.integers(0, 3)), max_size=4).map(
    lambda fleet: [a_daemon(f"d{number}", tags=tags, capacity=free) for number, (tags, free) in enumerate(fleet)]
)
PAST = st.lists(
    st.builds(
        lambda name, took: a_past_run(f"past of {name}", started=START - took * 3600, finished=START, initiator=name),
        st.sampled_from(["ann", "bob"]),
        st.integers(1, 3),
    ),
    max_size=2,
    unique_by=lambda run: run.uid,
)


def plainly(policy: QueuePolicy, jobs: list[Job], fleet: list[Daemon], past: list[PastRun]) -> list[str]:
    """The names of the jobs that start, in order: the best of all that any free daemon may run, again and again."""
    free = {daemon.name: daemon.capacity for daemon in fleet}
    waiting, running = list(jobs), list[Job]()
    while True:
        eligible = [
            job
            for job in waiting
            if any(free[daemon.name] and satisfies(daemon.supply, job.demand) for daemon in fleet)
        ]
        first = plain_first(policy, eligible, running, past)
        if first is None:
            return [job.name for job in running]
        able = [daemon for daemon in fleet if free[daemon.name] and satisfies(daemon.supply, first.demand)]
        # As the assignment: those with the fewest tags to spare first.
        free[min(able, key=lambda daemon: len(daemon.supply.tags)).name] -= 1
        waiting.remove(first)
        running.append(first)


@settings(max_examples=300, deadline=None)
@given(policies(), policies(), JOBS, FLEETS, PAST)
def test_jobs_start_in_the_order_of_the_definition(
    former: QueuePolicy,
    policy: QueuePolicy,
    jobs: list[Job],
    fleet: list[Daemon],
    past: list[PastRun],
) -> None:
    queue = AssignmentQueue()
    queue.set_policy(NAMESPACE, former, START)
    for job in jobs:
        queue.enqueue(job)
    queue.set_policy(NAMESPACE, policy, START)
    for run in past:
        queue.add_past_run(NAMESPACE, run)
    for daemon in fleet:
        queue.offer(daemon, daemon.capacity)
    wanted = plainly(policy, jobs, fleet, past)
    assert [job.name for job, _ in queue.match(START)] == wanted
    left = {job.uid for job in jobs if job.uid in queue}
    assert len(left) == len(jobs) - len(wanted)


@settings(deadline=None)
@given(JOBS, FLEETS)
def test_without_a_policy_the_order_is_priority_and_age(jobs: list[Job], fleet: list[Daemon]) -> None:
    queue = AssignmentQueue()
    for daemon in fleet:
        queue.offer(daemon, daemon.capacity)
    for job in jobs:
        queue.enqueue(job)
    started = [job for job, _ in queue.match(NOON)]
    assert started == sorted(started, key=queue_key)


def test_a_deleted_run_counts_no_more() -> None:
    queue = AssignmentQueue()
    queue.set_policy(NAMESPACE, a_policy(), NOON)
    queue.add_past_run(NAMESPACE, a_past_run(started=NOON - 5, finished=NOON, initiator="ann"))
    queue.forget_past_run("past")
    found = queue.queues.of(NAMESPACE)
    assert found is not None
    assert found.share_of("ann") == (0, 0)


def test_a_running_job_that_leaves_its_limit_lets_the_next_one_start() -> None:
    team = frozenset({("team", "a")})
    each_team = Limit("each-team", 1, per=Grouping(GroupField.LABEL, "team"))
    queue = AssignmentQueue()
    running = an_assigned_job("running", labels=team)
    queue.set_policy(NAMESPACE, a_policy(each_team), NOON, [running])
    queue.enqueue(a_job("next", labels=team))
    queue.offer(a_daemon("d"), 1)
    assert queue.match(NOON) == []
    queue.take_slot(replace(running, labels=frozenset({("team", "b")})))
    assert [job.name for job, _ in queue.match(NOON)] == ["next"]
