"""Go programs that this package can build, and the key by which a build is recognized as current.

Called by the build and by the Go lookup. The modules themselves are in `modules/`, and part of the wheel.
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

# Long enough to avoid collisions among a few builds, short enough for a directory name.
KEY_LENGTH = 12


@dataclass(frozen=True, slots=True)
class GoModule:
    """A Go module in this package, and the settings to build one program from it."""

    name: str
    """Name of the program in messages; also of the directory for its builds."""
    directory: Path
    """Directory of go.mod and go.sum."""
    package: str
    """The main package, as an argument of `go build`."""
    program: str
    """The name of the executable."""
    linker_flags: str
    """Linker flags that set variables of the program."""
    duration: str = "several minutes"
    """Duration of a first build, for messages."""

    @property
    def go_version(self) -> tuple[int, ...]:
        """Minimum version of Go, from go.mod."""
        match = re.search(r"^go (\d+(?:\.\d+)*)$", self._mod, re.MULTILINE)
        if match is None:
            raise AssertionError(f"{self.directory}/go.mod declares no Go version")
        return tuple(int(part) for part in match[1].split("."))

    @property
    def key(self) -> str:
        """Digest of all inputs of the build: the files, the flags and the platform."""
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
    # Without it the server's version is v0.0.0-master, which kubectl and some controllers reject.
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

ARGOCD = GoModule(
    name="argocd",
    directory=MODULES / "argocd",
    package=".",
    program="argocd",
    linker_flags="",
)

FLUX = GoModule(
    name="flux",
    directory=MODULES / "flux",
    package=".",
    program="flux",
    linker_flags="",
    duration="a minute or two",
)


def _helm(major: int) -> GoModule:
    directory, root = MODULES / f"helm{major}", f"helm.sh/helm/v{major}"
    stamps = {f"{root}/internal/version.version": f"v{_required_version(directory, root)}"}
    if major == 3:  # noqa: PLR2004 - Helm's version; without these stamps it renders for Kubernetes 1.20, as `helm template` and `lint`
        _, minor, _ = _required_version(directory, "k8s.io/client-go").split(".")
        for package in ("pkg/chartutil", "pkg/lint/rules"):
            stamps |= {f"{root}/{package}.k8sVersionMajor": "1", f"{root}/{package}.k8sVersionMinor": minor}
    return GoModule(
        name=f"helm{major}",
        directory=directory,
        package=f"{root}/cmd/helm",
        program="helm",
        linker_flags=" ".join(f"-X {name}={value}" for name, value in stamps.items()),
    )


HELM_3, HELM_4 = _helm(3), _helm(4)

OPENTOFU = GoModule(
    name="opentofu",
    directory=MODULES / "opentofu",
    package="github.com/opentofu/opentofu/cmd/tofu",
    program="tofu",
    # Official releases are built with this flag; without it the program reports a development version.
    linker_flags="-X github.com/opentofu/opentofu/version.dev=no",
)

CODER_PROVIDER_VERSION = _required_version(MODULES / "coder", "github.com/coder/terraform-provider-coder/v2")

CODER_PROVIDER = GoModule(
    name="coder",
    directory=MODULES / "coder",
    package="github.com/coder/terraform-provider-coder/v2",
    # Terraform recognizes a provider by the name of its executable.
    program=f"terraform-provider-coder_v{CODER_PROVIDER_VERSION}",
    linker_flags="",
    duration="a minute or two",
)

ACTIONLINT = GoModule(
    name="actionlint",
    directory=MODULES / "actionlint",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    program="actionlint",
    linker_flags="",
    duration="seconds",
)
