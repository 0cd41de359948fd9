from provisioner_operator.core.daemons.liveness import DEFAULT_LOST_AFTER, Liveness
from support.builders.core import at


def a_daemon_heard_at_noon() -> Liveness:
    silence = Liveness()
    silence.heard("d", 300, at(0))
    return silence


def confirmed_at(silence: Liveness, seconds: float) -> None:
    silence.asks("d", at(seconds))
    silence.unchanged("d", 300, fresh=True)


def test_silence_alone_means_nothing_until_a_fresh_read_confirms_it() -> None:
    silence = a_daemon_heard_at_noon()
    assert not silence.is_offline("d")
    assert not silence.is_lost("d", at(10_000))
    assert silence.wants_check("d", at(40))


def test_confirmed_silence_makes_a_daemon_offline_and_later_lost() -> None:
    silence = a_daemon_heard_at_noon()
    confirmed_at(silence, 40)
    assert silence.is_offline("d")
    assert not silence.is_lost("d", at(1000))
    assert not silence.wants_check("d", at(299))
    assert silence.wants_check("d", at(300))
    confirmed_at(silence, 300)
    assert silence.is_lost("d", at(300))


def test_a_read_confirms_nothing_beyond_the_moment_it_was_asked_for() -> None:
    silence = a_daemon_heard_at_noon()
    silence.asks("d", at(41))
    silence.unchanged("d", 300, fresh=True)  # the answer came minutes later
    assert silence.is_offline("d")
    assert not silence.is_lost("d", at(400))


def test_what_a_watch_repeats_confirms_nothing() -> None:
    silence = a_daemon_heard_at_noon()
    silence.unchanged("d", 300, fresh=False)
    assert not silence.is_offline("d")


def test_a_heartbeat_ends_the_silence() -> None:
    silence = a_daemon_heard_at_noon()
    confirmed_at(silence, 40)
    silence.heard("d", 300, at(50))
    assert not silence.is_offline("d")
    assert silence.next_look("d", at(50)) == at(90).monotonic


def test_after_an_outage_everyone_gets_a_full_period() -> None:
    silence = a_daemon_heard_at_noon()
    silence.asks("d", at(300))
    silence.everyone_anew(at(301))
    silence.unchanged("d", 300, fresh=True)
    assert not silence.is_offline("d")
    assert silence.next_look("d", at(301)) == at(341).monotonic


def test_a_deleted_daemon_is_offline_at_once_and_lost_after_its_period() -> None:
    silence = a_daemon_heard_at_noon()
    silence.deleted("d", at(10))
    assert silence.is_offline("d")
    assert not silence.is_lost("d", at(309))
    assert silence.is_lost("d", at(310))
    assert not silence.wants_check("d", at(310))


def test_being_told_twice_that_a_daemon_was_deleted_does_not_prolong_its_period() -> None:
    silence = a_daemon_heard_at_noon()
    silence.deleted("d", at(10))
    silence.deleted("d", at(200))
    assert silence.is_lost("d", at(310))


def test_a_lost_daemon_is_not_looked_at_again() -> None:
    silence = a_daemon_heard_at_noon()
    silence.deleted("d", at(0))
    assert silence.next_look("d", at(0)) == at(300).monotonic
    assert silence.next_look("d", at(300)) is None


def test_one_that_was_deleted_before_this_process_began_gets_the_default() -> None:
    silence = Liveness()
    silence.deleted("d", at(0))
    assert silence.is_lost("d", at(DEFAULT_LOST_AFTER))
    assert not silence.is_lost("d", at(DEFAULT_LOST_AFTER - 1))


def test_a_shorter_period_holds_from_when_it_is_seen() -> None:
    silence = a_daemon_heard_at_noon()
    silence.unchanged("d", 30, fresh=False)
    assert silence.next_look("d", at(1)) == at(4).monotonic


def test_nobody_knows_a_daemon_that_was_forgotten() -> None:
    silence = a_daemon_heard_at_noon()
    silence.forget("d")
    assert not silence.known("d")
    assert silence.is_offline("d")
    assert not silence.is_lost("d", at(1e6))
    assert silence.next_look("d", at(0)) is None
