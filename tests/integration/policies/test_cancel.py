"""The right to cancel: nobody has it without the verb `cancel`, however the cancel is written."""

from collections.abc import Callable

import pytest

from integration.policies.conftest import Write
from support.builders.manifests import a_job_manifest, role_binding
from support.cluster.kubectl import Kubectl, patch_arguments
from support.cluster.role_bindings import await_reader, grant_roles
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest

MISSING_RIGHT = 'the verb "cancel" on resource "provisionerjobs" of group "provisioner.dev" is missing'


def is_canceled(kubectl: Kubectl, name: str = "job") -> bool:
    canceled: bool = kubectl.get("pj", name)["spec"]["cancel"]
    return canceled


def test_a_submitter_cannot_cancel_in_any_way(
    write: Write, make_job: Callable[..., Manifest], submitter: Kubectl, admin: Kubectl
) -> None:
    answer = write(submitter, make_job(), {"cancel": True})

    assert (
        f'user "submitter" may not cancel provisionerjobs "job" in namespace "{submitter.namespace}"' in answer.stderr
    )
    assert MISSING_RIGHT in answer.stderr
    assert 'ClusterRole "provisioner-admin"' in answer.stderr
    assert not is_canceled(admin)


def test_a_viewer_cannot_change_a_job_in_any_way(
    write: Write, make_job: Callable[..., Manifest], viewer: Kubectl, admin: Kubectl
) -> None:
    answer = write(viewer, make_job(), {"cancel": True})

    assert 'User "viewer" cannot ' in answer.stderr
    assert 'resource "provisionerjobs" in API group "provisioner.dev"' in answer.stderr
    assert not is_canceled(admin)


def test_a_user_who_may_write_but_not_submit_or_cancel_is_refused_by_the_policy(
    make_job: Callable[..., Manifest], cluster: Cluster, admin: Kubectl
) -> None:
    make_job()
    admin.run("create", "role", "patcher", "--verb=get,patch", "--resource=provisionerjobs.provisioner.dev")
    admin.run("create", "rolebinding", "patcher", "--role=patcher", "--user=patcher")
    await_reader(admin, "patcher", admin.namespace)
    patcher = Kubectl(cluster.kubeconfig_for("patcher"), admin.namespace)

    refusal = patcher.refusal("patch", "pj", "job", *patch_arguments({"spec": {"cancel": True}}))

    assert MISSING_RIGHT in refusal


def test_an_admin_cancels_in_every_way(
    write: Write, make_job: Callable[..., Manifest], namespace_admin: Kubectl
) -> None:
    answer = write(namespace_admin, make_job(), {"cancel": True, "cancelReason": "stuck", "cancelMode": "Force"})

    assert answer.ok, answer
    assert is_canceled(namespace_admin)


def test_a_submitter_cannot_have_a_job_collected_by_giving_it_an_owner_that_does_not_exist(
    make_job: Callable[..., Manifest], submitter: Kubectl
) -> None:
    make_job()
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nothing", "uid": "11111111-1111-1111-1111-111111111111"}
    given = patch_arguments({"metadata": {"ownerReferences": [owner]}})

    assert 'user "submitter" may not give an owner to provisionerjobs "job"' in submitter.refusal(
        "patch", "pj", "job", *given
    )
    assert submitter.attempt("get", "pj", "job").ok


@pytest.mark.parametrize("way", [("create",), ("apply",), ("apply", "--server-side")], ids=" ".join)
def test_a_submitter_cannot_create_a_job_already_canceled(way: tuple[str, ...], submitter: Kubectl) -> None:
    refusal = submitter.refusal(*way, "-f", "-", given=a_job_manifest(cancel=True))

    assert MISSING_RIGHT in refusal
    assert not submitter.attempt("get", "pj", "job").ok


def test_a_cancel_cannot_hide_behind_a_generated_name(submitter: Kubectl) -> None:
    manifest = a_job_manifest(cancel=True) | {"metadata": {"generateName": "job-"}}

    assert MISSING_RIGHT in submitter.api.create(manifest).refusal


@pytest.mark.parametrize(
    "change", [{"cancelMode": "Force"}, {"cancelReason": "mine now"}, {"canceledBy": "submitter"}], ids=str
)
def test_a_submitter_cannot_change_how_or_why_a_job_is_canceled(
    change: Manifest, make_job: Callable[..., Manifest], submitter: Kubectl, namespace_admin: Kubectl
) -> None:
    make_job()
    namespace_admin.patch("pj", "job", {"spec": {"cancel": True}})

    refusal = submitter.refusal("patch", "pj", "job", *patch_arguments({"spec": change}))

    assert 'user "submitter" may not change cancelMode, cancelReason or canceledBy' in refusal
    assert MISSING_RIGHT in refusal


def test_a_submitter_still_changes_what_is_no_cancel(
    make_job: Callable[..., Manifest], submitter: Kubectl, namespace_admin: Kubectl
) -> None:
    make_job()
    namespace_admin.patch("pj", "job", {"spec": {"cancel": True}})

    assert submitter.patch("pj", "job", {"spec": {"priority": 3}})["spec"]["priority"] == 3


def test_nobody_withdraws_a_cancel(make_job: Callable[..., Manifest], namespace_admin: Kubectl) -> None:
    make_job()
    namespace_admin.patch("pj", "job", {"spec": {"cancel": True}})

    refusal = namespace_admin.refusal("patch", "pj", "job", *patch_arguments({"spec": {"cancel": False}}))

    assert "spec.cancel: Forbidden: spec.cancel cannot be reset: create a new job instead" in refusal


def test_a_cancel_can_depend_on_the_phase_in_one_patch(
    make_job: Callable[..., Manifest], namespace_admin: Kubectl
) -> None:
    make_job()
    cancel_if_running: list[Manifest] = [
        {"op": "test", "path": "/status/phase", "value": "Running"},
        {"op": "add", "path": "/spec/cancel", "value": True},
    ]

    refusal = namespace_admin.refusal("patch", "pj", "job", *patch_arguments(cancel_if_running))

    assert "The request is invalid" in refusal
    assert not is_canceled(namespace_admin)


@pytest.mark.parametrize(("role", "may"), [("view", "no"), ("edit", "no"), ("admin", "yes")])
def test_of_the_built_in_roles_only_admin_may_cancel(role: str, may: str, cluster: Cluster, admin: Kubectl) -> None:
    assert admin.namespace is not None
    grant_roles(admin, [role_binding(f"built-in-{role}", role, namespace=admin.namespace)])
    user = Kubectl(cluster.kubeconfig_for(f"built-in-{role}"), admin.namespace)

    answer = user.attempt("auth", "can-i", "cancel", "provisionerjobs.provisioner.dev")

    assert answer.stdout.strip() == may
