"""The component `match-warnings` in a cluster, without a Deployment: its definition, its role and its policy."""

import time

from provisioner_operator.api.v1alpha1.names import API_VERSION, SUPPLY_NAME
from support.builders.manifests import a_job_manifest
from support.cluster.installation import IN_FORCE_WITHIN
from support.cluster.kubectl import Kubectl
from support.manifests import MANIFESTS, Manifest

COMPONENT = MANIFESTS / "components" / "match-warnings"
ROLE = "provisioner-operator-supplies"
"""The controller's ClusterRole."""
_DEFINITION = "provisioner.dev_provisionersupplies.yaml"


def a_supply_manifest(*supplies: Manifest, templates: Manifest | None = None, **spec: object) -> Manifest:
    """The supplies of a namespace."""
    content = {"supplies": list(supplies), "templates": templates or {}} | spec
    return {
        "apiVersion": API_VERSION,
        "kind": "ProvisionerSupply",
        "metadata": {"name": SUPPLY_NAME},
        "spec": content,
    }


def install_match_warnings(admin: Kubectl) -> None:
    """Apply the component and wait until the API server warns, in the namespace of this administrator."""
    admin.run("apply", "--server-side", f"--filename={COMPONENT / _DEFINITION}")
    admin.run("wait", "crd", "provisionersupplies.provisioner.dev", "--for=condition=Established", "--timeout=60s")
    for file in ("role.yaml", "policy.yaml"):
        admin.run("apply", "--server-side", f"--filename={COMPONENT / file}")
    admin.apply(a_supply_manifest())
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while not admin.api.create(a_job_manifest("probe"), dry_run=True).warnings:
        assert time.monotonic() < deadline, f"no warning within {IN_FORCE_WITHIN:.0f} s"
        time.sleep(0.2)
    admin.delete("provisionersupply", SUPPLY_NAME)
