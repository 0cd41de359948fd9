"""The last contact with the API server, on a clock of the test's own."""

from provisioner_operator.core.jobs.timeouts import interrupt_after
from provisioner_operator.daemon.execution.contact import Contact

LOST_AFTER = 100.0
OVERDUE = interrupt_after(LOST_AFTER)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_contact_that_is_renewed_in_time_is_never_breached() -> None:
    clock = Clock()
    contact = Contact(clock.now, LOST_AFTER, clock)
    for _ in range(5):
        clock.now += OVERDUE - 1
        assert contact.breaches == 0
        contact.renew(clock.now, LOST_AFTER)


def test_each_time_without_contact_counts_once_and_a_late_renewal_does_not_undo_it() -> None:
    clock = Clock()
    contact = Contact(clock.now, LOST_AFTER, clock)
    for breaches in (1, 2):
        clock.now += OVERDUE
        assert contact.breaches == breaches
        contact.renew(clock.now, LOST_AFTER)
        assert contact.breaches == breaches


def test_a_heartbeat_counts_from_when_it_was_sent_and_with_the_time_that_it_brings() -> None:
    clock = Clock()
    contact = Contact(clock.now, LOST_AFTER, clock)
    contact.renew(clock.now - 5, 10.0)
    assert contact.breaches == 0
    clock.now += interrupt_after(10.0) - 5
    assert contact.breaches == 1


def test_the_time_until_the_guards_kill_counts_from_the_last_contact_and_is_never_negative() -> None:
    clock = [0.0]
    contact = Contact(0.0, 100.0, lambda: clock[0])
    left = []
    for clock[0] in (0.0, 90.0, 200.0):
        left.append(contact.seconds_to_kill)
    contact.renew(190.0, 100.0)
    assert [*left, contact.seconds_to_kill] == [95.0, 5.0, 0.0, 85.0]


def test_each_renewal_is_passed_on_until_nobody_listens() -> None:
    clock = Clock()
    contact = Contact(clock.now, LOST_AFTER, clock)
    sent: list[tuple[float, float]] = []
    stop = contact.listen(lambda: sent.append((contact.sent, contact.lost_after)))
    contact.renew(1001.0, 50.0)
    stop()
    stop()
    contact.renew(1002.0, 50.0)
    assert sent == [(1001.0, 50.0)]
