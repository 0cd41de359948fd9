"""A controller that cannot do its work any more exits, and resumes by itself whatever it can.

A control plane of its own: definitions are deleted, which takes the objects of every test with them, and its database goes
back.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from provisioner_devcluster import ControlPlane
from provisioner_operator.api.v1alpha1.names import (
    DAEMONS,
    GROUP,
    JOBS,
    POOLS,
    RESTORED_ANNOTATION,
    TEMPLATES,
    WORKSPACES,
)
from support.builders.manifests import role_binding
from support.cluster.installation import an_installed_control_plane
from support.cluster.kubectl import Kubectl, KubectlError
from support.cluster.watching import watching
from support.manifests import CRDS, Manifest
from support.programs.programs import OperatorProgram, an_operator, plain_kopf
from support.test_namespace import OPERATOR, ProductNamespace, a_job, a_product_namespace, names
from support.unique import unique

NOT_YET_SERVED = "There can be a delay between when CustomResourceDefinitions are created and when they are available"
EXIT_WITHIN = 45.0
RESTORED = "etcd was restored from a backup"
LATER = names("later", 40)
"""Jobs whose writes make the backup much older than what is known at the restore."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other test uses."""
    with an_installed_control_plane() as plane:
        yield plane


@pytest.fixture
def own(plane: ControlPlane) -> Iterator[ProductNamespace]:
    """A namespace in that control plane."""
    with a_product_namespace(plane, _create_namespace(Kubectl(plane.kubeconfig))) as product:
        yield product


@pytest.fixture
def restored(plane: ControlPlane) -> Iterator[ProductNamespace]:
    """A namespace whose jobs go back with the database."""
    namespace = _create_namespace(Kubectl(plane.kubeconfig))
    with a_product_namespace(plane, namespace, goes_back=True) as product:
        yield product


def _create_namespace(admin: Kubectl) -> str:
    name = unique("test")
    admin.run("create", "namespace", name)
    return name


def _let_former_daemons_go(admin: Kubectl) -> None:
    """Remove the finalizers of the daemons of earlier tests, whose controllers are gone: they would hold up a deletion."""
    for each in admin.json("get", DAEMONS, "--all-namespaces")["items"]:
        without: Manifest = {"metadata": {"finalizers": []}}
        admin.within(each["metadata"]["namespace"]).patch("pd", each["metadata"]["name"], without)


def _delete_definition(admin: Kubectl, plural: str) -> None:
    if plural == DAEMONS:
        _let_former_daemons_go(admin)
    admin.run("delete", "crd", f"{plural}.{GROUP}", "--timeout=60s")


def _make_definition_again(admin: Kubectl, plural: str) -> None:
    admin.run("apply", "--server-side", "-f", str(CRDS / f"{GROUP}_{plural}.yaml"))
    admin.run("wait", "crd", "--for=condition=Established", "--timeout=60s", f"{plural}.{GROUP}")


@pytest.mark.parametrize("plural", [JOBS, DAEMONS, TEMPLATES, WORKSPACES])
def test_a_definition_that_is_made_again_is_followed_again(plural: str, plane: ControlPlane) -> None:
    admin = Kubectl(plane.kubeconfig)
    namespaces = [_create_namespace(admin) for _ in range(2)]
    # The controller's user may serve both namespaces from the start; the tests' watches end with the definition.
    with an_operator(plane.kubeconfig, *namespaces) as operator:
        with a_product_namespace(plane, namespaces[0]) as before:
            before.submit("waiting", suspend=True)
            before.await_seen()
        _delete_definition(admin, plural)
        operator.await_that(lambda: f"{plural} cannot be followed" in operator.tail(), "misses the definition")
        _make_definition_again(admin, plural)
        with a_product_namespace(plane, namespaces[1]) as after, after.daemon():
            after.submit("after")
            after.jobs.until("after", "Completed")
        assert operator.runs
        assert operator.fetch("/healthz") == (200, "ok\n")


@pytest.mark.parametrize("start", ["provisioner-operator run", "kopf run"])
def test_without_the_definition_of_pools_it_exits_and_says_why(start: str, own: ProductNamespace) -> None:
    with _started(start, own) as operator:
        _delete_definition(own.admin, POOLS)
        try:
            assert operator.exit_code(within=EXIT_WITHIN) == 1
            reason = "has ended (APINotFoundError: 404 page not found); the controller has to start anew"
            assert any(reason in line for line in operator.lines)
            with own.operator(wait=False) as next_start:
                assert next_start.exit_code() == 1
                assert "This cluster lacks definitions of provisioner.dev" in next_start.tail()
        finally:
            _make_definition_again(own.admin, POOLS)
    with own.operator(), own.daemon():
        own.submit("after")
        own.jobs.until("after", "Completed")


def test_after_all_definitions_were_deleted_by_mistake_and_applied_again_jobs_run_again(plane: ControlPlane) -> None:
    admin = Kubectl(plane.kubeconfig)
    namespaces = [_create_namespace(admin) for _ in range(2)]
    with ExitStack() as stack:
        before = stack.enter_context(a_product_namespace(plane, namespaces[0]))
        operator = stack.enter_context(an_operator(plane.kubeconfig, *namespaces))
        _let_former_daemons_go(admin)
        daemon = stack.enter_context(before.daemon())
        before.submit_held("running")
        admin.run("delete", "-k", str(CRDS), "--wait=false")
        assert operator.exit_code(within=EXIT_WITHIN) == 1
        _apply_definitions(admin, JOBS, POOLS, TEMPLATES, WORKSPACES)
        # In place of the kubelet. The daemon's object, with its definition, goes once its run is over.
        stack.enter_context(an_operator(plane.kubeconfig, *namespaces))
        assert daemon.exit_code(within=EXIT_WITHIN) != 0
        assert "was deleted or recreated" in daemon.tail()
        _apply_definitions(admin, JOBS, POOLS, TEMPLATES, WORKSPACES, DAEMONS)
        with a_product_namespace(plane, namespaces[1]) as after, after.daemon():
            _submit_once_served(after, "after")
            after.jobs.until("after", "Completed")


def _submit_once_served(product: ProductNamespace, name: str) -> None:
    """Submit a job as soon as the API server admits its kind, which may be a while after the definition is established."""
    deadline = time.monotonic() + EXIT_WITHIN
    while True:
        try:
            product.submit(name)
        except KubectlError as error:
            if NOT_YET_SERVED not in str(error) or time.monotonic() > deadline:
                raise
        else:
            return


def _apply_definitions(admin: Kubectl, *plurals: str) -> None:
    """Apply all definitions until these are made again; a finalizer may hold up the deletion of the others."""
    wanted = {f"{plural}.{GROUP}" for plural in plurals}
    deadline = time.monotonic() + EXIT_WITHIN
    made: set[str] = set()
    while not wanted <= made:
        assert time.monotonic() < deadline, wanted - made
        admin.run("apply", "--server-side", "-k", str(CRDS))
        found = (each["metadata"] for each in admin.json("get", "crd")["items"])
        made = {meta["name"] for meta in found if "deletionTimestamp" not in meta}
    admin.run("wait", "crd", "--for=condition=Established", "--timeout=60s", *wanted)


@contextmanager
def _started(start: str, product: ProductNamespace) -> Iterator[OperatorProgram]:
    run = (
        product.operator()
        if start == "provisioner-operator run"
        else plain_kopf(product.operator_kubeconfig, product.namespace)
    )
    with run as operator:
        yield operator


def test_plain_kopf_serves_and_ends_in_order(own: ProductNamespace) -> None:
    with plain_kopf(own.operator_kubeconfig, own.namespace) as operator, own.daemon():
        own.submit("job")
        own.jobs.until("job", "Completed")
        operator.terminate()
        assert operator.exit_code() == 0


def test_rights_that_are_given_back_are_used_again(own: ProductNamespace) -> None:
    binding = role_binding(OPERATOR, OPERATOR, namespace=own.namespace)
    with own.operator() as operator, own.daemon():
        own.submit("before")
        own.jobs.until("before", "Completed")
        own.admin.run("delete", "rolebinding", binding["metadata"]["name"])
        own.submit("meanwhile")
        operator.await_that(lambda: "cannot patch resource" in operator.tail(), "misses its rights")
        own.admin.create(binding)
        own.jobs.until("meanwhile", "Completed")
        assert operator.runs
        assert operator.fetch("/healthz") == (200, "ok\n")


def test_after_a_restore_of_etcd_the_controller_starts_anew_and_the_daemon_goes_on(
    plane: ControlPlane, restored: ProductNamespace, tmp_path: Path
) -> None:
    with restored.daemon() as daemon:
        with restored.operator() as operator:
            restored.submit("before", suspend=True)
            restored.await_seen()
            plane.back_up(tmp_path / "backup")
            await_served(restored)
            restored.admin.patch("pj", "before", {"spec": {"suspend": False}})
            restored.submit_all(LATER)
            restored.jobs.until_all(["before", *LATER], phases=["Completed"])
            plane.restore(tmp_path / "backup")
            assert operator.exit_code(within=120) == 1
            # The outage may have ended one of Kopf's tasks first.
            assert any(RESTORED in line or "has to start anew" in line for line in operator.lines)
        # In place of the kubelet. The job is suspended as it was then, though this daemon has run it.
        await_served(restored)
        with watching(restored.admin, "pj") as jobs, restored.operator():
            restored.admin.patch("pj", "before", {"spec": {"suspend": False}})
            restored.submit("after")
            for name in ("before", "after"):
                jobs.until(name, "Completed")
        assert daemon.runs
        assert RESTORED in daemon.tail()
    assert len(restored.ledger.runs_of("before")) == 2


def test_after_a_restore_of_etcd_no_build_starts_beside_a_run_that_the_backup_does_not_know(
    plane: ControlPlane, restored: ProductNamespace, tmp_path: Path
) -> None:
    restored.allow_election()
    with restored.daemon():
        with restored.candidate() as operator:
            operator.await_leads()
            plane.back_up(tmp_path / "backup")
            await_served(restored)
            with restored.daemon("late", tags={"of": "late"}) as late:
                restored.submit_held("unknown", tags={"of": "late"}, workspaceRef={"name": "dev"})
                restored.submit_all(LATER)
                restored.jobs.until_all(LATER, phases=["Completed"])
                since = time.time()
                plane.restore(tmp_path / "backup")
                assert operator.exit_code(within=120) == 1
                assert late.exit_code(within=EXIT_WITHIN) != 0, "its object is not in the backup"
        await_served(restored)
        noticed = datetime.fromisoformat(restored.lease()["metadata"]["annotations"][RESTORED_ANNOTATION])
        assert since < noticed.timestamp() < time.time()
        with restored.candidate() as operator:
            operator.await_leads()
            with watching(restored.admin, "pj") as jobs:
                restored.submit("build", workspaceRef={"name": "dev"})
                # It waits for the daemon's reports first, and then for nothing that it could see.
                held = jobs.until("build", lambda body: "restored backup" in body["status"].get("message", ""))
                assert held["status"]["phase"] == "Pending"
                restored.submit("import", type="TemplateImport", transition=None, workspaceRef=None)
                jobs.until("import", "Completed")
                assert jobs.phases("build") == ["Pending"]


def await_served(product: ProductNamespace) -> None:
    """Wait until the API server serves jobs again, some time after it says that it is ready."""
    deadline = time.monotonic() + 60
    while not (answer := product.admin.api.create(a_job("probe"), dry_run=True)).ok:
        assert time.monotonic() < deadline, str(answer)
        time.sleep(0.2)
