"""The Go programs this package can build, and the key that says whether a build is still current.

Called by the build and by the Go lookup. The modules themselves lie in `modules/` and go into the wheel.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner_devcluster.locations import MODULES

if TYPE_CHECKING:
    from pathlib import Path

# Long enough to never meet by chance among a handful of builds, short enough for a directory's name.
KEY_LENGTH = 12


@dataclass(frozen=True, slots=True)
class GoModule:
    """A Go module in this package, and how to make one program of it."""

    name: str
    """What a human calls it; also the name of its directory of builds."""
    directory: Path
    """Where go.mod and go.sum lie."""
    package: str
    """The main package, as an argument of `go build`."""
    program: str
    """The name of the executable."""
    linker_flags: str
    """Variables stamped into the program."""
    duration: str = "several minutes"
    """How long a first build takes, as a human is told."""

    @property
    def go_version(self) -> tuple[int, ...]:
        """The oldest Go that may build it, from go.mod."""
        match = re.search(r"^go (\d+(?:\.\d+)*)$", self._mod, re.MULTILINE)
        if match is None:
            raise AssertionError(f"{self.directory}/go.mod names no Go version")
        return tuple(int(part) for part in match[1].split("."))

    @property
    def key(self) -> str:
        """A digest of everything that decides what the build makes: the files, the flags, the platform."""
        digest = hashlib.sha256(f"{self.package} {self.linker_flags} {sys.platform} {platform.machine()}".encode())
        for file in sorted(self.directory.iterdir()):
            digest.update(f"\0{file.name}\0".encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()[:KEY_LENGTH]

    @property
    def _mod(self) -> str:
        return (self.directory / "go.mod").read_text(encoding="utf-8")


def _required_version(directory: Path, module: str) -> str:
    found = re.search(rf"{re.escape(module)} v(\S+)", (directory / "go.mod").read_text(encoding="utf-8"))
    if found is None:
        raise AssertionError(f"{directory}/go.mod does not require {module}")
    return found[1]


def _kubernetes_stamp(directory: Path) -> str:
    # Unstamped, the server calls itself v0.0.0-master, and kubectl and some controllers refuse it.
    version = _required_version(directory, "k8s.io/kubernetes")
    major, minor, _ = version.split(".")
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())


CONTROL_PLANE = GoModule(
    name="controlplane",
    directory=MODULES / "controlplane",
    package=".",
    program="controlplane",
    linker_flags=_kubernetes_stamp(MODULES / "controlplane"),
)

NODE = GoModule(
    name="node",
    directory=MODULES / "node",
    package=".",
    program="node",
    linker_flags=_kubernetes_stamp(MODULES / "node"),
)

PAUSE = GoModule(
    name="pause",
    directory=MODULES / "pause",
    package=".",
    program="pause",
    linker_flags="",
    duration="seconds",
)

OPENTOFU = GoModule(
    name="opentofu",
    directory=MODULES / "opentofu",
    package="github.com/opentofu/opentofu/cmd/tofu",
    program="tofu",
    # As its releases are built; otherwise it calls itself a development version.
    linker_flags="-X github.com/opentofu/opentofu/version.dev=no",
)

CODER_PROVIDER_VERSION = _required_version(MODULES / "coder", "github.com/coder/terraform-provider-coder/v2")

CODER_PROVIDER = GoModule(
    name="coder",
    directory=MODULES / "coder",
    package="github.com/coder/terraform-provider-coder/v2",
    # The name by which Terraform knows a provider's program.
    program=f"terraform-provider-coder_v{CODER_PROVIDER_VERSION}",
    linker_flags="",
    duration="a minute or two",
)
