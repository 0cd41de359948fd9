"""Pods of the probe image for the node's tests, within Kubernetes' restricted profile."""

from support.manifests import Manifest


def a_pod(name: str, image: str, *arguments: str, memory: str = "64Mi") -> Manifest:
    """A Pod that runs the probe once."""
    restricted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "probe",
        "image": image,
        "imagePullPolicy": "Never",
        "args": list(arguments),
        "resources": {"limits": {"memory": memory}, "requests": {"cpu": "10m"}},
        "securityContext": restricted,
    }
    spec = {
        "containers": [container],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def a_service(name: str) -> Manifest:
    """A Service for the serving Pod of the same name."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
