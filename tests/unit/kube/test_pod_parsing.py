"""Parsing of Pods: their offer, and whether they have certainly ended."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.kube.parsing import UnparseableObjectError
from provisioner_operator.kube.pod_parsing import parse_daemon_pod

RUNNING: dict[str, Any] = {"state": {"running": {}}}
WAITING: dict[str, Any] = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}


def terminated(code: int = 0, reason: str | None = "Completed") -> dict[str, Any]:
    end = {"exitCode": code} | ({"reason": reason} if reason else {})
    return {"state": {"terminated": end}}


def a_body(*containers: dict[str, Any], phase: str = "Running", annotations: Any = None, **meta: Any) -> dict[str, Any]:
    metadata = {"name": "d1", "namespace": "acme", "uid": "u", "resourceVersion": "7", "annotations": annotations or {}}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata | meta, "status": {"phase": phase, "containerStatuses": list(containers)}}


def test_annotations_are_what_it_offers_and_the_rest_has_the_defaults_of_a_daemon() -> None:
    annotations = {
        "tags.provisioner.dev/zone": "a",
        "provisioner.dev/provisioners": "terraform, echo",
        "provisioner.dev/capacity": "3",
        "unrelated": "x",
    }
    offer = parse_daemon_pod(a_body(annotations=annotations)).offer
    assert offer.tags == {("zone", "a")}
    assert offer.provisioners == {Provisioner.TERRAFORM, Provisioner.ECHO}
    assert (offer.capacity, offer.lost_after, offer.cancel_grace) == (3, 300, 180)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("provisioner.dev/capacity", "many"),
        ("provisioner.dev/capacity", "0"),
        ("provisioner.dev/provisioners", "pulumi"),
        ("provisioner.dev/lost-after-seconds", "1"),
    ],
)
def test_an_annotation_that_makes_no_daemon_is_refused(annotation: str, value: str) -> None:
    with pytest.raises(UnparseableObjectError, match="its annotations"):
        parse_daemon_pod(a_body(annotations={annotation: value}))


def test_it_is_ready_and_deleting_as_its_status_says() -> None:
    body = a_body(deletionTimestamp="2026-01-01T00:00:00Z")
    body["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    pod = parse_daemon_pod(body)
    assert (pod.ready, pod.deleting) == (True, True)
    assert (parse_daemon_pod(a_body()).ready, parse_daemon_pod(a_body()).deleting) == (False, False)
    body["status"]["conditions"] = [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}]
    assert not parse_daemon_pod(body).ready


@pytest.mark.parametrize(
    ("body", "deleted", "ending"),
    [
        (a_body(RUNNING), False, None),
        (a_body(RUNNING), True, None),
        (a_body(), True, None),
        # A restart may follow.
        (a_body(terminated(1, "Error")), False, None),
        (a_body(terminated(1, "Error")), True, "Error, exit code 1"),
        (a_body(terminated(), phase="Succeeded"), False, "Completed, exit code 0"),
        (a_body(terminated(137, "OOMKilled"), phase="Failed"), False, "OOMKilled, exit code 137"),
        # The one that failed is told about.
        (a_body(terminated(), terminated(2, "Error"), phase="Failed"), False, "Error, exit code 2"),
        (a_body(terminated(2, None), phase="Failed"), False, "Terminated, exit code 2"),
        # The Pod garbage collector wrote the phase, for a node that nobody hears of.
        (a_body(RUNNING, phase="Failed"), False, None),
        (a_body(RUNNING, phase="Failed"), True, None),
        (a_body(terminated(), RUNNING, phase="Failed"), True, None),
        (a_body(WAITING, phase="Failed"), True, None),
    ],
)
def test_without_a_container_named_daemon_it_has_ended_only_by_kubelets_word_about_every_container(
    body: dict[str, Any],
    *,
    deleted: bool,
    ending: str | None,
) -> None:
    assert parse_daemon_pod(body, deleted=deleted).ended == ending


@pytest.mark.parametrize(
    ("daemon", "policy", "ending"),
    [
        (terminated(137, "OOMKilled"), "Never", "OOMKilled, exit code 137"),
        (terminated(), "Never", "Completed, exit code 0"),
        (RUNNING, "Never", None),
        # A restart may follow.
        (terminated(137, "OOMKilled"), "Always", None),
        (terminated(137, "OOMKilled"), "OnFailure", None),
    ],
)
def test_the_end_of_the_daemons_container_is_its_end_though_a_sidecar_runs_on(
    daemon: dict[str, Any], policy: str, ending: str | None
) -> None:
    body = a_body({"name": "istio-proxy"} | RUNNING, {"name": "daemon"} | daemon)
    body["spec"] = {"restartPolicy": policy}
    assert parse_daemon_pod(body).ended == ending


def test_a_sidecar_that_ends_ends_no_daemon() -> None:
    body = a_body({"name": "helper"} | terminated(1, "Error"), {"name": "daemon"} | RUNNING)
    body["spec"] = {"restartPolicy": "Never"}
    assert parse_daemon_pod(body).ended is None
