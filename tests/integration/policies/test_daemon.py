"""An attacker with a daemon's token: a template's code may use it, and can do nothing in another daemon's name."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.builders.manifests import a_daemon_manifest, a_job_manifest
from support.cluster.api import Reply
from support.cluster.kubectl import Kubectl
from support.cluster.pods import a_daemon_pod, daemon_binding, service_account, token_kubeconfig
from support.manifests import Manifest

NOW = "2026-01-01T00:00:00Z"
TOKEN_FORGOTTEN_WITHIN = 60.0
RUNNING = {"phase": "Running", "startedAt": NOW}


class Attack:
    """One namespace with two daemon Pods; the attacker has the token of `mine`."""

    def __init__(self, admin: Kubectl, folder: Path) -> None:
        self.admin = admin
        assert admin.namespace is not None
        reader: Manifest = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "status-reader"},
            "rules": [
                # kubectl reads before it patches a status; the product's client does not.
                {
                    "apiGroups": ["provisioner.dev"],
                    "resources": ["provisionerjobs/status", "provisionerdaemons/status"],
                    "verbs": ["get"],
                }
            ],
        }
        admin.apply(reader, "--server-side", "--force-conflicts")
        roles = daemon_binding(admin.namespace, ("provisioner-daemon", "status-reader"))
        admin.run("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": [service_account(), *roles]})
        pods = {name: admin.create(a_daemon_pod(name)) for name in ("mine", "other")}
        for name, pod in pods.items():
            owner = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": pod["metadata"]["uid"]}
            manifest = a_daemon_manifest(name)
            manifest["metadata"]["ownerReferences"] = [owner]
            admin.create(manifest)
        self.daemon = Kubectl(token_kubeconfig(admin, pods["mine"], folder), admin.namespace)

    def a_job_of(self, daemon: str, name: str = "job") -> Manifest:
        """A job that is assigned to this daemon."""
        job = self.admin.create(a_job_manifest(name, workspaceRef={"name": name}))
        given = {"daemon": daemon, "daemonUID": "some-uid", "id": "first", "time": NOW}
        self.admin.patch("pj", name, {"status": {"assignment": given}}, subresource="status")
        return job

    def report(self, name: str, **status: Any) -> Reply:
        """The attacker tries to write these fields of a job's status."""
        return self.daemon.api.patch("pj", name, {"status": status}, subresource="status")


def _archive(job: str, uid: str, *, daemon: str = "mine", **data: str) -> Manifest:
    owner = {"apiVersion": "provisioner.dev/v1alpha1", "kind": "ProvisionerJob", "name": job, "uid": uid}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{job}-log",
            "labels": {"provisioner.dev/job": job},
            "annotations": {"provisioner.dev/daemon": daemon},
            "ownerReferences": [owner],
        },
        "data": {"log": "all went well"} | data,
    }


@pytest.fixture
def attack(admin: Kubectl, tmp_path: Path) -> Attack:
    return Attack(admin, tmp_path)


def test_a_daemon_acknowledges_and_ends_a_job_of_its_own(attack: Attack) -> None:
    attack.a_job_of("mine")
    assert attack.report("job", **RUNNING, assignment={"instance": "process"}).ok
    assert attack.report("job", phase="Completed", reason="Completed", finishedAt=NOW).ok


def test_it_reports_on_no_job_of_another_daemon(attack: Attack) -> None:
    attack.a_job_of("other")
    assert 'assigned to "other"' in _refused(attack.report("job", **RUNNING))


def test_it_takes_no_job_that_is_assigned_to_nobody(attack: Attack) -> None:
    attack.admin.create(a_job_manifest())
    given = {"daemon": "mine", "daemonUID": "some-uid", "id": "mine", "time": NOW}
    assert "which is not assigned" in _refused(attack.report("job", assignment=given))


@pytest.mark.parametrize("change", [{"daemon": "other"}, {"id": "second"}, {"time": "2027-01-01T00:00:00Z"}], ids=str)
def test_it_changes_no_assignment(attack: Attack, change: Manifest) -> None:
    attack.a_job_of("mine")
    assert "status.assignment" in _refused(attack.report("job", **RUNNING, assignment=change))


def test_it_neither_ends_nor_holds_up_a_job_that_it_has_not_acknowledged(attack: Attack) -> None:
    attack.a_job_of("mine")
    assert "only by acknowledging it" in _refused(
        attack.report("job", phase="Failed", reason="RunFailed", finishedAt=NOW)
    )
    assert "status.suspendedAt or status.suspendedSeconds" in _refused(
        attack.report("job", **RUNNING, suspendedSeconds=99)
    )


def test_it_ends_no_job_by_the_controllers_clocks(attack: Attack) -> None:
    attack.a_job_of("mine")
    assert attack.report("job", **RUNNING).ok
    ended = attack.report("job", phase="Failed", reason="DeadlineExceeded", finishedAt=NOW)
    assert "only the controller ends jobs at these timeouts" in _refused(ended)


def test_it_reopens_no_job_that_ended(attack: Attack) -> None:
    attack.a_job_of("mine")
    attack.report("job", **RUNNING)
    attack.report("job", phase="Completed", reason="Completed", finishedAt=NOW)
    assert not attack.report("job", phase="Running").ok
    assert attack.admin.get("pj", "job")["status"]["phase"] == "Completed"


def test_it_changes_no_spec_of_a_job_and_makes_none(attack: Attack) -> None:
    attack.a_job_of("mine")
    assert "cannot patch resource" in attack.daemon.refusal("patch", "pj", "job", "--type=merge", '--patch={"spec":{}}')
    assert "cannot create resource" in attack.daemon.api.create(a_job_manifest("another")).refusal
    assert "cannot delete resource" in attack.daemon.refusal("delete", "pj", "job")


def test_it_chooses_no_tags_and_makes_no_daemon(attack: Attack) -> None:
    tags = '--patch={"spec":{"tags":{"region":"us"}}}'
    assert "cannot patch resource" in attack.daemon.refusal("patch", "pd", "mine", "--type=merge", tags)
    assert "cannot create resource" in attack.daemon.api.create(a_daemon_manifest("third")).refusal
    assert "is forbidden" in attack.daemon.refusal("annotate", "pod", "mine", "tags.provisioner.dev/a=b")


def test_it_heartbeats_for_itself_alone(attack: Attack) -> None:
    beat = ("--type=merge", "--subresource=status", '--patch={"status":{"state":"Idle"}}')
    assert attack.daemon.attempt("patch", "pd", "mine", *beat).ok
    assert 'may not heartbeat for provisionerdaemons "other"' in attack.daemon.refusal("patch", "pd", "other", *beat)


def test_it_heartbeats_for_no_daemon_of_its_name_that_is_not_of_its_pod(attack: Attack) -> None:
    attack.admin.run("delete", "pd", "mine")
    attack.admin.create(a_daemon_manifest("mine"))
    beat = ("--type=merge", "--subresource=status", '--patch={"status":{"state":"Idle"}}')
    assert "reports only for the Pod to which its token is bound" in attack.daemon.refusal("patch", "pd", "mine", *beat)


def test_it_archives_the_log_of_its_own_job_and_writes_on(attack: Attack) -> None:
    uid = attack.a_job_of("mine")["metadata"]["uid"]
    attack.daemon.create(_archive("job", uid))
    more = '--patch={"data":{"log":"and ended"}}'
    assert attack.daemon.attempt("patch", "configmap", "job-log", "--type=merge", more).ok


def test_it_writes_no_log_of_another_daemon(attack: Attack) -> None:
    uid = attack.a_job_of("other")["metadata"]["uid"]
    assert 'log archive of daemon "other"' in attack.daemon.refusal(
        "create", "-f", "-", given=_archive("job", uid, daemon="other")
    )
    attack.admin.create(_archive("job", uid, daemon="other"))
    forged = '--patch={"metadata":{"annotations":{"provisioner.dev/daemon":"mine"}},"data":{"log":"forged"}}'
    attack.daemon.refusal("patch", "configmap", "job-log", "--type=merge", forged)
    assert attack.admin.get("configmap", "job-log")["data"] == {"log": "all went well"}


def test_it_writes_no_other_config_map(attack: Attack) -> None:
    template = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "template"}, "data": {"main.tf": ""}}
    assert "no ConfigMaps but log archives" in attack.daemon.api.create(template).refusal
    attack.admin.create(template)
    evil = '--patch={"data":{"main.tf":"evil"}}'
    assert "no ConfigMaps but log archives" in attack.daemon.refusal(
        "patch", "configmap", "template", "--type=merge", evil
    )


@pytest.mark.parametrize(
    ("kind", "own", "foreign"),
    [("secret", "tfstate-default-dev-ws", "cloud"), ("lease", "lock-tfstate-default-dev-ws", "kube-scheduler")],
)
def test_of_secrets_and_leases_it_writes_terraforms_alone(attack: Attack, kind: str, own: str, foreign: str) -> None:
    version = {"secret": "v1", "lease": "coordination.k8s.io/v1"}[kind]

    def manifest(name: str) -> Manifest:
        return {"apiVersion": version, "kind": kind.capitalize(), "metadata": {"name": name}}

    attack.daemon.create(manifest(own))
    assert attack.daemon.attempt("delete", kind, own).ok
    attack.admin.create(manifest(foreign))
    assert "of Terraform's state" in attack.daemon.api.create(manifest("another")).refusal
    assert "of Terraform's state" in attack.daemon.refusal("delete", kind, foreign)


def test_it_makes_no_token_under_the_name_of_a_state(attack: Attack) -> None:
    account = {"kubernetes.io/service-account.name": "provisioner-daemon"}
    meta = {"name": "tfstate-default-dev-ws", "annotations": account}
    token = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/service-account-token"}
    assert "only Secrets of the type Opaque" in attack.daemon.api.create(token).refusal
    attack.admin.create(token)
    assert "only Secrets of the type Opaque" in attack.daemon.api.delete("secret", "tfstate-default-dev-ws").refusal


def test_it_reaches_no_other_organization(attack: Attack, make_namespace: Callable[[], str]) -> None:
    elsewhere = make_namespace()
    attack.admin.within(elsewhere).create(a_job_manifest())
    for attempt in (("get", "pj"), ("get", "secrets"), ("get", "pd")):
        assert "is forbidden" in attack.daemon.within(elsewhere).refusal(*attempt)


def test_its_token_ends_with_its_pod(attack: Attack) -> None:
    assert attack.daemon.api.list_all("pj").ok
    attack.admin.run("delete", "pod", "mine", "--grace-period=0", "--force")
    # The API server remembers for some seconds that a token was good.
    deadline = time.monotonic() + TOKEN_FORGOTTEN_WITHIN
    while attack.daemon.api.list_all("pj").ok:
        assert time.monotonic() < deadline, "the token still works"
        time.sleep(0.5)


def _refused(reply: Reply) -> str:
    assert not reply.ok, f"not refused: {reply}"
    return reply.refusal
