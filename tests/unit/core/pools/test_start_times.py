"""Time that new daemons take to be ready."""

from provisioner_operator.core.pools.members import Member
from provisioner_operator.core.pools.start_times import KEPT_STARTS, DaemonStarts
from support.builders.core import NOON
from support.builders.pools import starting, working


def a_start(name: str, created: float, ready: float) -> Member:
    return working(name, created=created, ready_since=ready)


def test_each_daemon_counts_once_when_it_becomes_ready() -> None:
    starts = DaemonStarts((), since=NOON)
    starts.observe([starting("a", created=0), a_start("b", 0, 7)])
    starts.observe([a_start("a", 0, 12), a_start("b", 0, 7)])
    starts.observe([a_start("a", 0, 99), a_start("b", 0, 7)])  # its probe failed meanwhile
    assert starts.seconds == (7, 12)


def test_a_controller_that_starts_anew_counts_none_again() -> None:
    starts = DaemonStarts((7, 12), since=NOON + 20)
    starts.observe([a_start("a", 0, 12), a_start("c", 15, 40)])
    assert starts.seconds == (7, 12, 25)


def test_the_last_ones_are_kept_and_the_order_is_that_of_time() -> None:
    starts = DaemonStarts(range(30), since=NOON)
    assert starts.seconds == tuple(range(10, 30))
    starts.observe([a_start("late", 0, 200), a_start("early", 0, 100)])
    assert starts.seconds[-2:] == (100, 200)
    assert len(starts.seconds) == KEPT_STARTS
