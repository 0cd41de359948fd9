"""Pools of the simulated controller: the product's reconciler over the simulated network. Its writes do what the product's do."""

from typing import TYPE_CHECKING

from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    FindPods,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from provisioner_operator.kube.pool_parsing import parse_pool, parse_pool_pod
from simulation.exchange import Exchange
from simulation.network import Call, Network, Result
from simulation.server import POD, POOL
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.controller import SimulatedController
    from simulation.invariants import Invariants

IMAGE = "registry.example/daemon:1"


class PoolHalf:
    """Reconciliation of pools; what its writes and reads return is observed by the controller's feed."""

    def __init__(self, controller: "SimulatedController", network: Network, invariants: "Invariants") -> None:
        self.mirror = PoolReconciler(controller.mirror, IMAGE)
        self._controller = controller
        self._network = network
        self._invariants = invariants
        self._exchange = Exchange(controller, network, invariants, self.mirror)

    def observe(self, body: Body) -> None:
        if body["kind"] == POOL:
            self.mirror.observe_pool(parse_pool(body), self._controller.now)
        elif (pod := parse_pool_pod(body)) is not None:
            self.mirror.observe_pod(pod, int(body["metadata"]["resourceVersion"]))

    def gone(self, kind: str, uid: str) -> None:
        if kind == POOL:
            self.mirror.pool_deleted(uid, self._controller.now)
        elif kind == POD:
            self.mirror.pod_deleted(uid)

    def decide(self) -> None:
        for decision in list(self.mirror.decide(self._controller.now)):
            self._invariants.decided_about_pool(decision)
            self._carry_out(decision)

    def _carry_out(self, decision: PoolDecision) -> None:
        server = self._network.server
        match decision:
            case FindPods(pool):
                self._find_pods(decision, pool.namespace)
            case CreatePod(pool, name):
                self._write(decision, lambda: server.create_pod(pool.uid, decision.body()), name)
            case CordonDaemon(_, _, daemon) | UncordonDaemon(_, _, daemon):
                self._write(decision, lambda: server.patch(daemon.uid, decision.patch().operations()), daemon.uid)
            case DeletePod(_, pod):
                self._write(decision, lambda: server.delete(pod.uid), pod.uid)
            case AddFinalizer(pool) | RemoveFinalizer(pool):
                self._write(decision, lambda: server.patch(pool.uid, decision.patch().operations()), pool.uid)
            case UpdatePoolStatus(pool):
                operations, writer = decision.patch().operations(), type(decision).__name__
                self._write(decision, lambda: server.patch_status(pool.uid, operations, writer), pool.uid)

    def _write(self, decision: PoolDecision, call: Call, key: str) -> None:
        """Send the write. Once it was carried out or refused, read the object with this uid, or the Pod of this name."""

        def written(result: Result, body: Body | None) -> None:
            if result is Result.DONE and body is not None:
                self._learn(decision, body)
                self._exchange.settle(decision)
            else:
                self._read(decision, key)

        self._exchange.write(decision, call, written)

    def _read(self, decision: PoolDecision, key: str) -> None:
        def read() -> Body | None:
            server = self._network.server
            named = (each for each in server.of_kind(POD) if each["metadata"]["name"] == key)
            return next(named, None) if isinstance(decision, CreatePod) else server.get(key)

        def observe(body: Body | None) -> None:
            if body is not None:
                self._learn(decision, body)
            elif isinstance(decision, DeletePod):
                self.mirror.pod_deleted(key)

        self._exchange.read(decision, read, observe)

    def _find_pods(self, decision: FindPods, namespace: str) -> None:
        known = self._controller.mirror.pod_uids().keys()
        listed: list[Body] = []

        def read() -> None:
            listed.extend(self._network.server.of_kind(POD))

        def observe(_: Body | None) -> None:
            for body in listed:
                self._controller.feed.observe(body)
            for uid in sorted(known - {body["metadata"]["uid"] for body in listed}):
                self._controller.feed.forget_pod(uid)
            self.mirror.pods_found(namespace)

        self._exchange.read(decision, read, observe)

    def _learn(self, decision: PoolDecision, body: Body) -> None:
        # A Pod is observed before it counts as created: a plan in between would find one too few.
        self._controller.feed.observe(body)
        if isinstance(decision, CreatePod):
            self.mirror.created(decision.pool.uid, decision.name)
        self.mirror.accepted(decision)
