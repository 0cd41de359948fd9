"""A pool gets nothing of a node: host paths, privileges and further containers do not exist, however they are written."""

from typing import Any

import pytest

from support.builders.manifests import a_pool_manifest
from support.cluster.kubectl import Kubectl

VOLUMES_OF_NODES: dict[str, Any] = {
    "hostPath": {"path": "/"},
    "nfs": {"server": "a", "path": "/"},
    "iscsi": {"targetPortal": "a", "iqn": "b", "lun": 0},
    "csi": {"driver": "a"},
    "image": {"reference": "a"},
}
PRIVILEGES: dict[str, Any] = {
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "nodeName": "node",
    "securityContext": {"runAsUser": 0},
    "containers": [{"name": "other", "image": "other"}],
    "initContainers": [{"name": "other", "image": "other"}],
    "ephemeralContainers": [],
    "volumeDevices": [{"name": "a", "devicePath": "/dev/a"}],
    "privileged": True,
}


@pytest.fixture(scope="module")
def pool(kubectl: Kubectl) -> str:
    """Return the name of a pool to be changed."""
    kubectl.create(a_pool_manifest("bounded"))
    return "bounded"


@pytest.mark.parametrize("kind", VOLUMES_OF_NODES)
def test_a_volume_of_a_node_is_refused(kind: str, pool: str, kubectl: Kubectl) -> None:
    volume = {"name": "a", kind: VOLUMES_OF_NODES[kind]}

    strict = kubectl.api.create(a_pool_manifest(template={"volumes": [volume]}), dry_run=True)
    # Without strict validation the unknown field is left out, and a volume without a kind remains.
    lenient = kubectl.api.patch("pp", pool, {"spec": {"template": {"volumes": [volume]}}}, dry_run=True)

    assert f'unknown field "spec.template.volumes[0].{kind}"' in strict.refusal
    assert "a volume needs exactly one of secret, configMap, projected" in lenient.refusal


@pytest.mark.parametrize("field", PRIVILEGES)
def test_a_privilege_is_refused_or_left_out(field: str, pool: str, kubectl: Kubectl) -> None:
    template = {"image": "daemon:1", field: PRIVILEGES[field]}

    strict = kubectl.api.create(a_pool_manifest(template=template), dry_run=True)
    lenient = kubectl.patch("pp", pool, {"spec": {"template": template}}, dry_run=True)

    assert f'unknown field "spec.template.{field}"' in strict.refusal
    assert lenient["spec"]["template"]["image"] == "daemon:1"
    assert field not in lenient["spec"]["template"]
