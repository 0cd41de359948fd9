"""One control plane with the product installed, shared by all subjects; another version of the product has one of its own.

The scheduler is stopped, so that Pods of Jobs cost nothing after their creation. Each subject has a namespace of its own,
and the product's controllers serve only theirs, so a subject that is not measured is idle. So is the control plane of the other version, whose
definitions and policies cannot exist beside this one's.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench import hollow
from bench.client import BenchError, Client, Request, a_client
from bench.meters import cpu_seconds, used
from bench.peers.checkout import Checkout
from bench.peers.process import environment_with
from bench.plan import AGAINST, OURS
from provisioner_devcluster import ControlPlane
from provisioner_devcluster.control_plane.binaries import Component
from provisioner_operator.kube import paths
from support.builders.manifests import a_daemon_manifest, role_binding
from support.cluster.api_metrics import Request as Counted
from support.cluster.api_metrics import requests
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Iterator, Mapping

    from bench.plan import Plan
    from support.programs.programs import OperatorProgram

OPERATOR = "provisioner-operator"
DAEMON = "provisioner-daemon"
UNLIMITED = 100_000
STOCK_REQUESTS_PER_SECOND, STOCK_BURST = 20, 30
"""Default rate limits of kube-controller-manager for each of its controllers."""
LANE = "lane"
"""Tag that separates some jobs from the others."""

KEPT = {"bench": "kept"}
"""Label of jobs that `clear` keeps."""

_QUIET_SHARE = 0.1
_QUIET_SECONDS = 0.3
_QUIET_WITHIN = 90.0


@dataclass(frozen=True, slots=True)
class Arena:
    """Control plane for all subjects of one version of the product."""

    checkout: Checkout
    plane: ControlPlane
    admin: Kubectl
    client: Client
    """An administrator."""
    as_operator: Client
    """The user of the product's controller."""
    other: Arena | None = None
    """That of the version beside this one."""

    @property
    def versions(self) -> dict[str, Arena]:
        """The measured versions of the product, by name."""
        return {OURS: self} | ({} if self.other is None else {AGAINST: self.other})

    @property
    def pids(self) -> dict[str, int]:
        """The processes of the control plane."""
        components = (Component.API_SERVER, Component.ETCD, Component.CONTROLLER_MANAGER)
        return {str(each): self.plane.identity(each).pid for each in components}

    def namespace(self, name: str) -> None:
        """Create a namespace in which the product may work."""
        self.admin.run("create", "namespace", name)
        # Without kubectl, which would first read the schemas of all kinds, megabytes of them with peers.
        self.admin.create_all(role_binding(user, user, namespace=name) for user in (OPERATOR, DAEMON))

    @contextmanager
    def operator(self, namespace: str) -> Iterator[OperatorProgram]:
        """Run the product's controller for a namespace."""
        arguments = ("run", f"--kubeconfig={self.plane.kubeconfig_for(OPERATOR)}", f"--namespace={namespace}")
        endpoints = ("--http-host=127.0.0.1", "--http-port=0")
        program = self.checkout.controller([*arguments, *endpoints])
        try:
            yield program
            if not program.runs:
                raise BenchError(f"The operator exited unexpectedly:\n{program.tail()}")
        finally:
            program.end()
            program.remove_log()

    async def daemons(self, namespace: str, count: int, *, capacity: int, prefix: str = "daemon", **spec: Any) -> None:
        """Register daemons; hollow daemons report for all that exist when they start."""
        names = [f"{prefix}-{number:04d}" for number in range(count)]
        manifests = [a_daemon_manifest(name, capacity=capacity, **spec) for name in names]
        await self.client.send_all([Request.create(paths.daemons(namespace), each) for each in manifests])
        self.admin.create_all(_may_speak_for(namespace, prefix, names))

    @asynccontextmanager
    async def hollow(self, *namespaces: str) -> AsyncIterator[int]:
        """Run hollow daemons for all that are registered in these namespaces, and yield the pid of their process."""
        command = [sys.executable, "-m", hollow.__name__, f"--kubeconfig={self.plane.kubeconfig_for(DAEMON)}"]
        process = await asyncio.create_subprocess_exec(
            *command,
            *(f"--namespace={namespace}" for namespace in namespaces),
            stdout=subprocess.PIPE,
            cwd=self.checkout.repository,
            env=environment_with(self.checkout.path),
        )
        try:
            line = await process.stdout.readline() if process.stdout else b""
            if hollow.READY.encode() not in line:
                raise BenchError("The hollow daemons exited before they had reported.")
            yield process.pid
            if process.returncode is not None:
                raise BenchError("The hollow daemons exited unexpectedly.")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def quiet(self, pids: Mapping[str, int]) -> None:
        """Wait until these processes and the control plane are idle."""
        deadline = time.monotonic() + _QUIET_WITHIN
        everybody = self.pids | dict(pids)
        while True:
            before = cpu_seconds(everybody)
            await asyncio.sleep(_QUIET_SECONDS)
            busy = used(before, cpu_seconds(everybody))
            if all(seconds < _QUIET_SHARE * _QUIET_SECONDS for seconds in busy.values()):
                return
            if time.monotonic() > deadline:
                raise BenchError(f"The processes do not become idle; CPU seconds in {_QUIET_SECONDS} s: {busy}")

    async def clear(self, collection: str) -> None:
        """Delete all objects of a collection without the label KEPT, and wait until they are gone."""
        selector = ",".join(f"{key}!={value}" for key, value in KEPT.items())
        await self.client.delete_all(collection, selector)
        while True:
            if not await self.client.any_of(collection, selector):
                return
            await asyncio.sleep(0.05)

    async def requests(self) -> Counter[Counted]:
        """Return the API server's request counts so far."""
        return await asyncio.to_thread(requests, self.admin)


@asynccontextmanager
async def an_arena(plan: Plan) -> AsyncIterator[Arena]:
    """Start a control plane for each version of the product and install it there; remove all at the end."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(_installed(Checkout()))
        if plan.against is not None:
            ours = replace(ours, other=await stack.enter_async_context(_installed(Checkout(plan.against))))
        yield ours


@asynccontextmanager
async def _installed(checkout: Checkout) -> AsyncIterator[Arena]:
    with ControlPlane.start() as plane:
        checkout.install(plane.kubeconfig, plane.kubeconfig_for("prober"))
        plane.stop_scheduler()
        async with a_client(plane.kubeconfig) as client, a_client(plane.kubeconfig_for(OPERATOR)) as as_operator:
            yield Arena(checkout, plane, Kubectl(plane.kubeconfig), client, as_operator)


def _may_speak_for(namespace: str, prefix: str, daemons: list[str]) -> list[dict[str, Any]]:
    """Grant the right to act as each of these daemons by name, so that policies check each write as they check a Pod's."""
    role = f"hollow-{prefix}"
    kind = {"apiGroups": ["provisioner.dev"], "resources": ["provisionerdaemons"]}
    rules = [kind | {"verbs": ["list"]}, kind | {"verbs": ["impersonate"], "resourceNames": daemons}]
    meta = {"name": role, "namespace": namespace}
    version = "rbac.authorization.k8s.io/v1"
    binding = role_binding(DAEMON, role, namespace=namespace) | {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
    }
    return [{"apiVersion": version, "kind": "Role", "metadata": meta, "rules": rules}, binding]
