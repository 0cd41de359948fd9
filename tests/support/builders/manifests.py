"""Builders of valid manifests with defaults, so that a test names only relevant fields.

Keyword arguments are fields of the spec by their names in the API; None leaves a field out.
"""

from typing import Any

from provisioner_operator.api.v1alpha1.names import API_VERSION
from support.manifests import Manifest


def a_job_manifest(name: str = "job", **spec: Any) -> Manifest:
    """A job that starts the workspace `dev` with the echo provisioner."""
    defaults = {
        "type": "WorkspaceBuild",
        "transition": "Start",
        "provisioner": "echo",
        "workspaceRef": {"name": "dev"},
    }
    return _object("ProvisionerJob", name, defaults | spec)


def a_daemon_manifest(name: str = "daemon", **spec: Any) -> Manifest:
    """A daemon without tags that runs echo jobs."""
    return _object("ProvisionerDaemon", name, {"provisioners": ["echo"]} | spec)


def a_queue_manifest(name: str = "default", **spec: Any) -> Manifest:
    """The policy of a namespace's queue."""
    return {"apiVersion": API_VERSION, "kind": "ProvisionerQueue", "metadata": {"name": name}, "spec": spec}


def a_pool_manifest(name: str = "pool", **spec: Any) -> Manifest:
    """A pool of one daemon without tags that runs echo jobs."""
    return _object("ProvisionerPool", name, {"provisioners": ["echo"]} | spec)


def a_template_manifest(name: str = "template", **spec: Any) -> Manifest:
    """A template whose workspaces are built by the echo provisioner."""
    return _object("WorkspaceTemplate", name, {"provisioner": "echo"} | spec)


def a_workspace_manifest(name: str = "dev", **spec: Any) -> Manifest:
    """A workspace that is made from the template `template`."""
    return _object("Workspace", name, {"templateRef": {"name": "template"}} | spec)


def an_assignment(daemon: str = "daemon", **fields: Any) -> Manifest:
    """A job's `status.assignment`, not yet acknowledged."""
    return {"daemon": daemon, "daemonUID": f"uid-of-{daemon}", "id": "first", "time": "2026-01-01T00:00:00Z"} | fields


def role_binding(user: str, cluster_role: str, *, namespace: str) -> Manifest:
    """Return a binding of the user to the ClusterRole in the namespace."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{user}-{cluster_role}", "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": cluster_role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


def _object(kind: str, name: str, spec: Manifest) -> Manifest:
    given = {field: value for field, value in spec.items() if value is not None}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": given}
