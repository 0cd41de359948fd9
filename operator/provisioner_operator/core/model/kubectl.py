"""Commands for people to copy, quoted for the shell: their values may come from whoever submits a job. Pure."""

import json
import shlex
from collections.abc import Mapping


def merge_patch(namespace: str, resource: str, name: str, patch: Mapping[str, object]) -> str:
    """Return the command that changes an object by a merge patch."""
    text = json.dumps(patch, separators=(",", ":"))
    return shlex.join(["kubectl", "-n", namespace, "patch", resource, name, "--type", "merge", "-p", text])
