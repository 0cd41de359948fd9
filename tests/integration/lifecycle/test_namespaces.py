"""A controller restricted to namespaces serves only these, with permissions only in these."""

from collections.abc import Callable, Sequence
from pathlib import Path

from support.builders.manifests import role_binding
from support.cluster.kubectl import Kubectl
from support.cluster.role_bindings import grant_roles
from support.programs.programs import an_operator
from support.test_namespace import OPERATOR, ProductNamespace

MANY = 30


def test_a_controller_of_many_namespaces_serves_each(
    own_product: ProductNamespace, make_namespace: Callable[[], str]
) -> None:
    product = own_product
    others = [make_namespace() for _ in range(MANY - 1)]
    bindings = [role_binding(OPERATOR, OPERATOR, namespace=namespace) for namespace in others]
    everywhere = Kubectl(product.admin.kubeconfig)
    grant_roles(everywhere, bindings)
    with an_operator(product.operator_kubeconfig, *others, product.namespace), product.daemon("daemon"):
        product.submit("job")
        product.jobs.until("job", "Completed")
        product.submit("stuck", tags={"nobody": "has-it"})
        product.jobs.until("stuck", lambda body: body["status"].get("reason") == "NoMatchingDaemon")


def test_a_controller_leaves_other_namespaces_alone(product: ProductNamespace, own_product: ProductNamespace) -> None:
    own_product.submit("elsewhere", tags={"nobody": "has-it"})
    product.submit("here", tags={"nobody": "has-it"})
    product.jobs.until("here", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
    status = own_product.admin.get("pj", "elsewhere")["status"]
    assert status.keys() == {"phase", "suspendedSeconds", "conditions"}, "the defaults of the definition"
    assert [each["reason"] for each in status["conditions"]] == ["Pending"]


def test_a_controller_without_permissions_names_the_missing_role(
    own_product: ProductNamespace, kubeconfig_for: Callable[[str, Sequence[str]], Path]
) -> None:
    with an_operator(kubeconfig_for("nobody", ()), own_product.namespace, wait=False) as operator:
        assert operator.exit_code() == 1
        assert "Bind the ClusterRole provisioner-operator" in operator.tail()
