import pytest
from typing_extensions import override

from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling import assignment
from provisioner_operator.core.scheduling.assignment import AssignmentQueue
from support.builders.core import a_daemon, a_job

CHICAGO = {"datacenter": "chicago"}
FAST = CHICAGO | {"disk": "fast"}


def a_queue(*jobs: Job, daemons: tuple[Daemon, ...] = ()) -> AssignmentQueue:
    queue = AssignmentQueue()
    for job in jobs:
        queue.enqueue(job)
    for daemon in daemons:
        queue.offer(daemon, daemon.capacity)
    return queue


def matched(queue: AssignmentQueue) -> list[tuple[str, str]]:
    return [(job.name, daemon.name) for job, daemon in queue.match()]


def test_a_job_goes_to_a_daemon_that_matches_and_to_no_other() -> None:
    queue = a_queue(a_job("plain"), a_job("tagged", tags=CHICAGO), daemons=(a_daemon("d", tags=CHICAGO),))
    assert matched(queue) == [("tagged", "d")]
    assert matched(queue) == []


def test_the_order_holds_across_demands() -> None:
    daemon = a_daemon("d", tags=FAST, capacity=9)
    jobs = [
        a_job("third", tags=FAST, created=3),
        a_job("second", tags=CHICAGO, created=2),
        a_job("urgent", tags=FAST, created=9, priority=1),
        a_job("first", tags=CHICAGO, created=1),
    ]
    assert [job for job, _ in matched(a_queue(*jobs, daemons=(daemon,)))] == ["urgent", "first", "second", "third"]


def test_capacity_is_never_exceeded() -> None:
    queue = a_queue(*(a_job(f"job-{number}") for number in range(5)), daemons=(a_daemon("d", capacity=2),))
    assert matched(queue) == [("job-0", "d"), ("job-1", "d")]
    queue.offer(a_daemon("d", capacity=2), 1)
    assert matched(queue) == [("job-2", "d")]


def test_the_daemon_with_the_fewest_tags_to_spare_goes_first() -> None:
    special, plain = a_daemon("special", tags=FAST), a_daemon("plain", tags=CHICAGO)
    assert matched(a_queue(a_job(tags=CHICAGO), daemons=(special, plain))) == [("job", "plain")]


def test_a_special_daemon_takes_what_the_plain_one_has_no_room_for() -> None:
    jobs = [a_job(f"job-{number}", tags=CHICAGO) for number in range(2)]
    daemons = (a_daemon("special", tags=FAST), a_daemon("plain", tags=CHICAGO))
    assert matched(a_queue(*jobs, daemons=daemons)) == [("job-0", "plain"), ("job-1", "special")]


def test_equal_daemons_take_turns() -> None:
    daemons = (a_daemon("a", capacity=2), a_daemon("b", capacity=2))
    jobs = [a_job(f"job-{number}") for number in range(4)]
    assert [daemon for _, daemon in matched(a_queue(*jobs, daemons=daemons))] == ["a", "b", "a", "b"]


def test_who_has_been_free_the_longest_goes_first() -> None:
    queue = a_queue(daemons=(a_daemon("a"), a_daemon("b")))
    queue.offer(a_daemon("a"), 0)
    queue.offer(a_daemon("a"), 1)
    queue.enqueue(a_job())
    assert matched(queue) == [("job", "b")]


def test_a_job_that_left_is_not_assigned() -> None:
    queue = a_queue(a_job("gone"), a_job("there", created=1), daemons=(a_daemon("d"),))
    queue.dequeue("uid-of-gone")
    queue.dequeue("uid-of-gone")
    assert matched(queue) == [("there", "d")]


def test_a_daemon_that_left_gets_nothing_and_its_equal_does() -> None:
    queue = a_queue(a_job(), daemons=(a_daemon("gone"), a_daemon("there")))
    queue.remove(a_daemon("gone"))
    queue.remove(a_daemon("gone"))
    assert matched(queue) == [("job", "there")]


def test_a_daemon_without_room_gets_nothing_until_it_has() -> None:
    queue = a_queue(a_job())
    queue.offer(a_daemon("d"), 0)
    assert matched(queue) == []
    queue.offer(a_daemon("d"), 1)
    assert matched(queue) == [("job", "d")]


def test_a_new_place_in_the_queue_counts() -> None:
    queue = a_queue(a_job("old", created=0), a_job("new", created=1), daemons=(a_daemon("d"),))
    queue.enqueue(a_job("new", created=1, priority=5))
    assert matched(queue) == [("new", "d")]


def test_two_demands_of_equal_place_and_one_slot_are_no_riddle() -> None:
    # 1 and 01 are equal in natural order.
    jobs = (a_job("job-1", tags=CHICAGO), a_job("job-01", tags=FAST))
    daemons = (a_daemon("both", tags=FAST), a_daemon("other", tags=FAST | {"more": "1"}, capacity=1))
    queue = a_queue(*jobs, daemons=(daemons[0],))
    queue.offer(daemons[1], 0)
    assert len(matched(queue)) == 1


def test_the_depth_of_each_queue_is_known_with_its_first_job() -> None:
    queue = a_queue(a_job("b", created=2), a_job("a", created=1), a_job("c", tags=CHICAGO))
    depths = {first.name: count for count, first in queue.depths().values()}
    assert depths == {"a": 2, "c": 1}
    assert a_queue().depths() == {}


def comparisons_per_assignment(monkeypatch: pytest.MonkeyPatch, pending: int, assignments: int = 50) -> float:
    """The number of heap entries that assigning a job touches, with this many waiting."""
    steps = 0

    class Counting(KeyedHeap[str, tuple[int, float, object]]):
        @override
        def put(self, key: str, priority: tuple[int, float, object]) -> None:
            nonlocal steps
            steps += 1
            super().put(key, priority)

        @override
        def peek(self) -> tuple[tuple[int, float, object], str] | None:
            nonlocal steps
            steps += 1
            return super().peek()

    monkeypatch.setattr(assignment, "KeyedHeap", Counting)
    demands: tuple[dict[str, str], ...] = ({}, CHICAGO, FAST, CHICAGO | {"gpu": "1"})
    queue = a_queue(*(a_job(f"job-{number}", tags=demands[number % 4], created=number) for number in range(pending)))
    for number in range(40):
        queue.offer(a_daemon(f"busy-{number}", tags=demands[number % 4]), 0)
    queue.match()
    steps = 0
    for number in range(assignments):
        queue.offer(a_daemon(f"busy-{number % 40}", tags=demands[number % 4]), 1)
        assert len(queue.match()) == 1
    return steps / assignments


def test_an_assignment_costs_the_same_however_long_the_queue_is(monkeypatch: pytest.MonkeyPatch) -> None:
    short = comparisons_per_assignment(monkeypatch, pending=1_000)
    long = comparisons_per_assignment(monkeypatch, pending=20_000)
    assert long <= short * 1.05
    assert long < 40


def test_a_daemon_that_is_removed_while_jobs_wait_gets_none_and_its_successor_does() -> None:
    daemon = a_daemon("d")
    queue = a_queue(a_job("waits"), daemons=(daemon,))
    queue.remove(daemon)
    assert matched(queue) == []

    queue.offer(a_daemon("e"), 1)

    assert matched(queue) == [("waits", "e")]
