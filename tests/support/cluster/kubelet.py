"""Pools without a node: a substitute for kubelet runs the daemons of their Pods as processes of this machine."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from support.cluster.kubectl import KubectlError
from support.cluster.pods import ended, runs
from support.manifests import Manifest
from support.test_namespace import ProductNamespace


def a_pool(name: str = "pool", **spec: object) -> Manifest:
    """Return a pool of daemons that run echo jobs."""
    defaults: dict[str, object] = {"provisioners": ["echo"], "lostAfterSeconds": 60}
    return {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerPool",
        "metadata": {"name": name},
        "spec": defaults | spec,
    }


class Kubelet:
    """Substitute for kubelet: runs the daemon of each Pod, reports its status, and stops it when its Pod is deleted."""

    def __init__(self, product: ProductNamespace) -> None:
        self.product = product
        self._processes: dict[str, ExitStack] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def living(self) -> dict[str, Manifest]:
        """Return the Pods that exist and are not being deleted, by name."""
        found = self.product.admin.list_all("pods", selector="provisioner.dev/daemon=true")
        return {
            each["metadata"]["name"]: each
            for each in found
            if "deletionTimestamp" not in each["metadata"] and each["status"]["phase"] not in {"Failed", "Succeeded"}
        }

    def kill(self, name: str) -> None:
        """Kill the Pod's container."""
        self._processes[name].close()
        ended(self.product.admin, name)

    @contextmanager
    def at_work(self) -> Iterator["Kubelet"]:
        """Run the daemons of Pods until the block ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()
            for process in self._processes.values():
                process.close()

    def _work(self) -> None:
        while not self._over.wait(0.2):
            present = self.living()
            for name, pod in present.items():
                if name not in self._processes:
                    stack = self._processes[name] = ExitStack()
                    with suppress(KubectlError):  # it has been deleted meanwhile
                        stack.enter_context(self.product.daemon_in(pod))
                        runs(self.product.admin, name)
            for name in self._processes.keys() - present.keys():
                self._processes[name].close()
