"""A policy with a parameter refuses nothing while the API server starts, and warns again once it has read its parameters."""

import time

from support.builders.manifests import a_job_manifest, a_template_manifest, a_workspace_manifest
from support.cluster.installation import IN_FORCE_WITHIN, an_installed_control_plane
from support.cluster.kubectl import Kubectl
from support.cluster.match_warnings import BINDING, a_supply_manifest, await_warnings, install_match_warnings


def test_a_restart_of_the_api_server_refuses_nothing() -> None:
    with an_installed_control_plane() as plane:
        admin = Kubectl(plane.kubeconfig, "default")
        install_match_warnings(admin)
        admin.create(a_supply_manifest())
        # Enough of them that the API server does not have them at once.
        namespaces = [f"other-{number}" for number in range(50)]
        for each in namespaces:
            admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}})
            admin.within(each).create(a_supply_manifest())
        probe = a_job_manifest("probe", tags={"gpu": "yes"})
        await_warnings(admin, probe, bool)

        plane.restart_api_server(kill=True)

        deadline = time.monotonic() + IN_FORCE_WITHIN
        warnings: tuple[str, ...] = ()
        while not warnings:
            assert time.monotonic() < deadline
            kinds = (a_template_manifest("probe"), a_workspace_manifest("probe"), probe)
            replies = [admin.api.create(manifest, dry_run=True) for manifest in kinds]
            # The other policies, which fail closed, may refuse until they are read.
            assert [str(each) for each in replies if BINDING in each.refusal] == []
            warnings = replies[-1].warnings
        assert any(BINDING in each for each in warnings)
