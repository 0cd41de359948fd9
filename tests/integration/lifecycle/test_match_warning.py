"""`kubectl apply` of what nobody can run prints a warning, by the supplies that a controller with `--publish-supplies` keeps."""

from collections.abc import Iterator

import pytest

from provisioner_operator.api.v1alpha1.names import SUPPLY_NAME
from support.builders.manifests import (
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
    role_binding,
)
from support.cluster.kubectl import Kubectl
from support.cluster.match_warnings import ROLE, a_supply_manifest, await_warnings, install_match_warnings
from support.cluster.role_bindings import await_right, grant_roles
from support.cluster.watching import Watch, watching
from support.manifests import Manifest
from support.test_namespace import OPERATOR, ProductNamespace

PUBLISHING = {"PROVISIONER_OPERATOR_PUBLISH_SUPPLIES": "true"}
A_DAEMON_THAT_IS_GONE = {
    "offeredBy": "daemon gone",
    "provisioners": ["echo"],
    "scope": "organization",
    "owner": "",
    "tags": ["zone=a"],
}


@pytest.fixture
def product(own_product: ProductNamespace) -> ProductNamespace:
    """A namespace whose controller may keep its supplies, without any program yet."""
    install_match_warnings(own_product.admin)
    admin = own_product.admin
    grant_roles(admin, [role_binding(OPERATOR, ROLE, namespace=own_product.namespace)])
    await_right(admin, OPERATOR, "create", "provisionersupplies", own_product.namespace)
    return own_product


@pytest.fixture
def supplies(product: ProductNamespace) -> Iterator[Watch]:
    """The versions of the namespace's ProvisionerSupply."""
    with watching(product.admin, "provisionersupplies") as watch:
        yield watch


def offered(body: Manifest) -> set[str]:
    return {each["offeredBy"] for each in body["spec"]["supplies"]}


def applied(admin: Kubectl, manifest: Manifest) -> str:
    """Return what `kubectl apply` prints beside the answer."""
    return admin.apply(manifest).stderr


def test_kubectl_apply_warns_of_what_no_daemon_can_run(product: ProductNamespace, supplies: Watch) -> None:
    admin, both = product.admin, {"zone": "a", "gpu": "yes"}
    with product.operator(environment=PUBLISHING), product.daemon("box", tags={"zone": "a"}):
        admin.apply(a_template_manifest("template", tags=both))
        supplies.until(
            SUPPLY_NAME, lambda body: offered(body) == {"daemon box"} and "template" in body["spec"]["templates"]
        )
        await_warnings(admin, a_workspace_manifest("probe"), bool)

        warning = applied(admin, a_job_manifest("stuck", tags=both))
        assert warning.startswith("Warning: ")
        assert "the nearest, daemon box, lacks the tag gpu=yes" in warning
        assert "the nearest, daemon box, lacks the tag gpu=yes" in applied(admin, a_workspace_manifest("dev"))
        assert applied(admin, a_workspace_manifest("stopped", running=False)) == ""
        assert applied(admin, a_job_manifest("fine", workspaceRef={"name": "fine"}, tags={"zone": "a"})) == ""
        product.jobs.until("fine", "Completed")

        # A pool that is allowed to start daemons offers what they would.
        admin.run("create", "serviceaccount", "provisioner-daemon")  # that of the pool's Pods
        admin.apply(a_pool_manifest("gpus", tags=both, replicas=None, autoscaling={"maxReplicas": 1}))
        supplies.until(SUPPLY_NAME, lambda body: "pool gpus" in offered(body))
        await_warnings(admin, a_workspace_manifest("probe"), lambda found: not found)
        assert applied(admin, a_job_manifest("for-the-pool", tags=both)) == ""


def test_an_idle_installation_and_a_restart_write_nothing(product: ProductNamespace, supplies: Watch) -> None:
    with product.daemon("box", tags={"zone": "a"}):
        with product.operator(environment=PUBLISHING):
            supplies.until(SUPPLY_NAME, lambda body: offered(body) == {"daemon box"})
        with product.operator(environment=PUBLISHING) as operator, product.daemon("other", tags={"zone": "b"}):
            # By the time that another daemon is written, an unnecessary write after the start has been, too.
            supplies.until(SUPPLY_NAME, lambda body: offered(body) == {"daemon box", "daemon other"})
            written = {name: number for name, number in operator.writes.items() if "WriteSupply" in name}
            assert written == {'provisioner_api_writes_total{kind="WriteSupply",result="ok"}': 1}
    assert len(supplies.versions(SUPPLY_NAME)) == 2


def test_a_missing_a_stale_and_an_incomplete_object_refuse_nothing(product: ProductNamespace) -> None:
    admin = product.admin
    assert applied(admin, a_job_manifest("without", tags={"gpu": "yes"})) == ""

    admin.apply(a_supply_manifest(A_DAEMON_THAT_IS_GONE), "--server-side")
    await_warnings(admin, a_job_manifest("probe", tags={"gpu": "yes"}), bool)
    assert "daemon gone, lacks the tag gpu=yes" in applied(admin, a_job_manifest("stale", tags={"gpu": "yes"}))

    admin.apply(a_supply_manifest(omitted=["Supplies"]), "--server-side")
    await_warnings(admin, a_job_manifest("probe", tags={"gpu": "yes"}), lambda found: not found)
    assert applied(admin, a_job_manifest("incomplete", tags={"gpu": "yes"})) == ""
    assert {each["metadata"]["name"] for each in admin.list_all("pj")} == {"without", "stale", "incomplete"}
