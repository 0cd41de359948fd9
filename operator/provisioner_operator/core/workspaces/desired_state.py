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


def desired_start(workspace: Workspace, version: str | None) -> DesiredState:
    """Return the state of a workspace that runs as its spec has it, built with this version."""
    change = change_of(Transition.START, version, workspace.parameters, workspace.rebuild_generation)
    return DesiredState(Transition.START, change, version)


def desired_stop(workspace: Workspace, version: str | None) -> DesiredState:
    """Return the state of a workspace that is stopped with this version.

    It does not depend on the chosen parameters: a stop keeps those that were built, and the next start applies others.
    """
    return DesiredState(Transition.STOP, change_of(Transition.STOP, version, workspace.rebuild_generation), version)


def change_of(transition: Transition, *inputs: JsonValue) -> str:
    """Return the digest of a transition and the inputs of its build."""
    canonical = json.dumps([transition, *inputs], ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
