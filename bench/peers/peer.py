"""A peer: what is built, installed and run, and the signs of an accepted or canceled job.

A peer runs as in its own installation, except that it has no webhooks (the API server would wait for each), no conversion
between versions of its kinds (which needs a webhook), and no limit to its requests.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bench.client import BenchError
from bench.peers import process
from bench.subjects import Subject
from provisioner_devcluster.build.go_build import BUILD_ENVIRONMENT, build
from provisioner_devcluster.build.go_modules import GoModule
from provisioner_devcluster.build.go_toolchain import find_go

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.stopwatch import Sign
    from support.cluster.kubectl import Kubectl

MODULES = Path(__file__).parent / "modules"
DEFINITION = "CustomResourceDefinition"
_LOOKUP_SECONDS = 600
_ESTABLISHED_SECONDS = 300
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One other controller."""

    name: str
    """Name of the subject in the table."""
    namespace: str
    """Namespace of its jobs."""
    module: GoModule
    source: str
    """Path of the Go module that has its packages and manifests."""
    manifests: tuple[str, ...]
    """Patterns of the files in the source that are applied before it starts: definitions first."""
    objects: tuple[Mapping[str, Any], ...] = ()
    """Further objects, in the same order."""
    arguments: tuple[str, ...]
    """Arguments of the program; `{kubeconfig}` is an administrator's, `{source}` the directory of the source."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the program; `{port}` is a free one on this machine."""
    collection: str
    """Path of its jobs."""
    job: Mapping[str, Any]
    """A job; `{name}` is replaced by its name."""
    accepted: Sign
    cancel: Mapping[str, Any]
    """Merge patch that cancels a job."""
    canceled: Sign

    def subject(self, pid: int) -> Subject:
        """Return the peer as a subject whose controller is this process."""
        return Subject(
            name=self.name,
            collection=self.collection,
            template=self.job,
            accepted=self.accepted,
            cancel=self.cancel,
            canceled=self.canceled,
            pids={self.name: pid},
        )


def peer_module(name: str, package: str) -> GoModule:
    """Return the Go module in `modules/`, from which a peer's program is built."""
    return GoModule(
        name=name,
        directory=MODULES / name,
        package=package,
        program=name,
        linker_flags="",
    )


@contextmanager
def running(peer: Peer, admin: Kubectl) -> Iterator[int]:
    """Build, install and run a peer, and yield its pid."""
    program = build(peer.module)
    source = source_directory(peer)
    install(peer, source, admin)
    arguments = [part.format(kubeconfig=admin.kubeconfig, source=source) for part in peer.arguments]
    environment = {name: value.format(port=_free_port()) for name, value in peer.environment.items()}
    with process.running(peer.name, [str(program), *arguments], environment) as pid:
        yield pid


def install(peer: Peer, source: Path, admin: Kubectl) -> None:
    """Apply its definitions, its configuration and its further objects."""
    admin.run("create", "namespace", peer.namespace)
    for manifest in (*read(peer, source), *peer.objects):
        # Client-side apply would write definitions of a megabyte into an annotation, which holds 256 KiB.
        # The API server validates it; kubectl would read the schemas of all kinds first.
        admin.apply(json.dumps(manifest), "--server-side", "--force-conflicts", "--validate=false")
        if manifest["kind"] == DEFINITION:
            _await_definition(manifest["metadata"]["name"], admin)


def _await_definition(name: str, admin: Kubectl) -> None:
    # kubectl refuses to wait for a condition before the first condition has been written.
    deadline = time.monotonic() + _ESTABLISHED_SECONDS
    while not _is_established(admin.get("crd", name)):
        if time.monotonic() > deadline:
            raise BenchError(f"The API server does not serve {name}.")
        time.sleep(_POLL_SECONDS)


def _is_established(definition: Mapping[str, Any]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def read(peer: Peer, source: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of its manifests. Raises BenchError if a pattern has no file."""
    for pattern in peer.manifests:
        files = sorted(source.glob(pattern))
        if not files:
            raise BenchError(f"{peer.source} has no {pattern}: the version in {peer.module.directory}/go.mod differs.")
        for file in files:
            yield from map(without_conversion, _documents(file.read_text(encoding="utf-8")))


def without_conversion(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a definition without its webhook between versions; any other object as it is."""
    if manifest["kind"] != DEFINITION:
        return manifest
    spec = {key: value for key, value in manifest["spec"].items() if key != "conversion"}
    return {**manifest, "spec": spec}


def source_directory(peer: Peer) -> Path:
    """Return the directory of a peer's source in Go's module cache, where the build has put it."""
    command = [str(find_go(peer.module.go_version)), "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", peer.source]
    done = subprocess.run(
        command,
        cwd=peer.module.directory,
        env=process.environment_with(BUILD_ENVIRONMENT),
        check=False,
        capture_output=True,
        text=True,
        timeout=_LOOKUP_SECONDS,
    )
    directory = done.stdout.strip()
    if done.returncode or not directory:
        raise BenchError(
            f"Go does not find the source of {peer.source}: {done.stderr.strip() or 'it is not downloaded'}"
        )
    return Path(directory)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _documents(text: str) -> Iterable[Mapping[str, Any]]:
    return (document for document in yaml.safe_load_all(text) if document)
