"""Where a workspace's Terraform state lives and who holds its lock.

The `kubernetes` backend keeps the state in the Secret `tfstate-default-SUFFIX` and the lock in the Lease
`lock-tfstate-default-SUFFIX` of the job's namespace. Pure but for the two small files that it writes; used by
`terraform`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

BACKEND_FILE = "provisioner_backend_override.tf.json"
"""Terraform merges `*_override.tf.json` last, so a backend of the template's own does not count."""
BACKEND_SETTINGS_FILE = "provisioner_backend.json"
SUFFIX_END = "-ws"
"""The backend refuses a suffix that ends in `-` and a number, since it numbers the parts of a large state so; a
workspace may be named `dev-7`. Put to every name, it also keeps the suffixes of two workspaces apart."""

_LOCK_ERRORS = ("Error acquiring the state lock", "Error locking state")
_LOCK_FIELD = re.compile(r"^\s*(ID|Who|Created|Operation):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """How Terraform reaches the API server that keeps the state: a kubeconfig, or the Pod's own ServiceAccount."""

    kubeconfig: Path | None = None


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a state lock, as Terraform tells it."""

    id: str = "unknown"
    who: str = "unknown"
    created: str = "unknown"
    operation: str = "unknown"


def secret_suffix(workspace: str) -> str:
    """Return the backend's `secret_suffix` of a workspace."""
    return workspace + SUFFIX_END


def lock_lease(workspace: str) -> str:
    """Return the name of the Lease that is the lock of a workspace's state."""
    return f"lock-tfstate-default-{secret_suffix(workspace)}"


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
    """Make the configuration in the directory keep no state but in the directory."""
    _write(directory / BACKEND_FILE, {"terraform": {"backend": {"local": {}}}})


def is_stored_under(directory: Path, *, namespace: str, workspace: str) -> bool:
    """Tell whether an initialised directory really has its state there: an override of the template's own may win."""
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
    """Read who holds the lock from an error; None when the error is another one."""
    text = f"{summary}\n{detail}"
    if not any(known in text for known in _LOCK_ERRORS):
        return None
    found = {name.lower(): value for name, value in _LOCK_FIELD.findall(text) if value}
    return LockHolder(**found)


def explain_lock(holder: LockHolder, *, namespace: str, workspace: str) -> str:
    """Tell an admin who holds the lock and how to release it safely."""
    return (
        f"The state of workspace {workspace} is locked by {holder.who} since {holder.created} "
        f"({holder.operation}, lock id {holder.id}). If that run still works, wait for it. If it is dead "
        f"(`kubectl -n {namespace} get pj,pd` shows no job of this workspace and no daemon running it), check what it left "
        f"behind, release the lock with `kubectl -n {namespace} delete lease {lock_lease(workspace)}`, and submit the job again."
    )


def _write(path: Path, content: object) -> None:
    # The template's own file of that name may be a link to another of its files.
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)
