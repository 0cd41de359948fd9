"""Name the desired state of a workspace by a digest, so that a build can be compared with it at one look."""

import json
from dataclasses import dataclass
from hashlib import sha256

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.core.model.json_value import JsonValue
from provisioner_operator.core.workspaces.records import Workspace

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class DesiredState:
    """State that a workspace should be in: the transition that leads to it, and the template version to build."""

    transition: Transition
    change: str
    """Digest of everything that the build depends on; its job carries it."""
    version: str | None
    """None while the template has no version to build."""


def desired_by_spec(workspace: Workspace, transition: Transition, version: str | None) -> DesiredState:
    """Return the state that the spec asks for, reached by this transition with this version."""
    change = change_of(transition, version, workspace.parameters, workspace.rebuild_generation)
    return DesiredState(transition, change, version)


def change_of(transition: Transition, *inputs: JsonValue) -> str:
    """Return the digest of a transition and the inputs of its build."""
    canonical = json.dumps([transition, *inputs], ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
