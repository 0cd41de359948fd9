"""Which programs the control plane is made of: those in KUBEBUILDER_ASSETS if they are all there, else our own build.

Called by the control plane and, before it detaches, by the command line, so that a long build is seen. Starts nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import CONTROL_PLANE
from provisioner_devcluster.progress import say

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"


class Component(StrEnum):
    """The processes of a control plane, by the names Kubernetes gives them, in the order they start."""

    ETCD = "etcd"
    API_SERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"


@dataclass(frozen=True, slots=True)
class Binaries:
    """How to start each component."""

    source: str
    """Where they come from, for humans."""
    commands: Mapping[Component, tuple[str, ...]]
    """The beginning of each component's command line."""
    knows_lifeline: bool
    """Whether they end by themselves when the launcher is gone."""


def find_binaries() -> Binaries:
    """Return the programs of the control plane, building them if nothing else is there."""
    return _assets() or _own()


def _assets() -> Binaries | None:
    value = os.environ.get(ASSETS_VARIABLE)
    if not value:
        return None
    directory = Path(value).absolute()
    missing = [component for component in Component if not os.access(directory / component, os.X_OK)]
    if missing:
        # The usual case: envtest's archive has no controllers, and without them no namespace gets its ServiceAccount.
        say(f"{ASSETS_VARIABLE}={value} lacks {', '.join(missing)}: not used, looking for our own build instead")
        return None
    commands = {component: (str(directory / component),) for component in Component}
    return Binaries(source=f"{ASSETS_VARIABLE}={value}", commands=commands, knows_lifeline=False)


def _own() -> Binaries:
    program = build(CONTROL_PLANE)
    commands = {component: (str(program), str(component)) for component in Component}
    return Binaries(source=str(program), commands=commands, knows_lifeline=True)
