"""Sizes of states that fit into the backend `kubernetes`, with OpenTofu and with Terraform, and the time they take.

`python -m bench.state_sizes` starts a control plane of its own, and applies templates whose states have 1, 4 and 20 MiB.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner_devcluster import ControlPlane
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_operator.core.states.lock import secret_suffix
from provisioner_operator.daemon.terraform.state import (
    BACKEND_SETTINGS_FILE,
    ClusterAccess,
    write_kubernetes_backend,
)
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
SIZES = (1, 4, 20)
RESOURCE_BYTES = 16 * 1024
"""Size of a resource's input, which the state has twice: as its output too."""
TEMPLATE = """
variable "parts" { type = list(string) }
resource "terraform_data" "part" {
  count = length(var.parts)
  input = var.parts[count.index]
}
"""


def attributes(source: random.Random) -> str:
    """Return text as resources of clouds have it: mostly the same words, with ids in between."""
    machine = {
        "arn": f"arn:aws:ec2:eu-west-1:111122223333:instance/i-{source.getrandbits(68):017x}",
        "availability_zone": "eu-west-1a",
        "private_ip": f"10.0.{source.randrange(256)}.{source.randrange(256)}",
        "tags": {"Name": f"workspace-{source.randrange(10_000)}", "Owner": "alice@example.com", "Team": "platform"},
        "vpc_security_group_ids": [f"sg-{source.getrandbits(68):017x}"],
    }
    return json.dumps(machine)


def keys(source: random.Random) -> str:
    """Return text as keys and certificates have it, in which nothing repeats."""
    return base64.b64encode(source.randbytes(3 * 64)).decode()


CONTENTS: dict[str, Callable[[random.Random], str]] = {"attributes": attributes, "keys": keys}


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one size."""

    state: int
    """Bytes of the state."""
    secrets: int
    """Number of Secrets that hold it."""
    stored: int
    """Bytes of their data."""
    apply: float
    """Seconds."""
    plan: float
    error: str


class Workspace:
    """A directory in which one program keeps one state."""

    def __init__(self, program: Path, directory: Path, parts: list[str]) -> None:
        self._program, self._directory = program, directory
        (directory / "main.tf").write_text(TEMPLATE, encoding="utf-8")
        (directory / "parts.auto.tfvars.json").write_text(json.dumps({"parts": parts}), encoding="utf-8")

    def run(self, *arguments: str) -> tuple[float, subprocess.CompletedProcess[str]]:
        """Run the program to its end, and return the seconds that it took."""
        began = time.perf_counter()
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._directory), "CHECKPOINT_DISABLE": "1"}
        command = [str(self._program), *arguments]
        done = subprocess.run(
            command, cwd=self._directory, env=environment, capture_output=True, text=True, check=False
        )
        return time.perf_counter() - began, done

    def state_bytes(self) -> int:
        """Return the size of the state, wherever it is."""
        left = self._directory / "errored.tfstate"
        return left.stat().st_size if left.exists() else len(self.run("state", "pull")[1].stdout)


def measure(program: Path, admin: Kubectl, name: str, parts: list[str]) -> Finding:
    """Apply the template, then plan again from its state."""
    namespace = admin.namespace or ""
    with tempfile.TemporaryDirectory(prefix="state-sizes-") as scratch:
        folder = Path(scratch)
        access = ClusterAccess(admin.kubeconfig)
        write_kubernetes_backend(folder, namespace=namespace, workspace=name, access=access)
        stored = Workspace(program, folder, parts)
        _require(stored.run("init", "-input=false", f"-backend-config={BACKEND_SETTINGS_FILE}"))
        apply_seconds, applied = stored.run("apply", "-auto-approve", "-no-color")
        plan_seconds = 0.0 if applied.returncode else _require(stored.run("plan", "-no-color"))
        sizes = [] if applied.returncode else secret_sizes(admin, name)
        error = "" if applied.returncode == 0 else _first_error(applied.stderr)
        return Finding(stored.state_bytes(), len(sizes), sum(sizes), apply_seconds, plan_seconds, error)


def secret_sizes(admin: Kubectl, workspace: str) -> list[int]:
    """Return the sizes of the Secrets that hold the workspace's state."""
    prefix = f"tfstate-default-{secret_suffix(workspace)}"
    found = [each for each in admin.list_all("secret") if each["metadata"]["name"].startswith(prefix)]
    return [sum(len(base64.b64decode(value)) for value in each.get("data", {}).values()) for each in found]


def _require(ended: tuple[float, subprocess.CompletedProcess[str]]) -> float:
    seconds, done = ended
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(done.args)} failed:\n{done.stdout}{done.stderr}")
    return seconds


def _first_error(output: str) -> str:
    return next((line.strip("│╷ ") for line in output.splitlines() if "Error" in line), output[:200])


def parts_of(content: Callable[[random.Random], str], mib: int) -> list[str]:
    """Return the inputs of a template whose state has about this size."""
    source = random.Random(mib)  # noqa: S311 - the same states in each run
    count = mib * MIB // (2 * RESOURCE_BYTES)

    def part() -> str:
        text = ""
        while len(text) < RESOURCE_BYTES:
            text += content(source)
        return text[:RESOURCE_BYTES]

    return [part() for _ in range(count)]


@click.command()
def main() -> None:
    """Measure states of several sizes in the backend `kubernetes`."""
    terraform = shutil.which("terraform")
    programs = {"tofu": build(OPENTOFU)} | ({} if terraform is None else {"terraform": Path(terraform)})
    head = ("program", "content", "state", "Secrets", "stored", "apply", "plan")
    click.echo("{:<10} {:<11} {:>10} {:>8} {:>10} {:>8} {:>8}".format(*head))
    with ControlPlane.start() as plane:
        admin = Kubectl(plane.kubeconfig, "default")
        for program, path in programs.items():
            for kind, content in CONTENTS.items():
                for mib in SIZES:
                    found = measure(path, admin, f"{program}-{kind}-{mib}", parts_of(content, mib))
                    click.echo(
                        f"{program:<10} {kind:<11} {found.state / MIB:>6.1f} MiB {found.secrets:>8} {found.stored / MIB:>6.2f} MiB "
                        f"{found.apply:>6.1f} s {found.plan:>6.1f} s  {found.error}"
                    )


if __name__ == "__main__":
    main()
