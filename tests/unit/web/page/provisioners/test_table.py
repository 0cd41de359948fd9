"""Lines of the list of provisioner daemons."""

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, PendingReason
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.scheduling.explanation import Explanation
from provisioner_operator.core.scheduling.smallest_change import TagDaemon
from provisioner_operator.kube.object_states import daemon_report
from provisioner_operator.web.page.provisioners.table import DaemonFacts, count_blocked, daemon_line, status_of
from support.builders.core import NAMESPACE, NOON, a_daemon, a_demand
from support.builders.manifests import a_daemon_manifest
from support.builders.stored import stored


def a_report(**status: object) -> DaemonReport:
    return daemon_report(stored(a_daemon_manifest("d1"), status={"version": "1.0", **status}))


@pytest.mark.parametrize(
    ("state", "cordoned", "online", "used", "word"),
    [
        (DaemonState.IDLE, False, True, 0, "Idle"),
        (DaemonState.BUSY, False, True, 2, "Busy"),
        (DaemonState.BUSY, False, False, 2, "Offline"),
        (DaemonState.DRAINING, False, False, 1, "Draining"),
        (DaemonState.IDLE, True, True, 0, "Cordoned"),
        (DaemonState.BUSY, True, True, 1, "Draining"),
    ],
)
def test_a_status_is_what_the_daemon_does_for_jobs(
    *, state: DaemonState, cordoned: bool, online: bool, used: int, word: str
) -> None:
    assert status_of(a_daemon("d1", state=state, cordoned=cordoned), online=online, used=used).word == word


def test_several_failures_and_near_misses_need_attention() -> None:
    def attention(failures: int, blocked: int) -> bool:
        facts = DaemonFacts(online=True, used=0, blocked_by_tags=blocked)
        report = a_report(consecutiveFailures=failures)
        return daemon_line(
            a_daemon("d1", heartbeat=None), report, facts, own_version="1.0", closed="", now=NOON
        ).needs_attention

    assert [attention(0, 0), attention(2, 0), attention(3, 0), attention(0, 1)] == [False, False, True, True]


def test_another_version_is_marked() -> None:
    facts = DaemonFacts(online=True, used=0)
    one, other, unknown = (
        daemon_line(
            a_daemon("d1", heartbeat=None),
            a_report(version=version),
            facts,
            own_version="1.0",
            closed="",
            now=NOON,
        )
        for version in ("1.0", "0.9", "")
    )
    assert [one.is_other_version, other.is_other_version, unknown.is_other_version] == [False, True, False]


def test_jobs_that_a_tag_would_unblock_count_for_the_daemon_that_lacks_it() -> None:
    edit = TagDaemon("d1", "os", "linux")
    explained = Explanation(PendingReason.NO_MATCHING_DAEMON, "", (edit,))
    found = count_blocked([(a_demand(os="linux"), 3, explained), (a_demand(), 2, None)])
    assert found == {(NAMESPACE, "d1"): 3}
