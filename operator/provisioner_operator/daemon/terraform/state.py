"""Configure the backend of a workspace's Terraform state, and explain the lock of a state.

The `kubernetes` backend keeps the state in the Secret `tfstate-default-SUFFIX` and the lock in the Lease
`lock-tfstate-default-SUFFIX` of the job's namespace. Pure except for the two small files that it writes; used by
`provisioner` and `failure`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.core.states.lock import LockHolder, secret_suffix

BACKEND_FILE = "provisioner_backend_override.tf.json"
"""Terraform merges `*_override.tf.json` last, so that this backend replaces one of the template."""
BACKEND_SETTINGS_FILE = "provisioner_backend.json"
_KUBECONFIG_LINK = ".provisioner_kubeconfig"

_LOCK_ERRORS = ("Error acquiring the state lock", "Error locking state")
_HELD_OVER_HTTP = re.compile(r"HTTP remote state already locked: ID=(\S+)")
"""The backend `http` shows its own attempt as the lock's description; only this id is that of the holder."""
_LOCK_FIELD = re.compile(r"^\s*(ID|Who|Created|Operation):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Access to the API server that keeps the state: a kubeconfig, or the Pod's own ServiceAccount."""

    kubeconfig: Path | None = None


def reached_from_home(directory: Path, access: ClusterAccess) -> ClusterAccess:
    """Return the same access by a path that each run has, whose home is this directory."""
    if access.kubeconfig is None:
        return access
    link = directory / _KUBECONFIG_LINK
    link.unlink(missing_ok=True)
    link.symlink_to(access.kubeconfig.absolute())
    return ClusterAccess(Path("~") / _KUBECONFIG_LINK)


def write_kubernetes_backend(directory: Path, *, namespace: str, workspace: str, access: ClusterAccess) -> None:
    """Make the configuration in the directory keep its state under the workspace's name."""
    write_private(directory / BACKEND_FILE, {"terraform": {"backend": {"kubernetes": {}}}})
    settings: dict[str, str | bool] = {"namespace": namespace, "secret_suffix": secret_suffix(workspace)}
    if access.kubeconfig is None:
        settings["in_cluster_config"] = True
    else:
        settings["config_path"] = str(access.kubeconfig)
    write_private(directory / BACKEND_SETTINGS_FILE, settings)


def write_throwaway_backend(directory: Path) -> None:
    """Make the configuration in the directory keep its state in the directory, where it is discarded."""
    write_private(directory / BACKEND_FILE, {"terraform": {"backend": {"local": {}}}})


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
    if (held := _HELD_OVER_HTTP.search(text)) is not None:
        return LockHolder(held.group(1))
    found = {name.lower(): value for name, value in _LOCK_FIELD.findall(text) if value}
    return LockHolder(**found)


def explain_lock(holder: LockHolder, *, namespace: str, workspace: str) -> str:
    """Return the message that describes the holder of the lock and a safe way to release it."""
    return (
        f"The state of workspace {workspace} is locked by {holder.who} since {holder.created} "
        f"({holder.operation}, lock id {holder.id}). If that is still at work, wait for it. If it is dead, check what it left "
        f"behind, release the lock with `kubectl provisioner workspaces unlock -n {namespace} {workspace}`, and retry the job. "
        "That needs the verb cancel on provisionerjobs, for example by the ClusterRole provisioner-admin."
    )


def write_private(path: Path, content: object) -> None:
    """Write the content as JSON for its owner alone."""
    # Unlinked first: the template's own file of that name may be a link to another of its files.
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)
