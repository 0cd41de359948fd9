"""The guard's arithmetic, without processes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.jobs import timeouts
from provisioner_operator.daemon.execution.guard import Fence

INTERRUPT_AT = 0.8
KILL_AT = 0.95


@pytest.fixture
def fence() -> Fence:
    return Fence(contact=1000.0, lost=100.0, grace=30.0)


@pytest.mark.parametrize(
    ("at", "interrupt", "kill"),
    [
        (1000.0, False, False),
        (1079.9, False, False),
        (1080.0, True, False),
        (1094.9, True, False),
        (1095.0, True, True),
    ],
)
def test_lost_contact_first_interrupts_and_then_kills(fence: Fence, at: float, *, interrupt: bool, kill: bool) -> None:
    assert (fence.wants_interrupt(at), fence.wants_kill(at)) == (interrupt, kill)


def test_a_contact_starts_the_count_anew(fence: Fence) -> None:
    fence.renew(1050.0, 100.0)
    assert not fence.wants_interrupt(1129.9)
    assert fence.wants_interrupt(1130.0)


def test_an_older_contact_does_not_take_back_a_newer_one(fence: Fence) -> None:
    fence.renew(900.0, 100.0)
    assert not fence.wants_interrupt(1079.0)


def test_a_contact_brings_a_new_deadline(fence: Fence) -> None:
    fence.renew(1000.0, 10.0)
    assert fence.wants_interrupt(1008.0)
    assert fence.wants_kill(1009.5)


def test_a_contact_after_the_interrupt_does_not_put_off_the_kill(fence: Fence) -> None:
    assert fence.wants_interrupt(1081.0)
    fence.renew(1082.0, 100.0)
    assert fence.wants_kill(1095.0)


def test_the_interrupt_of_a_cancel_sets_no_deadline_of_its_own(fence: Fence) -> None:
    fence.interrupt()
    fence.renew(1090.0, 100.0)
    assert fence.wants_interrupt(1090.0)
    assert not fence.wants_kill(1184.0)


def test_a_dead_daemon_leaves_the_grace(fence: Fence) -> None:
    fence.orphan(1010.0)
    assert fence.wants_interrupt(1010.0)
    assert not fence.wants_kill(1039.9)
    assert fence.wants_kill(1040.0)


def test_a_dead_daemon_leaves_less_than_the_grace_when_it_had_been_silent(fence: Fence) -> None:
    fence.orphan(1079.0)
    assert fence.wants_kill(1095.0)


@given(
    contacts=st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.1, 1e5)), max_size=5),
    orphaned=st.none() | st.floats(0, 1e6),
    at=st.floats(0, 3e6),
)
def test_nothing_lives_longer_than_the_last_contact_allows(
    contacts: list[tuple[float, float]], orphaned: float | None, at: float
) -> None:
    fence = Fence(0.0, 100.0, 30.0)
    for contact, lost in contacts:
        fence.renew(contact, lost)
    if orphaned is not None:
        fence.orphan(orphaned)
    last = max([0.0, *(contact for contact, _ in contacts)])
    lost = contacts[-1][1] if contacts else 100.0
    if at >= last + KILL_AT * lost:
        assert fence.wants_kill(at)
    if at >= last + INTERRUPT_AT * lost:
        assert fence.wants_interrupt(at)


@given(at=st.floats(0, 1e6))
def test_the_guard_never_sleeps_past_what_is_due(at: float) -> None:
    fence = Fence(0.0, 1000.0, 30.0)
    interrupted, killed = fence.wants_interrupt(at), fence.wants_kill(at)
    wake = at + fence.sleep(at)
    assert interrupted or wake <= 1000.0 * INTERRUPT_AT + 1e-6
    assert killed or wake <= 1000.0 * KILL_AT + 1e-6


@pytest.mark.parametrize("at", [1000.0, 1050.0, 1079.0])
def test_the_guard_looks_at_the_clock_often_for_a_sleep_does_not_count_suspended_time(fence: Fence, at: float) -> None:
    assert fence.sleep(at) == 1.0


def test_the_guard_wakes_exactly_when_something_is_due(fence: Fence) -> None:
    assert fence.sleep(1079.5) == pytest.approx(0.5)
    assert fence.wants_interrupt(1080.0)
    assert fence.sleep(1094.75) == pytest.approx(0.25)
    assert fence.sleep(1096.0) == 0.0
    fence.renew(1090.0, 100.0)
    assert fence.sleep(1094.75) == pytest.approx(0.25)


def test_the_guard_wakes_for_the_end_of_the_grace(fence: Fence) -> None:
    fence.orphan(1010.0)
    assert fence.sleep(1039.5) == pytest.approx(0.5)


def test_the_guard_which_may_import_nothing_keeps_the_fractions_of_the_core() -> None:
    assert (INTERRUPT_AT, KILL_AT) == (timeouts.INTERRUPT_FRACTION, timeouts.KILL_FRACTION)
