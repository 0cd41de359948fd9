"""Definitions of peers are read from their source without their webhooks; nothing is built."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.client import BenchError
from bench.peers.known import PEERS
from bench.peers.kueue import KUEUE
from bench.peers.peer import Peer, read, without_conversion
from bench.peers.tekton import TEKTON
from bench.subjects import NAME

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1]}}
"""
CONFIGURATION = "# a comment alone is no object\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {conversion: kept}\n"


def test_a_definition_loses_its_conversion_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(DEFINITION)
    (tmp_path / "config.yaml").write_text(CONFIGURATION)
    definition, configuration = read(replace(KUEUE, manifests=("b.yaml", "config*.yaml")), tmp_path)
    assert definition["spec"] == {"group": "example.com"}
    assert configuration["data"] == {"conversion": "kept"}


def test_other_objects_are_left_as_they_are() -> None:
    manifest = {"kind": "ConfigMap", "spec": {"conversion": 1}}
    assert without_conversion(manifest) is manifest


def test_a_source_without_the_expected_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"sigs.k8s.io/kueue has no config"):
        list(read(KUEUE, tmp_path))


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_a_peers_module_requires_the_source_of_its_manifests(peer: Peer) -> None:
    assert f"{peer.source} v" in (peer.module.directory / "go.mod").read_text()
    assert f"{peer.source} v" in (peer.module.directory / "go.sum").read_text()
    assert peer.module.go_version >= (1, 26)


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_a_peers_jobs_have_names_and_are_not_canceled_from_the_start(peer: Peer) -> None:
    submission = peer.subject(1).submission("job-1")
    assert b'"job-1"' in submission.body
    assert NAME.encode() not in submission.body
    assert peer.canceled.job(dict(peer.job)) is None
    assert peer.accepted.job(dict(peer.job)) is None


def test_a_workload_is_accepted_while_its_quota_is_reserved_and_canceled_by_its_eviction() -> None:
    def workload(condition: str, status: str = "True") -> dict[str, object]:
        return {"metadata": {"name": "a"}, "status": {"conditions": [{"type": condition, "status": status}]}}

    assert KUEUE.accepted.job(workload("QuotaReserved")) == "a"
    assert KUEUE.accepted.job(workload("QuotaReserved", "False")) is None
    assert KUEUE.canceled.job(workload("QuotaReserved")) is None
    assert KUEUE.canceled.job(workload("Evicted")) == "a"


def test_a_task_run_is_accepted_when_its_pod_exists() -> None:
    pod = {"metadata": {"name": "a-pod", "labels": {"tekton.dev/taskRun": "a"}}}
    assert TEKTON.accepted.job(pod) == "a"
    assert TEKTON.accepted.job({"metadata": {"name": "other", "labels": {}}}) is None


def test_a_canceled_task_run_says_so() -> None:
    condition = {"type": "Succeeded", "status": "False", "reason": "TaskRunCancelled"}
    assert TEKTON.canceled.job({"metadata": {"name": "a"}, "status": {"conditions": [condition]}}) == "a"
    failed = condition | {"reason": "Failed"}
    assert TEKTON.canceled.job({"metadata": {"name": "a"}, "status": {"conditions": [failed]}}) is None


def test_an_unknown_peer_is_refused_with_the_known_ones() -> None:
    refused = CliRunner().invoke(main, ["--peers", "kueue,argo"])
    assert refused.exit_code == 2
    assert "'argo' is none of kueue, tekton" in refused.output
