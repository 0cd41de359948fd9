"""The end of a daemon's process, as far as its object alone shows it."""

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, DaemonState
from provisioner_operator.api.v1alpha1.limits import LONGEST_LOST_AFTER
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.daemons.decisions import HEARTBEAT_MISSING, ReleaseDaemon
from provisioner_operator.core.daemons.ending import has_ended, release_of_unreadable
from provisioner_operator.core.model.records import Condition, Daemon, UnreadableObject
from support.builders.core import NAMESPACE, NOON, a_daemon, a_running_job, at

OFFLINE = DaemonState.OFFLINE
MISSED = (Condition("Online", ConditionStatus.FALSE, HEARTBEAT_MISSING, "", since=NOON),)
RUNS = (a_running_job(),)


@pytest.mark.parametrize(
    ("daemon", "now", "over"),
    [
        pytest.param(a_daemon(heartbeat=None), 0, True, id="it has never reported"),
        pytest.param(a_daemon(), 10**6, False, id="it reports"),
        pytest.param(a_daemon(conditions=MISSED), 10**6, False, id="it reports again"),
        pytest.param(a_daemon(state=OFFLINE), 0, True, id="it reported its end"),
        pytest.param(a_daemon(state=OFFLINE, runs=RUNS), 10**6, False, id="it reported its end, and runs"),
        pytest.param(a_daemon(state=OFFLINE, conditions=MISSED, lost_after=300), 299, False, id="it may be silent"),
        pytest.param(a_daemon(state=OFFLINE, conditions=MISSED, lost_after=300, runs=RUNS), 300, True, id="it is lost"),
    ],
)
def test_an_end_is_what_the_daemon_reported_or_its_fence_has_made_certain(
    daemon: Daemon, now: float, *, over: bool
) -> None:
    assert has_ended(daemon, at(now)) is over


def unreadable(*, deleted_at: float | None = NOON, finalizers: tuple[str, ...] = (RUNS_FINALIZER,)) -> UnreadableObject:
    return UnreadableObject(NAMESPACE, "odd", "uid-of-odd", 1, deleted_at=deleted_at, finalizers=finalizers)


def test_a_deleted_daemon_that_cannot_be_parsed_is_released_with_its_pod_or_after_the_longest_fence() -> None:
    daemon = unreadable()
    assert release_of_unreadable(daemon, at(10), has_ended=True) == (ReleaseDaemon(daemon), 0)
    assert release_of_unreadable(daemon, at(10), has_ended=False) == (ReleaseDaemon(daemon), LONGEST_LOST_AFTER - 10)


@pytest.mark.parametrize("daemon", [unreadable(deleted_at=None), unreadable(finalizers=("another",))])
def test_one_that_is_not_deleted_or_not_held_is_not_released(daemon: UnreadableObject) -> None:
    assert release_of_unreadable(daemon, at(10), has_ended=True) is None
