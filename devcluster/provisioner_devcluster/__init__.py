"""A real Kubernetes control plane on this machine, from packages: for trying the product, its tests and its demo.

Public surface: `ControlPlane` (start, use, stop), `DevClusterError` (what went wrong and what to do), and the tool lookups
`find_kubectl`, `find_tofu` and `find_go`. The product never imports this package.
"""

from provisioner_devcluster.control_plane import ControlPlane
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.tools import find_go, find_kubectl, find_tofu

__all__ = ["ControlPlane", "DevClusterError", "find_go", "find_kubectl", "find_tofu"]
