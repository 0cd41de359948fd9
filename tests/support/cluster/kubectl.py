"""The real kubectl, as users run it: each call is a process, and each answer its output.

Whole objects are read and written through `api`, without a process, as most tests need no more of kubectl than that.
"""

import functools
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from typing_extensions import override

from provisioner_devcluster import find_kubectl
from support.cluster.api import Api, Change, Reply
from support.manifests import Manifest

CALL_TIMEOUT = 300
"""Timeout in seconds; a call takes a tenth of one on a quiet machine, many times that beside a compiler."""


class KubectlError(AssertionError):
    """Unexpected failure of a call, or unexpected success where the test requires a rejection."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Result of one call of kubectl."""

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
    """kubectl as one user in one namespace."""

    kubeconfig: Path
    namespace: str | None = None
    """The default namespace; if None, each manifest must name its own."""

    def within(self, namespace: str) -> Self:
        """Return the same user in another namespace."""
        return replace(self, namespace=namespace)

    def attempt(self, *arguments: str, given: Manifest | str | None = None) -> Answer:
        """Run kubectl, which may fail; `given` is its standard input, for `-f -`."""
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
            # A call is over before its garbage matters; collecting it takes a fifth of the CPU of most calls.
            env={**os.environ, "GOGC": "off"},
        )
        return Answer(arguments, done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str, given: Manifest | str | None = None) -> Answer:
        """Run kubectl, which must succeed."""
        answer = self.attempt(*arguments, given=given)
        if not answer.ok:
            raise KubectlError(str(answer))
        return answer

    def refusal(self, *arguments: str, given: Manifest | str | None = None) -> str:
        """Run kubectl, which the API server must reject, and return the message."""
        answer = self.attempt(*arguments, given=given)
        if answer.ok:
            raise KubectlError(f"not refused: {answer}")
        return answer.stderr

    def json(self, *arguments: str, given: Manifest | str | None = None) -> Manifest:
        """Run kubectl with `-o json` and return the printed object or list."""
        document: Manifest = json.loads(self.run(*arguments, "--output=json", given=given).stdout)
        return document

    @property
    def api(self) -> Api:
        """The API server as the same user in the same namespace."""
        return Api(self.kubeconfig, self.namespace)

    def get(self, kind: str, name: str) -> Manifest:
        """Return the object."""
        return _required(self.api.get(kind, name))

    def list_all(self, kind: str, *, selector: str = "", fields: str = "") -> list[Manifest]:
        """Return all objects of the kind, or those whose labels and fields match."""
        items: list[Manifest] = _required(self.api.list_all(kind, selector=selector, fields=fields))["items"]
        return items

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create the object and return it as the API server stored it."""
        return _required(self.api.create(manifest, dry_run=dry_run))

    def create_all(self, manifests: Iterable[Manifest]) -> None:
        """Create the objects in this order."""
        for manifest in manifests:
            self.create(manifest)

    def apply(self, manifest: Manifest | str, *flags: str) -> Answer:
        """`kubectl apply` the object, or the YAML text."""
        return self.run("apply", "-f", "-", *flags, given=manifest)

    def patch(
        self, kind: str, name: str, change: Change, *, subresource: str | None = None, dry_run: bool = False
    ) -> Manifest:
        """Change the object by a merge patch, or by a JSON patch if given a list; return it as stored."""
        return _required(self.api.patch(kind, name, change, subresource=subresource, dry_run=dry_run))

    def post(self, kind: str, name: str, subresource: str, body: Manifest) -> Manifest:
        """Create the object's subresource and return the answer."""
        return _required(self.api.post(kind, name, subresource, body))

    def delete(self, kind: str, name: str) -> None:
        """Delete the object without waiting for its end."""
        _required(self.api.delete(kind, name))

    def wait(self, kind: str, name: str, condition: str, *, seconds: float = 150) -> None:
        """Wait until, for example, `condition=Ready` or `jsonpath={.status.phase}=Failed`."""
        self.run("wait", f"{kind}/{name}", f"--for={condition}", f"--timeout={seconds:.0f}s")


def _required(reply: Reply) -> Manifest:
    if not reply.ok:
        raise KubectlError(str(reply))
    return reply.body


def patch_arguments(change: Change) -> tuple[str, str]:
    """Return the flags of `kubectl patch` for a merge patch (an object) or a JSON patch (a list)."""
    kind = "merge" if isinstance(change, Mapping) else "json"
    return f"--type={kind}", f"--patch={json.dumps(change)}"


@functools.cache
def _program() -> Path:
    return find_kubectl()
