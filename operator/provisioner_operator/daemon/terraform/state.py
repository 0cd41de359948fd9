"""Configure the backend of a workspace's Terraform state, and explain the lock of a state.

The `kubernetes` backend keeps the state in the Secret `tfstate-default-SUFFIX` and the lock in the Lease
`lock-tfstate-default-SUFFIX` of the job's namespace. Pure except for the two small files that it writes; used by
`provisioner` and `failure`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

BACKEND_FILE = "provisioner_backend_override.tf.json"
"""Terraform merges `*_override.tf.json` last, so that this backend replaces one of the template."""
BACKEND_SETTINGS_FILE = "provisioner_backend.json"
SUFFIX_END = "-ws"
"""The backend refuses a suffix that ends in `-` and a number, which it uses for the parts of a large state; but a workspace
may be named `dev-7`. Appended to every name, it also keeps the suffixes of two workspaces distinct."""

_LOCK_ERRORS = ("Error acquiring the state lock", "Error locking state")
_LOCK_FIELD = re.compile(r"^\s*(ID|Who|Created|Operation):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Access to the API server that keeps the state: a kubeconfig, or the Pod's own ServiceAccount."""

    kubeconfig: Path | None = None


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The holder of a state lock, as Terraform reports it."""

    id: str = "unknown"
    who: str = "unknown"
    created: str = "unknown"
    operation: str = "unknown"


def secret_suffix(workspace: str) -> str:
    """Return the backend's `secret_suffix` of a workspace."""
    return workspace + SUFFIX_END


def state_secret(workspace: str) -> str:
    """Return the name of the Secret that holds a workspace's state."""
    return f"tfstate-default-{secret_suffix(workspace)}"


def lock_lease(workspace: str) -> str:
    """Return the name of the Lease that is the lock of a workspace's state."""
    return f"lock-{state_secret(workspace)}"


def write_kubernetes_backend(directory: Path, *, namespace: str, workspace: str, access: ClusterAccess) -> None:
    """Make the configuration in the directory keep its state under the workspace's name."""
    _write(directory / BACKEND_FILE, {"terraform": {"backend": {"kubernetes": {}}}})
    settings: dict[str, str | bool] = {"namespace": namespace, "secret_suffix": secret_suffix(workspace)}
    if access.kubeconfig is None:
        settings["in_cluster_config"] = True
    else:
        settings["config_path"] = str(access.kubeconfig)
    _write(directory / BACKEND_SETTINGS_FILE, settings)


def write_throwaway_backend(directory: Path) -> None:
    """Make the configuration in the directory keep its state in the directory, where it is discarded."""
    _write(directory / BACKEND_FILE, {"terraform": {"backend": {"local": {}}}})


def is_stored_under(directory: Path, *, namespace: str, workspace: str) -> bool:
    """Return whether an initialized directory really uses that backend: an override in the template may replace it."""
    try:
        backend = json.loads((directory / ".terraform" / "terraform.tfstate").read_text())["backend"]
        config = backend["config"]
        return (backend["type"], config["namespace"], config["secret_suffix"]) == (
            "kubernetes",
            namespace,
            secret_suffix(workspace),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return False


def lock_holder(summary: str, detail: str) -> LockHolder | None:
    """Parse the holder of the lock from an error; None if the error has another cause."""
    text = f"{summary}\n{detail}"
    if not any(known in text for known in _LOCK_ERRORS):
        return None
    found = {name.lower(): value for name, value in _LOCK_FIELD.findall(text) if value}
    return LockHolder(**found)


def explain_lock(holder: LockHolder, *, namespace: str, workspace: str) -> str:
    """Return the message that describes the holder of the lock and a safe way to release it."""
    return (
        f"The state of workspace {workspace} is locked by {holder.who} since {holder.created} "
        f"({holder.operation}, lock id {holder.id}). If that run is still active, wait for it. If it is dead "
        f"(`kubectl -n {namespace} get pj,pd` shows no job of this workspace and no daemon running it), check what it left "
        f"behind, release the lock with `kubectl -n {namespace} delete lease {lock_lease(workspace)}`, and retry the job. "
        "Deleting a Lease needs the built-in ClusterRole edit or admin in the namespace; provisioner-admin does not permit it."
    )


def _write(path: Path, content: object) -> None:
    # Unlinked first: the template's own file of that name may be a link to another of its files.
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)
