"""A controller restricted to namespaces serves these, as a user with rights in these alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

from support.builders.manifests import role_binding
from support.cluster.kubectl import Kubectl
from support.programs.programs import an_operator
from support.test_namespace import OPERATOR, Site

MANY = 30


def test_a_controller_of_many_namespaces_serves_each(own_site: Site, make_namespace: Callable[[], str]) -> None:
    site = own_site
    others = [make_namespace() for _ in range(MANY - 1)]
    bindings = [role_binding(OPERATOR, OPERATOR, namespace=namespace) for namespace in others]
    everywhere = Kubectl(site.admin.kubeconfig)
    everywhere.run("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": bindings})
    with an_operator(site.operator_kubeconfig, *others, site.namespace), site.daemon("daemon"):
        site.submit("job")
        site.jobs.until("job", "Completed")
        site.submit("stuck", tags={"nobody": "has-it"})
        site.jobs.until("stuck", lambda body: body["status"].get("reason") == "NoMatchingDaemon")


def test_a_controller_leaves_other_namespaces_alone(site: Site, own_site: Site) -> None:
    own_site.submit("elsewhere", tags={"nobody": "has-it"})
    site.submit("here", tags={"nobody": "has-it"})
    site.jobs.until("here", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
    assert own_site.admin.get("pj", "elsewhere")["status"] == {"phase": "Pending", "suspendedSeconds": 0}


def test_a_controller_without_rights_says_which_role_it_lacks(
    own_site: Site, kubeconfig_for: Callable[[str, Sequence[str]], Path]
) -> None:
    with an_operator(kubeconfig_for("nobody", ()), own_site.namespace, wait=False) as operator:
        assert operator.exit_code() == 1
        assert "Bind the ClusterRole provisioner-operator" in operator.tail()
