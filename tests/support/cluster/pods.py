"""Daemon Pods without a node: the test writes their status in place of kubelet, and requests their tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

SERVICE_ACCOUNT = "provisioner-daemon"
CONTAINER = "daemon"
_NOW = "2026-01-01T00:00:00Z"


def a_daemon_pod(name: str, *, tags: dict[str, str] | None = None, **settings: Any) -> Manifest:
    """A Pod that is a daemon of echo jobs; settings are annotations: `capacity`, `lost_after_seconds`, `provisioners`."""
    annotations = {f"tags.provisioner.dev/{key}": value for key, value in (tags or {}).items()}
    given = {"provisioners": "echo"} | settings
    annotations |= {f"provisioner.dev/{key.replace('_', '-')}": str(value) for key, value in given.items()}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"provisioner.dev/daemon": "true"}, "annotations": annotations},
        "spec": {
            "serviceAccountName": SERVICE_ACCOUNT,
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "containers": [{"name": CONTAINER, "image": "provisioner-operator"}],
        },
    }


def service_account(name: str = SERVICE_ACCOUNT) -> Manifest:
    """The ServiceAccount of daemon Pods."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def daemon_binding(namespace: str, roles: Sequence[str] = ("provisioner-daemon",)) -> list[Manifest]:
    """Return bindings of the namespace's daemon Pods to these ClusterRoles."""
    group = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"pods-{role}", "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": namespace}],
        }
        for role in roles
    ]


def runs(admin: Kubectl, name: str, *, ready: bool = True) -> Manifest:
    """Report that the Pod's container runs, as kubelet would."""
    return _says(admin, name, "Running", {"running": {"startedAt": _NOW}}, ready=ready)


def ended(admin: Kubectl, name: str, *, reason: str = "OOMKilled", code: int = 137) -> Manifest:
    """Report that the Pod's container has ended and will not be restarted, as kubelet would."""
    terminated = {"exitCode": code, "reason": reason, "startedAt": _NOW, "finishedAt": _NOW}
    return _says(admin, name, "Failed", {"terminated": terminated}, ready=False)


def token_kubeconfig(admin: Kubectl, pod: Manifest, folder: Path) -> Path:
    """Return a kubeconfig with a token as kubelet mounts it: bound to the Pod, and invalid after its deletion."""
    meta = pod["metadata"]
    bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"boundObjectRef": bound}}
    token = admin.post("serviceaccount", SERVICE_ACCOUNT, "token", request)["status"]["token"]
    document = yaml.safe_load(admin.kubeconfig.read_text(encoding="utf-8"))
    document["users"] = [{"name": each["name"], "user": {"token": token}} for each in document["users"]]
    path = folder / f"{meta['uid']}.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _says(admin: Kubectl, name: str, phase: str, state: Manifest, *, ready: bool) -> Manifest:
    container = {"name": CONTAINER, "image": "i", "imageID": "i", "ready": ready, "restartCount": 0, "state": state}
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": _NOW}
    status = {"phase": phase, "conditions": [condition], "containerStatuses": [container]}
    return admin.patch("pod", name, {"status": status}, subresource="status")
