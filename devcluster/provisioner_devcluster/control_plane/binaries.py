"""Programs of the control plane: those in KUBEBUILDER_ASSETS if it has all of them, otherwise our own build.

Called by the control plane, and by the command line before it detaches, so that the user sees a long build. Starts nothing.
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
    """Processes of a control plane by their Kubernetes names, in the order of their start."""

    ETCD = "etcd"
    API_SERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Commands that start each component."""

    source: str
    """Origin of the programs, for messages."""
    commands: Mapping[Component, tuple[str, ...]]
    """Program and first arguments of each component."""
    knows_lifeline: bool
    """Whether the programs themselves exit when the launcher is gone."""


def find_binaries() -> Binaries:
    """Return the programs of the control plane, and build them if there are none."""
    return _assets() or _own()


def _assets() -> Binaries | None:
    value = os.environ.get(ASSETS_VARIABLE)
    if not value:
        return None
    directory = Path(value).absolute()
    missing = [component for component in Component if not os.access(directory / component, os.X_OK)]
    if missing:
        # Usually true: envtest's archive lacks the controller-manager, without which no namespace gets a ServiceAccount.
        say(f"{ASSETS_VARIABLE}={value} lacks {', '.join(missing)}: not used, looking for our own build instead")
        return None
    commands = {component: (str(directory / component),) for component in Component}
    return Binaries(source=f"{ASSETS_VARIABLE}={value}", commands=commands, knows_lifeline=False)


def _own() -> Binaries:
    program = build(CONTROL_PLANE)
    commands = {component: (str(program), str(component)) for component in Component}
    return Binaries(source=str(program), commands=commands, knows_lifeline=True)
