"""Daemon Pods, and everything that acts on them except the controller: users, kubelet, nodes and the garbage collector.

A Pod's process starts once the controller has registered its daemon. When the process has ended, kubelet reports it,
unless its node is lost; then another Pod takes its place, sometimes under the same name.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.model.records import Daemon
from simulation.server import DAEMON, EPOCH, POD
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.world import World

KUBELET_LOOKS_EVERY = 2.0


class Pods:
    """Pods of one simulation."""

    def __init__(self, world: "World", tag_sets: tuple[dict[str, str], ...]) -> None:
        self._world = world
        self._random = world.random
        self._tag_sets = tag_sets
        self._created = 0
        self._started: set[str] = set()
        self._silent_nodes: set[str] = set()
        self._restores = 0
        world.server.listeners[DAEMON].append(self._daemon_changed)
        world.server.listeners[POD].append(self._pod_changed)

    def create(self, name: str | None = None) -> None:
        """Create a Pod, as a user or an owner of Pods would."""
        self._created += 1
        uid = f"pod-uid-{self._created}"
        annotations = {
            f"tags.provisioner.dev/{key}": value for key, value in self._random.choice(self._tag_sets).items()
        }
        annotations |= {
            "provisioner.dev/provisioners": "echo",
            "provisioner.dev/capacity": str(self._random.randint(1, 2)),
            "provisioner.dev/lost-after-seconds": str(self._world.plan.lost_after),
            "provisioner.dev/cancel-grace-seconds": "20",
        }
        self._world.server.create(POD, uid, name or f"pod-{self._created}", {}, annotations=annotations)
        self._world.schedule.after(self._random.uniform(0.5, 10), self._kubelet, uid, self._restores)

    def is_pods(self, name: str) -> bool:
        """Return whether the daemon of this name belongs to a Pod."""
        return name.startswith(("pod-", "pool-"))

    def admits_work(self, daemon: Daemon) -> bool:
        """Return whether the daemon's Pod, if it has one, exists and is ready."""
        if daemon.pod_uid is None:
            return True
        pod = self._world.server.objects.get(daemon.pod_uid)
        return pod is not None and pod["status"].get("phase") == "Running"

    def has_ended(self, daemon: Daemon | None) -> bool:
        """Return whether the daemon's Pod exists and kubelet has reported its end."""
        pod = self._world.server.objects.get(daemon.pod_uid or "") if daemon is not None else None
        return pod is not None and pod["status"].get("phase") == "Failed"

    def lose_a_node(self) -> None:
        """Force-delete a Pod's object, while its process runs without contact until it has fenced itself."""
        running = [body for body in self._world.server.of_kind(POD) if body["metadata"]["uid"] in self._started]
        if not running:
            return
        meta = self._random.choice(running)["metadata"]
        process = self._world.daemons.get(meta["name"])
        if process is None or not process.alive:
            return
        self._world.invariants.note(f"the node of {meta['name']} is lost")
        self._silent_nodes.add(meta["uid"])
        process.connected = False
        process.outlawed = True
        self._world.server.delete(meta["uid"])
        self._world.schedule.after(self._world.plan.lost_after * self._random.uniform(1.0, 1.5), process.die)
        if not meta.get("ownerReferences"):
            self._replace_later(meta["name"])

    def restore(self, before: Mapping[str, Body]) -> None:
        """Act on Pods that a restore of etcd took away or brought back; `before` are the objects until then."""
        self._restores += 1
        present = self._world.server.objects
        for uid, body in before.items():
            if body["kind"] == POD and uid not in present:
                self._stop(body)
        for body in self._world.server.of_kind(POD):
            uid = body["metadata"]["uid"]
            self._world.schedule.after(self._random.uniform(0.5, 10), self._kubelet, uid, self._restores)
        for body in self._world.server.of_kind(DAEMON):
            owner = _owner(body)
            if owner is not None:
                what = self._start if owner in present else self._collect
                self._world.schedule.after(self._random.uniform(0.1, 2), what, owner, body["metadata"]["name"])

    def _kubelet(self, uid: str, restores: int) -> None:
        """Act on the Pod as kubelet does, repeatedly, until etcd is restored once more."""
        pod = self._world.server.objects.get(uid)
        if pod is None or restores != self._restores:
            return
        name = pod["metadata"]["name"]
        process = self._world.daemons.get(name)
        if uid not in self._started or process is None or process.alive:
            if pod["status"].get("phase") != "Running":
                self._world.server.merge_status(uid, _running())
            self._world.schedule.after(KUBELET_LOOKS_EVERY * self._random.uniform(0.5, 2), self._kubelet, uid, restores)
            return
        self._world.server.merge_status(uid, _ended(self._world.schedule.now))
        if _owner(pod) is not None:
            return  # its pool deletes and replaces it
        self._world.schedule.after(self._random.uniform(0, 60), self._delete, uid)
        self._replace_later(name)

    def _delete(self, uid: str) -> None:
        if uid in self._world.server.objects:
            self._world.server.delete(uid)

    def _replace_later(self, name: str) -> None:
        same_name = self._random.random() < 0.5

        def replace() -> None:
            taken = any(body["metadata"]["name"] == name for body in self._world.server.of_kind(POD))
            process = self._world.daemons.get(name)
            if same_name and (taken or (process is not None and process.alive)):
                self._world.schedule.after(10, replace)
            else:
                self.create(name if same_name else None)

        self._world.schedule.after(self._random.uniform(1, 30), replace)

    def _daemon_changed(self, old: Body | None, new: Body | None) -> None:
        """Start the process of a Pod whose daemon was registered."""
        if old is not None or new is None:
            return
        owner = _owner(new)
        if owner is not None and owner in self._world.server.objects:
            self._world.schedule.after(self._random.uniform(0.1, 2), self._start, owner, new["metadata"]["name"])

    def _start(self, uid: str, name: str) -> None:
        body = self._world.daemon_object(name)
        if uid in self._world.server.objects and uid not in self._started and body is not None and _owner(body) == uid:
            self._started.add(uid)
            self._world.start_daemon(name)

    def _pod_changed(self, old: Body | None, new: Body | None) -> None:
        """Start the Pod of a pool; stop a deleted one, and collect what it owns, as the garbage collector does."""
        if old is None and new is not None and _owner(new) is not None:
            self._world.schedule.after(
                self._random.uniform(0.5, 10), self._kubelet, new["metadata"]["uid"], self._restores
            )
        if old is not None and new is None:
            self._stop(old)
            self._world.schedule.after(self._random.uniform(0.1, 20), self._collect, old["metadata"]["uid"])

    def _stop(self, pod: Body) -> None:
        """End the process of a Pod whose object goes: kubelet removes it only after the containers."""
        meta = pod["metadata"]
        process = self._world.daemons.get(meta["name"])
        if process is not None and meta["uid"] in self._started - self._silent_nodes:
            process.die()

    def _collect(self, uid: str, _name: str = "") -> None:
        for body in self._world.server.of_kind(DAEMON):
            if _owner(body) == uid:
                self._world.server.delete(body["metadata"]["uid"])


def _owner(body: Body) -> str | None:
    owners = body["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners), None)


def _running() -> Body:
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"state": {"running": {}}}],
    }


def _ended(now: float) -> Body:
    terminated = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": timestamp(EPOCH + now)}
    return {
        "phase": "Failed",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"state": {"terminated": terminated}}],
    }
