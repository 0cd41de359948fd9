"""Kubeconfig files as kubectl reads them: several are merged, and relative paths are relative to their file.

Used by the login of servers and by the command line, which choose a context. It knows no environment and no command line.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]
"""A kubeconfig, or a part of one, as JSON."""

_LISTS = ("clusters", "users", "contexts")
_PATHS = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}
"""Fields with paths of files, by the kind of entry."""


class KubeconfigError(Exception):
    """A kubeconfig that cannot be used; the message names the file and what is wrong."""


def read(path: Path) -> Document:
    """Read one kubeconfig file. Raises KubeconfigError."""
    import yaml  # noqa: PLC0415 - 30 ms and a megabyte, which a mistyped command and a Pod do without

    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).replace("\n", " ")
        raise KubeconfigError(f"The kubeconfig {path} cannot be read: {reason}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise KubeconfigError(f"The file {path} is not a kubeconfig: expected a YAML mapping.")
    return document


def merged(documents: Iterable[tuple[Path, Document]]) -> Document:
    """Merge kubeconfigs into one: the first to set a value, or to define a name, wins. Raises KubeconfigError."""
    result: Document = {name: [] for name in _LISTS}
    for path, document in documents:
        for name in _LISTS:
            known = {entry["name"] for entry in result[name]}
            entries = _entries(document, name, path)
            result[name].extend(_with_absolute_paths(each, path) for each in entries if each["name"] not in known)
        if not result.get("current-context"):
            result["current-context"] = document.get("current-context")
    return result


def _entries(document: Document, name: str, path: Path) -> Sequence[Document]:
    entries = document.get(name) or []
    if not isinstance(entries, list) or any(not isinstance(each, dict) or "name" not in each for each in entries):
        raise KubeconfigError(f"The file {path} is not a kubeconfig: expected a list of named {name}.")
    return entries


def _with_absolute_paths(entry: Document, path: Path) -> Document:
    for kind, fields in _PATHS.items():
        details = entry.get(kind)
        if isinstance(details, dict):
            found = {field: str(path.parent.absolute() / str(details[field])) for field in fields if details.get(field)}
            return entry | {kind: details | found | _with_absolute_command(details, path)}
    return entry


def _with_absolute_command(details: Document, path: Path) -> Document:
    """Return the `exec` section with its command relative to the file, unless it is to be found on the PATH."""
    plugin = details.get("exec")
    if not isinstance(plugin, dict) or "/" not in str(plugin.get("command")):
        return {}
    return {"exec": plugin | {"command": str(path.parent.absolute() / str(plugin["command"]))}}
