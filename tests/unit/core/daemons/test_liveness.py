from provisioner_operator.core.daemons.liveness import DEFAULT_LOST_AFTER, Liveness
from support.builders.core import at


def a_daemon_observed_at_noon() -> Liveness:
    liveness = Liveness()
    liveness.observe_heartbeat("d", 300, at(0))
    return liveness


def confirmed_at(liveness: Liveness, seconds: float) -> None:
    liveness.begin_check("d", at(seconds))
    liveness.observe_unchanged("d", 300, fresh=True)


def test_missed_heartbeats_alone_mean_nothing_until_a_fresh_read_confirms_it() -> None:
    liveness = a_daemon_observed_at_noon()
    assert not liveness.is_offline("d")
    assert not liveness.is_lost("d", at(10_000))
    assert liveness.needs_check("d", at(40))


def test_confirmed_missed_heartbeats_make_a_daemon_offline_and_later_lost() -> None:
    liveness = a_daemon_observed_at_noon()
    confirmed_at(liveness, 40)
    assert liveness.is_offline("d")
    assert not liveness.is_lost("d", at(1000))
    assert not liveness.needs_check("d", at(299))
    assert liveness.needs_check("d", at(300))
    confirmed_at(liveness, 300)
    assert liveness.is_lost("d", at(300))


def test_a_read_confirms_nothing_beyond_the_moment_it_was_asked_for() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.begin_check("d", at(41))
    liveness.observe_unchanged("d", 300, fresh=True)  # the answer came minutes later
    assert liveness.is_offline("d")
    assert not liveness.is_lost("d", at(400))


def test_what_a_watch_repeats_confirms_nothing() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.observe_unchanged("d", 300, fresh=False)
    assert not liveness.is_offline("d")


def test_a_heartbeat_makes_a_daemon_online_again() -> None:
    liveness = a_daemon_observed_at_noon()
    confirmed_at(liveness, 40)
    liveness.observe_heartbeat("d", 300, at(50))
    assert not liveness.is_offline("d")
    assert liveness.next_look("d", at(50)) == at(90).monotonic


def test_the_time_of_an_outage_does_not_count_as_missed_heartbeats() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.observe_heartbeat("reports on", 300, at(250))
    liveness.begin_check("d", at(300))
    liveness.leave_out(at(20).monotonic, at(301))
    liveness.observe_unchanged("d", 300, fresh=True)
    assert not liveness.is_offline("d")
    assert liveness.next_look("d", at(301)) == at(321).monotonic
    assert liveness.next_look("reports on", at(301)) == at(341).monotonic


def test_an_outage_before_the_last_heartbeat_changes_nothing() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.leave_out(at(-20).monotonic, at(-10))
    assert liveness.next_look("d", at(0)) == at(40).monotonic


def test_a_deleted_daemon_is_offline_at_once_and_lost_after_its_period() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.deleted("d", at(10))
    assert liveness.is_offline("d")
    assert not liveness.is_lost("d", at(309))
    assert liveness.is_lost("d", at(310))
    assert not liveness.needs_check("d", at(310))


def test_the_period_of_a_deleted_daemon_starts_at_its_last_heartbeat_if_that_is_known() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.deleted("d", at(200), heard_all=True)
    assert liveness.next_look("d", at(200)) == at(300).monotonic
    assert not liveness.is_lost("d", at(299))
    assert liveness.is_lost("d", at(300))


def test_a_second_report_of_a_deletion_does_not_prolong_its_period() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.deleted("d", at(10))
    liveness.deleted("d", at(200))
    assert liveness.is_lost("d", at(310))


def test_a_lost_daemon_is_not_looked_at_again() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.deleted("d", at(0))
    assert liveness.next_look("d", at(0)) == at(300).monotonic
    assert liveness.next_look("d", at(300)) is None


def test_one_that_was_deleted_before_this_process_began_gets_the_default() -> None:
    liveness = Liveness()
    liveness.deleted("d", at(0))
    assert liveness.is_lost("d", at(DEFAULT_LOST_AFTER))
    assert not liveness.is_lost("d", at(DEFAULT_LOST_AFTER - 1))


def test_a_shorter_period_holds_from_when_it_is_seen() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.observe_unchanged("d", 30, fresh=False)
    assert liveness.next_look("d", at(1)) == at(4).monotonic


def test_nobody_knows_a_daemon_that_was_forgotten() -> None:
    liveness = a_daemon_observed_at_noon()
    liveness.forget("d")
    assert not liveness.known("d")
    assert liveness.is_offline("d")
    assert not liveness.is_lost("d", at(1e6))
    assert liveness.next_look("d", at(0)) is None


def test_the_death_of_a_daemon_that_is_not_known_changes_nothing() -> None:
    liveness = Liveness()
    liveness.died("d")
    assert not liveness.known("d")


def a_daemon_at_rest_since_noon() -> Liveness:
    liveness = Liveness()
    liveness.observe_heartbeat("d", 300, at(0), idle_interval=60)
    return liveness


def test_a_daemon_that_announced_a_later_heartbeat_is_given_that_time() -> None:
    liveness = a_daemon_at_rest_since_noon()
    assert liveness.next_look("d", at(0)) == at(90).monotonic
    confirmed_at(liveness, 89)
    assert not liveness.is_offline("d")
    confirmed_at(liveness, 90)
    assert liveness.is_offline("d")
    confirmed_at(liveness, 300)
    assert liveness.is_lost("d", at(300))


def test_a_daemon_that_is_assigned_a_job_must_report_as_soon_as_any() -> None:
    liveness = a_daemon_at_rest_since_noon()
    liveness.note_jobs("d", at(30), has_jobs=True)
    liveness.note_jobs("d", at(35), has_jobs=True)
    assert liveness.next_look("d", at(30)) == at(70).monotonic
    confirmed_at(liveness, 70)
    assert liveness.is_offline("d")


def test_an_assignment_gives_no_more_time_than_was_announced() -> None:
    liveness = a_daemon_at_rest_since_noon()
    liveness.note_jobs("d", at(80), has_jobs=True)
    assert liveness.next_look("d", at(80)) == at(90).monotonic


def test_a_job_that_is_taken_away_before_it_starts_leaves_no_suspicion() -> None:
    liveness = a_daemon_at_rest_since_noon()
    liveness.note_jobs("d", at(10), has_jobs=True)
    liveness.note_jobs("d", at(11), has_jobs=False)
    assert liveness.next_look("d", at(11)) == at(90).monotonic


def test_a_daemon_that_did_not_acknowledge_is_suspect_until_it_reports() -> None:
    liveness = a_daemon_at_rest_since_noon()
    liveness.note_jobs("d", at(10), has_jobs=True)
    liveness.suspect("d")
    liveness.note_jobs("d", at(40), has_jobs=False)
    assert liveness.next_look("d", at(40)) == at(50).monotonic
    liveness.observe_heartbeat("d", 300, at(45), idle_interval=60)
    assert liveness.next_look("d", at(45)) == at(135).monotonic


def test_the_time_of_an_outage_does_not_count_after_an_assignment_either() -> None:
    liveness = a_daemon_at_rest_since_noon()
    liveness.note_jobs("d", at(10), has_jobs=True)
    liveness.leave_out(at(20).monotonic, at(120))
    assert liveness.next_look("d", at(120)) == at(150).monotonic


def test_whatever_a_daemon_announces_it_is_offline_once_it_is_lost() -> None:
    liveness = Liveness()
    liveness.observe_heartbeat("d", 10, at(0), idle_interval=180)
    assert liveness.next_look("d", at(0)) == at(10).monotonic
