"""The real kubectl, as its users run it: each call is one process, each answer what it printed."""

import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from typing_extensions import override

from provisioner_devcluster import find_kubectl
from support.manifests import Manifest

CALL_TIMEOUT = 300
"""Seconds. A call takes a tenth of one; a machine busy with a build takes many times that."""


class KubectlError(AssertionError):
    """A call failed that the test counted on, or succeeded where the test counted on a refusal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call of kubectl gave."""

    arguments: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.exit_code == 0

    @override
    def __str__(self) -> str:
        return f"kubectl {' '.join(self.arguments)}: exit code {self.exit_code}\n{self.stdout}{self.stderr}"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl as one user, in one namespace."""

    kubeconfig: Path
    namespace: str | None = None
    """Where it works; without one, each object says for itself."""

    def within(self, namespace: str) -> Self:
        """The same user in another namespace."""
        return replace(self, namespace=namespace)

    def attempt(self, *arguments: str, given: Manifest | str | None = None) -> Answer:
        """Run kubectl, whatever comes of it; `given` is its standard input, for `-f -`."""
        done = subprocess.run(
            [
                str(_program()),
                f"--kubeconfig={self.kubeconfig}",
                f"--cache-dir={self.kubeconfig.parent / 'kubectl-cache'}",
                *([f"--namespace={self.namespace}"] if self.namespace else []),
                *arguments,
            ],
            check=False,
            capture_output=True,
            text=True,
            input=json.dumps(given) if isinstance(given, Mapping) else given or "",
            timeout=CALL_TIMEOUT,
        )
        return Answer(arguments, done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str, given: Manifest | str | None = None) -> Answer:
        """Run kubectl; a failure fails the test."""
        answer = self.attempt(*arguments, given=given)
        if not answer.ok:
            raise KubectlError(str(answer))
        return answer

    def refusal(self, *arguments: str, given: Manifest | str | None = None) -> str:
        """Run kubectl and return why the API server refused; a success fails the test."""
        answer = self.attempt(*arguments, given=given)
        if answer.ok:
            raise KubectlError(f"not refused: {answer}")
        return answer.stderr

    def json(self, *arguments: str, given: Manifest | str | None = None) -> Manifest:
        """Run kubectl with `-o json` and return the object or list that it prints."""
        document: Manifest = json.loads(self.run(*arguments, "--output=json", given=given).stdout)
        return document

    def get(self, kind: str, name: str) -> Manifest:
        """The object."""
        return self.json("get", kind, name)

    def create(self, manifest: Manifest, *flags: str) -> Manifest:
        """Create the object and return it as the API server stored it."""
        return self.json("create", "-f", "-", *flags, given=manifest)

    def apply(self, manifest: Manifest | str, *flags: str) -> Answer:
        """`kubectl apply` the object, or the YAML text."""
        return self.run("apply", "-f", "-", *flags, given=manifest)

    def patch(self, kind: str, name: str, change: Mapping[str, Any] | Sequence[Manifest], *flags: str) -> Manifest:
        """Change the object, by a merge patch or, given a list, by a JSON patch; return it as stored."""
        return self.json("patch", kind, name, *patch_arguments(change), *flags)

    def wait(self, kind: str, name: str, condition: str, *, seconds: float = 150) -> None:
        """Wait until, for example, `condition=Ready` or `jsonpath={.status.phase}=Failed`."""
        self.run("wait", f"{kind}/{name}", f"--for={condition}", f"--timeout={seconds:.0f}s")


def patch_arguments(change: Mapping[str, Any] | Sequence[Manifest]) -> tuple[str, str]:
    """The flags of `kubectl patch` for a merge patch (an object) or a JSON patch (a list)."""
    kind = "merge" if isinstance(change, Mapping) else "json"
    return f"--type={kind}", f"--patch={json.dumps(change)}"


@functools.cache
def _program() -> Path:
    return find_kubectl()
