"""Deleted daemons that cannot be parsed: their finalizer goes, too, or they would keep their namespaces."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.limits import LONGEST_LOST_AFTER
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.daemons.decisions import ReleaseDaemon
from provisioner_operator.core.jobs.decisions import Fail
from provisioner_operator.core.model.records import Daemon, DaemonPod, Offer, UnreadableObject
from support.builders.core import NAMESPACE, NOON, a_daemon, a_running_job, at
from support.builders.observed_jobs import ObservedJobs

DELETED = UnreadableObject(
    NAMESPACE, "daemon", "uid-of-daemon", 5, pod_uid="uid-of-pod", deleted_at=NOON, finalizers=(RUNS_FINALIZER,)
)
POD = DaemonPod(NAMESPACE, "daemon", "uid-of-pod", 1, Offer(frozenset(), frozenset(), 1, 300, 180), ready=True)
known_before = pytest.mark.parametrize("before", [(), (a_daemon(),)], ids=["never parsed", "parsed before"])


@known_before
def test_a_deleted_daemon_that_cannot_be_parsed_goes_with_its_pod(before: tuple[Daemon, ...]) -> None:
    observed = ObservedJobs(*before, job := a_running_job())
    observed.mirror.observe_pod(POD, at(0))
    observed.mirror.observe_unreadable_daemon(DELETED, at(1))
    assert ReleaseDaemon(DELETED) not in observed.decided(1)
    observed.mirror.observe_pod(replace(POD, resource_version=2, ended="Succeeded"), at(2))
    decided = observed.decided(2)
    assert ReleaseDaemon(DELETED) in decided
    assert [each.subject for each in decided if isinstance(each, Fail)] == [job.uid]


@known_before
def test_a_deleted_daemon_that_cannot_be_parsed_goes_after_the_longest_fence_however_often_it_reports(
    before: tuple[Daemon, ...],
) -> None:
    observed = ObservedJobs(*before)
    observed.mirror.observe_unreadable_daemon(DELETED, at(1))
    assert observed.decided(1) == []
    assert observed.wake() == LONGEST_LOST_AFTER
    beat = replace(DELETED, resource_version=6)
    observed.mirror.observe_unreadable_daemon(beat, at(LONGEST_LOST_AFTER - 1))
    assert observed.decided(LONGEST_LOST_AFTER - 1) == []
    assert observed.decided(LONGEST_LOST_AFTER) == [ReleaseDaemon(beat)]


@pytest.mark.parametrize("daemon", [replace(DELETED, deleted_at=None), replace(DELETED, finalizers=("other",))])
def test_a_daemon_that_cannot_be_parsed_is_left_alone_unless_its_deletion_waits_for_its_runs(
    daemon: UnreadableObject,
) -> None:
    observed = ObservedJobs()
    observed.mirror.observe_unreadable_daemon(daemon, at(1))
    assert observed.decided(2 * LONGEST_LOST_AFTER) == []
    assert observed.wake() is None
