"""Jobs, daemons and Leases become records as the rules of the product read them."""

from collections.abc import Callable
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import JobType, Phase, Provisioner
from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.leadership import LEASE_SECONDS, Lease
from provisioner_operator.core.model.matching import Demand, effective_tags
from provisioner_operator.core.model.records import Assignment, UnreadableObject
from provisioner_operator.kube import parsing
from provisioner_operator.kube.job_parsing import parse_job_records
from provisioner_operator.kube.object_meta import ObjectMeta, object_meta
from provisioner_operator.kube.parsing import (
    UnparseableObjectError,
    lease_record,
    parse_daemon,
    parse_job,
    unreadable_object,
)
from provisioner_operator.kube.pool_parsing import parse_pool
from provisioner_operator.kube.queue_parsing import parse_queue
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace
from support.builders.manifests import a_daemon_manifest, a_job_manifest

NOON = "2027-01-15T12:00:00Z"
NOON_SECONDS = 1_800_014_400.0


def stored(manifest: dict[str, Any], **status: Any) -> dict[str, Any]:
    """The manifest as the API server has it."""
    name = manifest["metadata"]["name"]
    meta = {
        "namespace": "acme",
        "name": name,
        "uid": f"uid-of-{name}",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": NOON,
    }
    return manifest | {"metadata": meta, "status": status}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [(60, 300, 300), (300, 60, 300), (300, None, 300)],
    ids=["shortened", "lengthened", "never reported"],
)
def test_the_longer_of_spec_and_status_decides_when_a_daemon_is_lost(
    spec: int, status: int | None, expected: int
) -> None:
    reported = {} if status is None else {"lostAfterSeconds": status}
    assert parse_daemon(stored(a_daemon_manifest(lostAfterSeconds=spec), **reported)).lost_after == expected


@pytest.mark.parametrize(
    ("status", "at_rest"),
    [
        ({"state": "Idle", "idleHeartbeatSeconds": 60}, True),
        ({"state": "Idle"}, False),
        ({"state": "Offline", "idleHeartbeatSeconds": 60}, False),
        ({"state": "Draining", "idleHeartbeatSeconds": 0}, False),
    ],
)
def test_a_daemon_is_at_rest_that_is_idle_and_says_when_it_reports_next(
    status: dict[str, Any],
    at_rest: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    assert parse_daemon(stored(a_daemon_manifest(), **status)).is_at_rest is at_rest


def test_a_heartbeat_is_kept_as_it_is_written() -> None:
    written = "2027-01-15T12:00:00.5Z"
    assert parse_daemon(stored(a_daemon_manifest(), lastHeartbeatTime=written)).heartbeat == written
    assert parse_daemon(stored(a_daemon_manifest())).heartbeat is None


def test_only_a_pod_that_owns_a_daemon_is_its_pod() -> None:
    body = stored(a_daemon_manifest())
    assert parse_daemon(body).pod_uid is None
    owners = [{"apiVersion": "v1", "kind": kind, "name": "d", "uid": f"uid-of-{kind}"} for kind in ("Node", "Pod")]
    body["metadata"]["ownerReferences"] = owners
    assert parse_daemon(body).pod_uid == "uid-of-Pod"


def test_an_object_that_fits_no_model_names_the_field_and_counts_the_others() -> None:
    body = stored(a_job_manifest(priority="high", type="Sideways"))
    with pytest.raises(UnparseableObjectError, match=r"^spec\.type: .* \(and 1 more\)$"):
        parse_job(body)
    with pytest.raises(UnparseableObjectError, match=r"^spec\.priority: [^(]*$"):
        parse_job(stored(a_job_manifest(priority="high")))


@pytest.mark.parametrize("parse", [parse_job, parse_daemon, parse_pool, parse_queue, parse_template, parse_workspace])
def test_an_object_of_any_kind_may_fit_no_model(parse: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(UnparseableObjectError, match=r"^metadata\.name: "):
        parse({"metadata": {}})


def test_equal_texts_and_demands_of_jobs_are_one_object() -> None:
    one, two = (
        parse_job(stored(a_job_manifest(name, tags={"a": "b"}), phase="Pending", message=f"no {'daemon'}"))
        for name in ("one", "two")
    )
    assert one.message is two.message
    assert one.demand is two.demand


@pytest.mark.parametrize(("length", "kept"), [(512, True), (513, False), (32_768, False)])
def test_long_texts_are_not_kept_for_others(length: int, *, kept: bool) -> None:
    parsing._interned.cache_clear()  # noqa: SLF001 - what it keeps is its memory
    one, two = (
        parse_job(stored(a_job_manifest(), phase="Pending", message="x" * (length - 1) + end)).message
        for end in ("y", "y")
    )
    assert one == two
    assert (one is two) is kept


def test_so_many_texts_are_kept_for_others() -> None:
    for n in range(8193):
        parsing.shared_text(f"text {n}")
    assert parsing._interned.cache_info().currsize == 8192  # noqa: SLF001 - what it keeps is its memory


def test_a_job_knows_its_demand_and_its_assignment() -> None:
    given = {"daemon": "d1", "daemonUID": "uid-of-d1", "id": "a1", "time": NOON, "instance": "i1"}
    # Of no other test: an equal demand would be shared.
    tags = {"demand": "of this test"}
    job = parse_job(stored(a_job_manifest(tags=tags, provisioner="echo"), phase="Pending", assignment=given))
    assert job.demand == Demand("acme", Provisioner.ECHO, effective_tags(tags))
    assert job.assignment == Assignment("d1", "uid-of-d1", "a1", NOON_SECONDS, "i1")
    assert parse_job(stored(a_job_manifest(), phase="Pending")).assignment is None


def test_a_job_of_nobody_is_only_a_job() -> None:
    records = parse_job_records(stored(a_job_manifest(), phase="Running", startedAt=NOON))
    assert (records.job.uid, records.job.phase) == ("uid-of-job", Phase.RUNNING)
    assert records.build is None
    assert records.template_import is None


def test_an_ended_job_has_its_template_and_its_stages() -> None:
    timings = [
        {"stage": "init", "startedAt": NOON, "finishedAt": "2027-01-15T12:00:05Z"},
        {"stage": "plan", "startedAt": "2027-01-15T12:00:05Z"},
    ]
    ended = {"phase": "Failed", "startedAt": NOON, "finishedAt": NOON, "timings": timings}
    manifest = a_job_manifest(templateRef={"name": "docker"})
    run = parse_job_records(stored(manifest, **ended)).ended
    assert run is not None
    assert run.template == "docker"
    assert [(each.stage, each.finished and each.finished - each.started) for each in run.stages] == [
        ("init", 5),
        ("plan", None),
    ]
    assert parse_job_records(stored(a_job_manifest(), **ended)).ended == EndedRun(None, run.stages)
    assert parse_job_records(stored(manifest, phase="Running", startedAt=NOON)).ended is None


def test_a_job_of_a_workspace_is_a_build_too() -> None:
    place = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "change": "c"}
    records = parse_job_records(stored(a_job_manifest("dev-3", workspaceRef=place)))
    assert records.build is not None
    assert (records.build.workspace_uid, records.build.record.number, records.build.job_uid) == (
        "uid-of-dev",
        3,
        records.job.uid,
    )
    assert records.template_import is None


def test_a_job_of_a_template_is_an_import_too() -> None:
    reference = {"name": "template", "uid": "uid-of-template", "version": "template-1"}
    manifest = a_job_manifest(type=JobType.TEMPLATE_IMPORT, transition=None, workspaceRef=None, templateRef=reference)
    records = parse_job_records(stored(manifest))
    assert records.template_import is not None
    assert (records.template_import.template_uid, records.template_import.version) == ("uid-of-template", "template-1")
    assert records.build is None


def test_a_malformed_job_yields_no_record_at_all() -> None:
    with pytest.raises(UnparseableObjectError):
        parse_job_records(stored(a_job_manifest(type="Sideways")))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"holderIdentity": "a", "renewTime": NOON, "leaseDurationSeconds": 30, "leaseTransitions": 2},
            Lease(7, "a", NOON, 30.0, 2),
        ),
        ({"holderIdentity": ""}, Lease(7, None, None, LEASE_SECONDS, 0)),
        (None, Lease(7, None, None, LEASE_SECONDS, 0)),
    ],
    ids=["held", "released", "empty"],
)
def test_any_field_of_a_lease_may_be_absent(spec: dict[str, Any] | None, expected: Lease) -> None:
    body = {"metadata": {"resourceVersion": "7"}} | ({} if spec is None else {"spec": spec})
    assert lease_record(body) == expected


@pytest.mark.parametrize(
    ("annotations", "restored"),
    [
        ({"provisioner.dev/restored-at": "2027-01-15T08:00:00.250000Z"}, 1_800_000_000.25),
        ({"provisioner.dev/restored-at": "2027-01-15T09:00:00+01:00"}, 1_800_000_000.0),
        ({"provisioner.dev/restored-at": "yesterday"}, None),
        ({"another": "2027-01-15T09:00:00Z"}, None),
        (None, None),
    ],
    ids=["recorded", "by hand", "no time", "not recorded", "none"],
)
def test_a_lease_records_when_a_restore_was_noticed(annotations: dict[str, str] | None, restored: float | None) -> None:
    body = {"metadata": {"resourceVersion": "7", "annotations": annotations}}
    assert lease_record(body).restored == restored


def test_metadata_is_read_of_an_object_and_of_less_than_one() -> None:
    meta = object_meta(stored(a_job_manifest()))
    assert meta == ObjectMeta("acme", "job", "uid-of-job", "7")
    assert (meta.version, meta.display_name) == (7, "acme/job")
    assert object_meta({"metadata": {"resourceVersion": "9"}}) == ObjectMeta("", "", "", "9")
    assert object_meta({}) == ObjectMeta("", "", "", "")


def test_of_an_object_that_fits_no_model_is_read_what_the_api_server_guarantees() -> None:
    owners = [{"kind": "Node", "uid": "n"}, {"kind": "Pod", "uid": "p"}]
    metadata = {"namespace": "acme", "name": "d", "uid": "u", "resourceVersion": "7", "ownerReferences": owners}
    deletion = {"deletionTimestamp": "1970-01-01T00:01:00Z", "finalizers": ["f"]}
    spec = {"owner": "ann", "capacity": "many"}
    assert unreadable_object({"metadata": metadata | deletion, "spec": spec}) == UnreadableObject(
        "acme", "d", "u", 7, owner="ann", pod_uid="p", deleted_at=60, finalizers=("f",)
    )
    bare = {"namespace": "acme", "name": "d", "uid": "u", "resourceVersion": "7"}
    assert unreadable_object({"metadata": bare}) == UnreadableObject("acme", "d", "u", 7)
