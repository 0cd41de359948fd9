"""The roles of the controller and the daemons suffice for their work, and for nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import a_daemon_manifest, a_job_manifest, an_assignment, role_binding
from support.cluster.kubectl import Kubectl, patch_arguments
from support.cluster.phases import bring_to
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.manifests import CRDS, MANIFESTS, Manifest


@pytest.fixture
def user_with(cluster: Cluster, admin: Kubectl) -> Callable[[str], Kubectl]:
    """Call it with a ClusterRole for a user who has it in the test's namespace.

    The user may also read the status subresource, for kubectl does so before it patches; the product's client does not.
    """
    resources = "provisionerjobs.provisioner.dev/status,provisionerdaemons.provisioner.dev/status"

    def bind(role: str) -> Kubectl:
        assert admin.namespace is not None
        grant_roles(admin, [role_binding(f"{role}-user", role, namespace=admin.namespace)])
        admin.run("create", "role", "status-reader", "--verb=get", f"--resource={resources}")
        admin.run("create", "rolebinding", "status-reader", "--role=status-reader", f"--user={role}-user")
        return Kubectl(cluster.kubeconfig_for(f"{role}-user"), admin.namespace)

    return bind


def test_the_controller_assigns_ends_and_deletes_a_job(
    make_job: Callable[..., Manifest], user_with: Callable[[str], Kubectl]
) -> None:
    controller = user_with("provisioner-operator")
    make_job()
    assignment: list[Manifest] = [
        {"op": "test", "path": "/status/phase", "value": "Pending"},
        {"op": "add", "path": "/status/assignment", "value": an_assignment()},
    ]

    controller.patch("pj", "job", assignment, subresource="status")
    bring_to(Phase.FAILED, controller, "job")

    controller.run("delete", "pj", "job")


def test_a_daemon_cannot_change_what_was_asked_for(
    make_job: Callable[..., Manifest], user_with: Callable[[str], Kubectl]
) -> None:
    make_job()

    refusal = user_with("provisioner-daemon").refusal(
        "patch", "pj", "job", *patch_arguments({"spec": {"cancel": True}})
    )

    assert 'cannot patch resource "provisionerjobs" in API group "provisioner.dev"' in refusal


def test_the_controller_takes_back_a_build_that_has_not_begun_and_cancels_nothing_else(
    make_job: Callable[..., Manifest], user_with: Callable[[str], Kubectl], admin: Kubectl
) -> None:
    controller = user_with("provisioner-operator")
    cancel = patch_arguments({"spec": {"cancel": True, "cancelReason": "superseded"}})
    make_job()
    build: Manifest = {"workspaceRef": {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "x"}}
    for name in ("build-1", "build-2"):
        controller.create(a_job_manifest(name, initiator="somebody", **build))
    bring_to(Phase.RUNNING, admin, "build-2")

    assert 'may not cancel provisionerjobs "job"' in controller.refusal("patch", "pj", "job", *cancel)
    assert 'may not cancel provisionerjobs "build-2"' in controller.refusal("patch", "pj", "build-2", *cancel)
    assert controller.attempt("patch", "pj", "build-1", *cancel).ok


def test_a_spec_changed_along_with_the_status_stays_as_it_was(
    make_job: Callable[..., Manifest], user_with: Callable[[str], Kubectl]
) -> None:
    make_job()
    both = {"spec": {"cancel": True}, "status": {"message": "hello"}}

    stored = user_with("provisioner-operator").patch("pj", "job", both, subresource="status")

    assert (stored["spec"]["cancel"], stored["status"]["message"]) == (False, "hello")


def test_a_daemon_that_is_no_pod_registers_itself_and_heartbeats(
    user_with: Callable[[str], Kubectl], admin: Kubectl
) -> None:
    daemon = user_with("provisioner-daemon")
    assert admin.namespace is not None
    external = role_binding("provisioner-daemon-user", "provisioner-external-daemon", namespace=admin.namespace)
    admin.apply(external)
    daemon.create(a_daemon_manifest())

    beat = daemon.patch("pd", "daemon", {"status": {"state": "Idle"}}, subresource="status")

    assert beat["status"]["state"] == "Idle"


@pytest.mark.parametrize("role", ["viewer", "submitter", "namespace_admin"])
def test_no_person_writes_a_status(role: str, request: pytest.FixtureRequest) -> None:
    user: Kubectl = request.getfixturevalue(role)

    answer = user.attempt("auth", "can-i", "patch", "provisionerjobs.provisioner.dev", "--subresource=status")

    assert answer.stdout.strip() == "no"


@pytest.mark.parametrize(
    "folder", [CRDS, MANIFESTS, MANIFESTS / "rbac", MANIFESTS / "policies"], ids=lambda folder: folder.name
)
def test_each_kustomization_applies_by_itself(folder: Path, cluster: Cluster) -> None:
    Kubectl(cluster.kubeconfig).run("apply", "--server-side", "--dry-run=server", f"--kustomize={folder}")


@pytest.mark.parametrize(
    ("role", "may"), [("edit", True), ("admin", True), ("provisioner-admin", True), ("provisioner-submitter", False)]
)
def test_these_roles_may_release_the_lock_of_a_state(
    role: str,
    may: bool,  # noqa: FBT001 - a column
    user_with: Callable[[str], Kubectl],
) -> None:
    answer = user_with(role).attempt("auth", "can-i", "patch", "leases.coordination.k8s.io/lock-tfstate-default-dev-ws")

    assert answer.ok is may
