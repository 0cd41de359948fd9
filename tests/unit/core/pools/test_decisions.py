"""Decisions about pools: the objects and patches that they write, with their preconditions."""

from typing import Any

from provisioner_operator.api.v1alpha1.names import DRAIN_FINALIZER
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.members import PoolDaemon
from provisioner_operator.core.pools.pod_builder import pod
from provisioner_operator.core.pools.records import PoolStatus
from support.builders.core import NAMESPACE
from support.builders.pools import a_pod, a_pool

POOL = a_pool(finalizers=("other", DRAIN_FINALIZER))
MARK = "/metadata/annotations/provisioner.dev~1cordoned-by"


def test_a_decision_names_what_it_writes_and_its_events_are_the_pools() -> None:
    finalizer, deletion, creation = RemoveFinalizer(POOL), DeletePod(POOL, a_pod()), CreatePod(POOL, "pool-x", "image")

    assert (finalizer.subject, finalizer.display_name) == ("uid-of-pool", "acme/pool")
    assert (deletion.subject, deletion.display_name) == ("uid-of-pod", "acme/pod")
    assert (creation.subject, creation.display_name) == ("uid-of-pool/pool-x", "acme/pool-x")
    the_pool = ObjectReference("ProvisionerPool", NAMESPACE, "pool", "uid-of-pool")
    assert finalizer.regarding == deletion.regarding == creation.regarding == the_pool


def test_a_pod_is_created_as_it_is_built() -> None:
    assert CreatePod(POOL, "pool-x", "image").body() == pod(POOL, "pool-x", "image")


def test_a_cordon_is_marked_and_fails_where_somebody_else_cordoned_first() -> None:
    patch = CordonDaemon(POOL, a_pod(), PoolDaemon("d", annotated=True)).patch()

    assert patch.tests == (("/metadata/uid", "d"), ("/spec/cordoned", False))
    assert patch.sets == ((MARK, "pool"), ("/spec/cordoned", True))


def test_the_first_annotation_of_a_daemon_makes_the_map() -> None:
    patch = CordonDaemon(POOL, a_pod(), PoolDaemon("d")).patch()
    sets: dict[str, Any] = dict(patch.sets)

    assert ("/metadata/annotations", None) in patch.tests
    assert sets["/metadata/annotations"] == {"provisioner.dev/cordoned-by": "pool"}
    assert sets["/spec/cordoned"] is True


def test_only_the_pools_own_cordon_is_lifted() -> None:
    patch = UncordonDaemon(POOL, a_pod(), PoolDaemon("d", cordoned=True, cordoned_by_pool=True)).patch()

    assert patch.tests == (("/metadata/uid", "d"), (MARK, "pool"))
    assert (patch.removes, patch.sets) == ((MARK,), (("/spec/cordoned", False),))


def test_the_finalizer_comes_and_goes_beside_the_others() -> None:
    added = AddFinalizer(a_pool(finalizers=("other",))).patch()
    removed = RemoveFinalizer(POOL).patch()

    assert added.tests == (("/metadata/uid", "uid-of-pool"), ("/metadata/finalizers", ["other"]))
    assert added.sets == (("/metadata/finalizers", ["other", DRAIN_FINALIZER]),)
    assert removed.sets == (("/metadata/finalizers", ["other"]),)


def test_a_status_is_written_as_a_whole_without_what_is_unknown() -> None:
    patch = UpdatePoolStatus(POOL, PoolStatus(replicas=2, queued=3)).patch()
    (written,) = patch.sets
    status: Any = written[1]

    assert patch.tests == (("/metadata/uid", "uid-of-pool"),)
    assert (written[0], status["replicas"], status["queued"]) == ("/status", 2, 3)
    assert "meanRunSeconds" not in status
