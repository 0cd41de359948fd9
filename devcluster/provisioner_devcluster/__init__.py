"""A real Kubernetes control plane on this machine, built from packages, for the product's tests, demo and benchmark.

Public interface: `ControlPlane` (start, use, stop), `NodeCluster` (the same with a real node; needs Linux and root, and
raises `NodeImpossibleError` elsewhere), `DevClusterError` (the failure, and what to do), the tool lookups `find_kubectl`,
`find_tofu` and `find_go`, and `coder_provider_configuration` for templates that use Coder's Terraform provider. The product
never imports this package.
"""

from provisioner_devcluster.build.provider_mirror import coder_provider_configuration
from provisioner_devcluster.build.tools import find_go, find_kubectl, find_tofu
from provisioner_devcluster.control_plane.cluster import ControlPlane
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.binaries import NodeImpossibleError
from provisioner_devcluster.node.cluster import NodeCluster

__all__ = [
    "ControlPlane",
    "DevClusterError",
    "NodeCluster",
    "NodeImpossibleError",
    "coder_provider_configuration",
    "find_go",
    "find_kubectl",
    "find_tofu",
]
