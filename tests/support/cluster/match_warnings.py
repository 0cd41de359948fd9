"""The component `match-warnings` in a cluster, without a Deployment: its definition, its role and its policy."""

import time
from collections.abc import Callable
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Provisioner, SupplyPart
from provisioner_operator.api.v1alpha1.names import API_VERSION, SUPPLY_NAME
from provisioner_operator.core.model.matching import OWNER, SCOPE, Supply, effective_tags
from provisioner_operator.core.scheduling.supply_index import index_supplies
from support.builders.manifests import a_job_manifest
from support.cluster.installation import IN_FORCE_WITHIN, PROBE_NAMESPACE
from support.cluster.kubectl import Kubectl
from support.manifests import MANIFESTS, Manifest

COMPONENT = MANIFESTS / "components" / "match-warnings"
ROLE = "provisioner-operator-supplies"
"""The controller's ClusterRole."""
BINDING = "match-warning.provisioner.dev"
"""Name of the policy, and of its binding."""
_DEFINITION = "provisioner.dev_provisionersupplies.yaml"


def a_supply_manifest(*supplies: Manifest, templates: Manifest | None = None, **spec: Any) -> Manifest:
    """The supplies of a namespace, with their index unless they are `omitted`."""
    content = {"supplies": list(supplies), "templates": templates or {}} | spec
    if SupplyPart.SUPPLIES not in spec.get("omitted", ()):
        content |= index_supplies([_supply(each) for each in supplies]).json()
    return {
        "apiVersion": API_VERSION,
        "kind": "ProvisionerSupply",
        "metadata": {"name": SUPPLY_NAME},
        "spec": content,
    }


def _supply(manifest: Manifest) -> Supply:
    tags = dict(each.split("=", 1) for each in manifest["tags"])
    scope = {SCOPE: manifest["scope"], OWNER: manifest["owner"]}
    return Supply("", frozenset(map(Provisioner, manifest["provisioners"])), effective_tags(tags | scope))


def install_match_warnings(admin: Kubectl) -> None:
    """Apply the component, as an administrator of the cluster, and wait until the API server warns."""
    admin.run("apply", "--server-side", f"--filename={COMPONENT / _DEFINITION}")
    admin.run("wait", "crd", "provisionersupplies.provisioner.dev", "--for=condition=Established", "--timeout=60s")
    for file in ("role.yaml", "policy.yaml"):
        admin.run("apply", "--server-side", f"--filename={COMPONENT / file}")
    prober = admin.within(PROBE_NAMESPACE)
    prober.apply(a_supply_manifest(), "--server-side")
    await_warnings(prober, a_job_manifest("probe"), bool)


def await_warnings(admin: Kubectl, manifest: Manifest, wanted: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """Create the object as a dry run, which is never refused, until the warnings are as wanted; return them.

    The API server learns of a changed ProvisionerSupply some milliseconds after it has stored it.
    """
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while True:
        reply = admin.api.create(manifest, dry_run=True)
        assert reply.ok, reply
        if wanted(reply.warnings):
            return reply.warnings
        assert time.monotonic() < deadline, f"within {IN_FORCE_WITHIN:.0f} s only {reply.warnings}"
        time.sleep(0.02)
