"""The compared subjects side by side: their controllers, namespaces, daemons and processes."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.arena import KEPT, LANE, UNLIMITED
from bench.behavior import Behavior
from bench.client import Request
from bench.peers import known
from bench.peers import plug as plugs
from bench.peers.peer import Peer, running
from bench.stopwatch import Sign, watching
from bench.subjects import RUNNING, Subject, batch_jobs, provisioner_jobs
from provisioner_devcluster.control_plane.binaries import Component
from provisioner_operator.kube import paths

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bench.arena import Arena
    from bench.plan import Plan

JOBS_NAMESPACE = "jobs"
GATE = {LANE: "gate"}
"""Tags of the daemons whose capacity opens and closes, and of the jobs that wait for them."""
GATES = 3
DAEMONS = 20
CAPACITY = 200


@dataclass(frozen=True, slots=True)
class Product:
    """One version of the product."""

    name: str
    arena: Arena
    namespace: str
    pids: dict[str, int]

    def jobs(self, behavior: Behavior) -> Subject:
        """Return its jobs, with daemons of this behavior."""
        return provisioner_jobs(self.namespace, behavior, name=self.name, pids=self.pids)

    @property
    def gated(self) -> Subject:
        """Jobs that wait until the gates open, and are never acknowledged."""
        return provisioner_jobs(self.namespace, Behavior.IGNORE, name=self.name, tags=GATE, pids=self.pids)

    async def fill_the_gates(self) -> None:
        """Occupy each daemon of the gates with the one job that it accepts while it is closed."""
        holders = provisioner_jobs(self.namespace, Behavior.HOLD, tags=GATE, labels=KEPT)
        names = [f"holder-{number}" for number in range(GATES)]
        running = Sign(holders.collection, RUNNING)
        async with watching(self.arena.client, running) as stopwatch:
            await self.arena.client.send_all([holders.submission(name) for name in names])
            await stopwatch.until(running, names)

    async def set_gates(self, capacity: int) -> None:
        """Set the capacity of each daemon of the gates."""
        path = paths.daemons(self.namespace)
        changes = [
            Request.merge(f"{path}/gate-{number:04d}", {"spec": {"capacity": capacity}}) for number in range(GATES)
        ]
        await self.arena.client.send_all(changes)


@dataclass(frozen=True, slots=True)
class Contest:
    """All subjects, each with the control plane that it works on."""

    arena: Arena
    """That of all but another version of the product."""
    products: tuple[Product, ...]
    others: tuple[Subject, ...]
    peers: tuple[Subject, ...] = ()
    """Those of the others whose jobs are deleted after each round, as the product's are."""

    def holding(self) -> Iterator[tuple[Arena, Subject]]:
        """Yield all subjects, with jobs of the product that run until they are canceled."""
        return self._with(Behavior.HOLD)

    def accepting(self) -> Iterator[tuple[Arena, Subject]]:
        """Yield all subjects, with jobs of the product that are assigned and never acknowledged."""
        return self._with(Behavior.IGNORE)

    async def clear(self) -> None:
        """Delete the jobs of the last round."""
        for product in self.products:
            await product.arena.clear(paths.jobs(product.namespace))
        for peer in self.peers:
            await self.arena.clear(peer.collection)

    def _with(self, behavior: Behavior) -> Iterator[tuple[Arena, Subject]]:
        for product in self.products:
            yield product.arena, product.jobs(behavior)
        for other in self.others:
            yield self.arena, other


@asynccontextmanager
async def a_contest(arena: Arena, plan: Plan) -> AsyncIterator[Contest]:
    """Start the controllers of all subjects."""
    arena.plane.restart_controller_manager(requests_per_second=UNLIMITED, burst=UNLIMITED)
    arena.admin.run("create", "namespace", JOBS_NAMESPACE)
    async with AsyncExitStack() as stack:
        products = [await _a_product(name, each, stack) for name, each in arena.versions.items()]
        manager = str(Component.CONTROLLER_MANAGER)
        others = [batch_jobs(JOBS_NAMESPACE, {manager: arena.pids[manager]})]
        if plan.plug is not None:
            plug = plugs.read(plan.plug)
            arena.admin.run("create", "namespace", plugs.NAMESPACE)
            pid = stack.enter_context(plugs.running(plug, arena.admin))
            others.append(await plugs.subject(plug, arena.client, pid))
        peers = [await _a_peer(known.PEERS[name], arena, stack) for name in plan.peers]
        yield Contest(arena, tuple(products), (*others, *peers), tuple(peers))


async def _a_product(name: str, arena: Arena, stack: AsyncExitStack) -> Product:
    """Start a version of the product, with its daemons."""
    arena.namespace(name)
    await arena.daemons(name, DAEMONS, capacity=CAPACITY)
    await arena.daemons(name, GATES, capacity=1, prefix="gate", tags=GATE)
    hollow = await stack.enter_async_context(arena.hollow(name))
    program = stack.enter_context(arena.operator(name))
    program.await_record(key="port")
    product = Product(name, arena, name, {f"operator ({name})": program.pid, "hollow daemons": hollow})
    await product.fill_the_gates()
    return product


async def _a_peer(peer: Peer, arena: Arena, stack: AsyncExitStack) -> Subject:
    """Start a peer and wait until it accepts a job, which it does only when its caches are filled."""
    subject = peer.subject(stack.enter_context(running(peer, arena.admin)))
    async with watching(arena.client, subject.accepted) as stopwatch:
        await arena.client.send(subject.submission("first"))
        await stopwatch.until(subject.accepted, ["first"])
    await arena.clear(subject.collection)
    return subject
