"""Track the Pods that are daemons: the ProvisionerDaemon each needs, whether it may get work, and its certain end.

Part of the job reconciler, which reports Pods and daemons as they are observed. A Pod's state counts only where it is
certain: a Pod that is not ready, or is being deleted, gets no further job, but its runs count as over only when all its
containers are known to have ended. A Pod that merely disappeared, or whose node is unreachable, is judged by its
heartbeats.
"""

from collections.abc import Collection

from provisioner_operator.core.daemons.decisions import PodDecision, RegisterDaemon, RemoveDaemon, ReshapeDaemon
from provisioner_operator.core.model.records import Daemon, DaemonPod


class DaemonPods:
    """The Pods, and the daemons that they own or share a name with."""

    def __init__(self) -> None:
        self._pods: dict[str, DaemonPod] = {}
        self._pods_by_name: dict[tuple[str, str], dict[str, DaemonPod]] = {}
        """Pods by namespace and name, then by uid: a former Pod of the name may still be known."""
        self._by_name: dict[tuple[str, str], Daemon] = {}
        self._daemon_of: dict[str, str] = {}
        """Daemon uids by the uid of their Pod; kept as long as the daemon's liveness matters."""
        self._pods_of: dict[str, set[str]] = {}
        """Uids of the Pods that own each daemon, by the daemon's uid."""
        self._endings: dict[str, str] = {}
        """Descriptions of how the Pod of each daemon ended, by the daemon's uid."""

    def observe(self, pod: DaemonPod) -> bool:
        """Observe a Pod; return False if this or a later version of it is known."""
        known = self._pods.get(pod.uid)
        if known is not None and pod.resource_version <= known.resource_version:
            return False
        self._pods[pod.uid] = pod
        self._pods_by_name.setdefault((pod.namespace, pod.name), {})[pod.uid] = pod
        self._note_ending(pod)
        return True

    def deleted(self, uid: str, last: DaemonPod | None) -> DaemonPod | None:
        """Remove a Pod whose object is gone; `last` is its final state, if known. Return it as it was known."""
        if (pod := self._pods.pop(uid, None)) is not None:
            name = (pod.namespace, pod.name)
            del self._pods_by_name[name][uid]
            if not self._pods_by_name[name]:
                del self._pods_by_name[name]
        if last is not None:
            self._note_ending(last)
        return pod

    def daemon_observed(self, daemon: Daemon) -> None:
        """Observe a daemon."""
        self._by_name[daemon.namespace, daemon.name] = daemon
        self.owner_observed(daemon.uid, daemon.pod_uid)

    def owner_observed(self, daemon_uid: str, pod_uid: str | None) -> None:
        """Observe which Pod owns a daemon, also of one that cannot be parsed."""
        if pod_uid is not None:
            self._daemon_of[pod_uid] = daemon_uid
            self._pods_of.setdefault(daemon_uid, set()).add(pod_uid)
            if (pod := self._pods.get(pod_uid)) is not None:
                self._note_ending(pod)

    def daemon_deleted(self, daemon: Daemon) -> DaemonPod | None:
        """Remove a daemon whose object is gone; return the Pod of its name, which may need a new one."""
        if self._by_name.get((daemon.namespace, daemon.name), daemon).uid == daemon.uid:
            self._by_name.pop((daemon.namespace, daemon.name), None)
        return next(iter(self._pods_by_name.get((daemon.namespace, daemon.name), {}).values()), None)

    def daemon_forgotten(self, uid: str) -> None:
        """Drop a daemon that nothing depends on any more."""
        self._endings.pop(uid, None)
        for pod_uid in self._pods_of.pop(uid, ()):
            if self._daemon_of.get(pod_uid) == uid:
                del self._daemon_of[pod_uid]

    def daemon_of(self, pod_uid: str) -> str | None:
        """Return the uid of the daemon that the Pod owns, or owned."""
        return self._daemon_of.get(pod_uid)

    def daemon_named(self, namespace: str, name: str) -> Daemon | None:
        """Return the daemon of that name, whether a Pod owns it or not."""
        return self._by_name.get((namespace, name))

    def pods_of(self, daemon_uid: str) -> Collection[str]:
        """Return the uids of the Pods that own the daemon, or owned it."""
        return self._pods_of.get(daemon_uid, ())

    def pod_of(self, daemon: Daemon) -> DaemonPod | None:
        """Return the Pod that owns the daemon, while it exists."""
        return self._pods.get(daemon.pod_uid) if daemon.pod_uid is not None else None

    def ending_of(self, daemon_uid: str) -> str | None:
        """Return how the daemon's Pod ended; None unless it is certain that nothing of it runs or will run again."""
        return self._endings.get(daemon_uid)

    def admits_work(self, daemon: Daemon) -> bool:
        """Return whether the daemon's Pod, if it has one, is able to run a job."""
        if daemon.pod_uid is None:
            return True
        pod = self._pods.get(daemon.pod_uid)
        return pod is not None and pod.ready and not pod.deleting and pod.ended is None

    def knows(self, pod_uid: str) -> bool:
        """Return whether the Pod exists."""
        return pod_uid in self._pods

    def uids(self) -> dict[str, str]:
        """Return the namespaces of all Pods that exist, by uid."""
        return {uid: pod.namespace for uid, pod in self._pods.items()}

    def decide(self, pod_uid: str) -> PodDecision | None:
        """Return the decision that the Pod's daemon needs."""
        pod = self._pods[pod_uid]
        if pod.deleting or pod.ended is not None:
            return None
        daemon = self._by_name.get((pod.namespace, pod.name))
        if daemon is None:
            return RegisterDaemon(pod)
        if daemon.pod_uid == pod.uid:
            return ReshapeDaemon(pod, daemon) if daemon.offer != pod.offer else None
        # An admin's own daemon is never taken over. One of a former Pod of this name goes once that Pod is gone.
        is_left_behind = daemon.pod_uid is not None and daemon.pod_uid not in self._pods and not daemon.deleting
        return RemoveDaemon(pod, daemon) if is_left_behind else None

    def _note_ending(self, pod: DaemonPod) -> None:
        daemon_uid = self._daemon_of.get(pod.uid)
        if daemon_uid is not None and pod.ended is not None:
            self._endings[daemon_uid] = pod.ended
