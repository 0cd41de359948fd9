"""Pods that are daemons: what each needs, when it may get work, and when its jobs are lost."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase, Provisioner
from provisioner_operator.core.daemons.decisions import MarkOffline, RegisterDaemon, RemoveDaemon, ReshapeDaemon
from provisioner_operator.core.daemons.pods import DaemonPods
from provisioner_operator.core.jobs.decisions import Assign, Fail, Release
from provisioner_operator.core.model.records import Daemon, DaemonPod, Offer
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from support.builders.core import NAMESPACE, a_daemon, a_job, a_running_job, an_assigned_job, at, next_heartbeat

OFFER = Offer(frozenset(), frozenset({Provisioner.TERRAFORM}), capacity=1, lost_after=300, cancel_grace=180)


def a_pod(name: str = "daemon", **fields: Any) -> DaemonPod:
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": name,
        "uid": f"uid-of-pod-{name}",
        "resource_version": 1,
        "offer": OFFER,
        "ready": True,
    }
    return DaemonPod(**(defaults | fields))


def its_daemon(pod: DaemonPod, **fields: Any) -> Daemon:
    return a_daemon(pod.name, offer=pod.offer, pod_uid=pod.uid, **fields)


def later(pod: DaemonPod, **changes: Any) -> DaemonPod:
    return replace(pod, resource_version=pod.resource_version + 1, **changes)


def decide(mirror: JobReconciler, now: float = 0) -> list[JobReconcilerDecision]:
    return list(mirror.decide(at(now)))


def test_a_pod_is_registered_once() -> None:
    mirror, pod = JobReconciler(), a_pod()
    mirror.observe_pod(pod, at(0))
    assert decide(mirror) == [RegisterDaemon(pod)]
    assert decide(mirror) == []
    mirror.observe_daemon(its_daemon(pod), at(0))
    mirror.settled(RegisterDaemon(pod), at(3))
    assert decide(mirror) == []


@pytest.mark.parametrize("change", [{"deleting": True}, {"ended": "Completed, exit code 0"}], ids=str)
def test_a_pod_that_ends_is_not_registered(change: dict[str, Any]) -> None:
    mirror = JobReconciler()
    mirror.observe_pod(a_pod(**change), at(0))
    assert decide(mirror) == []


def test_a_changed_offer_reshapes_the_daemon() -> None:
    mirror, pod = JobReconciler(), a_pod()
    mirror.observe_pod(pod, at(0))
    daemon = its_daemon(pod)
    mirror.observe_daemon(daemon, at(0))
    assert decide(mirror) == []
    retagged = later(pod, offer=replace(OFFER, tags=frozenset({("zone", "a")})))
    mirror.observe_pod(retagged, at(1))
    (decision,) = decide(mirror, 1)
    assert decision == ReshapeDaemon(retagged, daemon)
    assert isinstance(decision, ReshapeDaemon)
    assert {"op": "add", "path": "/spec/tags", "value": {"zone": "a"}} in decision.patch().operations()


def test_the_daemon_of_a_former_pod_is_deleted_once_though_its_deletion_is_held_up() -> None:
    mirror, pod = JobReconciler(), a_pod()
    left_behind = its_daemon(a_pod(uid="uid-of-the-former"))
    mirror.observe_pod(pod, at(0))
    mirror.observe_daemon(left_behind, at(0))
    (decision,) = decide(mirror)
    assert decision == RemoveDaemon(pod, left_behind)
    mirror.observe_daemon(replace(left_behind, resource_version=2, deleting=True), at(1))
    mirror.settled(decision, at(1))
    assert decide(mirror, 1) == []


def test_the_daemon_of_a_former_pod_goes_before_the_next_is_registered() -> None:
    mirror, former = JobReconciler(), a_pod()
    daemon = its_daemon(former)
    mirror.observe_pod(former, at(0))
    mirror.observe_daemon(daemon, at(0))
    pod = a_pod(uid="uid-of-the-next", resource_version=9)
    mirror.observe_pod(pod, at(1))
    assert decide(mirror, 1) == []
    mirror.pod_deleted(former.uid, NAMESPACE, None, at(2))
    mirror.observe_pod(later(pod), at(2))
    assert decide(mirror, 2) == [RemoveDaemon(later(pod), daemon)]
    mirror.daemon_deleted(daemon.uid, at(3))
    mirror.settled(RemoveDaemon(later(pod), daemon), at(3))
    assert decide(mirror, 3) == [RegisterDaemon(later(pod))]


def test_an_admins_own_daemon_is_left_alone() -> None:
    mirror = JobReconciler()
    mirror.observe_daemon(a_daemon(), at(0))
    mirror.observe_pod(a_pod(), at(0))
    assert decide(mirror) == []


def test_a_pod_gets_work_only_while_it_is_there_and_ready() -> None:
    mirror, pod = JobReconciler(), a_pod(ready=False)
    mirror.observe_pod(pod, at(0))
    mirror.observe_daemon(its_daemon(pod), at(0))
    mirror.observe_job(a_job(), at(0))
    assert decide(mirror) == []
    mirror.observe_pod(later(pod, ready=True), at(1))
    assert [type(each) for each in decide(mirror, 1)] == [Assign]


@pytest.mark.parametrize("change", [{"ready": False}, {"deleting": True}], ids=str)
def test_what_a_pod_has_not_acknowledged_goes_back_when_it_is_unfit(change: dict[str, Any]) -> None:
    mirror, pod = JobReconciler(), a_pod()
    mirror.observe_pod(pod, at(0))
    mirror.observe_daemon(its_daemon(pod), at(0))
    mirror.observe_job(an_assigned_job(), at(0))
    assert decide(mirror) == []
    mirror.observe_pod(later(pod, **change), at(1))
    assert [type(each) for each in decide(mirror, 1)] == [Release]


def test_an_unready_pods_run_goes_on() -> None:
    mirror, pod, job = JobReconciler(), a_pod(), a_running_job()
    mirror.observe_pod(pod, at(0))
    mirror.observe_daemon(its_daemon(pod, runs=(job,)), at(0))
    mirror.observe_job(job, at(0))
    mirror.observe_pod(later(pod, ready=False), at(1))
    assert decide(mirror, 1) == []


def _running_in(pod: DaemonPod) -> tuple[JobReconciler, Daemon]:
    mirror, job = JobReconciler(), a_running_job()
    daemon = its_daemon(pod, runs=(job,))
    mirror.observe_pod(pod, at(0))
    mirror.observe_daemon(daemon, at(0))
    mirror.observe_job(job, at(0))
    assert decide(mirror) == []
    return mirror, daemon


def test_a_pod_that_ended_loses_its_run_at_once_and_is_shown_offline() -> None:
    pod = a_pod()
    mirror, daemon = _running_in(pod)
    mirror.observe_pod(later(pod, ended="OOMKilled, exit code 137"), at(1))
    decisions = {type(each): each for each in decide(mirror, 1)}
    assert set(decisions) == {Fail, MarkOffline}
    fail = decisions[Fail]
    assert isinstance(fail, Fail)
    assert "its Pod ended: OOMKilled, exit code 137" in fail.message
    # Its last heartbeat, which comes late, revives nothing.
    mirror.settled(decisions[MarkOffline], at(3))
    mirror.observe_daemon(next_heartbeat(daemon, state=DaemonState.BUSY), at(2))
    mirror.observe_job(a_job("next"), at(2))
    assert Assign not in map(type, decide(mirror, 2))


def test_a_run_is_lost_at_once_when_a_deleted_pod_had_ended_even_if_its_daemon_went_first() -> None:
    pod = a_pod()
    mirror, daemon = _running_in(pod)
    mirror.observe_pod(later(pod, deleting=True), at(1))
    mirror.daemon_deleted(daemon.uid, at(1))
    assert decide(mirror, 1) == []
    mirror.pod_deleted(pod.uid, NAMESPACE, later(pod, ended="Error, exit code 1", deleting=True), at(2))
    assert [type(each) for each in decide(mirror, 2)] == [Fail]


def test_a_pod_that_vanished_is_lost_only_after_its_daemon_missed_its_heartbeats() -> None:
    pod = a_pod()
    mirror, daemon = _running_in(pod)
    mirror.pod_deleted(pod.uid, NAMESPACE, later(pod, deleting=True), at(1))
    mirror.daemon_deleted(daemon.uid, at(1))
    assert decide(mirror, 1) == []
    assert decide(mirror, 300) == []
    (fail,) = decide(mirror, 301)
    assert isinstance(fail, Fail)
    assert fail.job.phase is Phase.RUNNING


def test_the_deletion_of_a_former_daemon_does_not_take_its_successors_name() -> None:
    mirror, pod = JobReconciler(), a_pod()
    mirror.observe_pod(pod, at(0))
    mirror.observe_daemon(a_daemon(pod.name, uid="former"), at(0))
    mirror.observe_daemon(its_daemon(pod), at(1))

    mirror.daemon_deleted("former", at(2))

    assert not any(isinstance(each, RegisterDaemon) for each in decide(mirror, 3))


def test_a_daemon_that_is_forgotten_leaves_its_successor_of_the_same_pod() -> None:
    pods = DaemonPods()
    pods.deleted("unknown", None)
    pods.daemon_observed(a_daemon(uid="former", pod_uid="pod"))
    pods.daemon_observed(a_daemon(uid="present", pod_uid="pod"))

    pods.daemon_forgotten("former")
    assert pods.daemon_of("pod") == "present"

    pods.daemon_forgotten("present")
    assert pods.daemon_of("pod") is None
