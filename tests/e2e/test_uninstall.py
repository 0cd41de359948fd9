"""Uninstalling as documented leaves nothing, and the product can be installed again."""

from e2e.product import WITHIN, Installation
from support.cluster.kubectl import Kubectl

KINDS = ("crd", "clusterrole", "clusterrolebinding", "priorityclass", "validatingadmissionpolicy", "namespace")


def _left(admin: Kubectl) -> list[str]:
    names = [each["metadata"]["name"] for kind in KINDS for each in admin.json("get", kind)["items"]]
    return [name for name in names if name.startswith("provisioner-") or name.endswith("provisioner.dev")]


def test_uninstalling_leaves_nothing_and_installing_again_works(installation: Installation) -> None:
    admin = Kubectl(installation.admin.kubeconfig)
    assert _left(admin) != []
    for kind in ("pp", "pd"):  # without the operator nothing would remove their finalizers
        admin.run("delete", kind, "--all", "--all-namespaces", f"--timeout={WITHIN:.0f}s")
    admin.run("delete", "-k", str(installation.kustomization), f"--timeout={WITHIN:.0f}s")
    assert _left(admin) == []
    installation.apply()
    installation.await_rollout()
