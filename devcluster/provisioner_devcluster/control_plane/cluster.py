"""A control plane as one object: start it, use it, break its API server on purpose, stop it.

Called by tests directly and by the supervisor behind `provisioner-devcluster up`. Whoever starts it is its launcher:
every component holds the reading end of a pipe that only the launcher can write to, and ends when that pipe does.

Everything listens on loopback (or the one address asked for) with TLS and takes client certificates alone; etcd has an
authority of its own, so that a user of the cluster is no user of its database. Data and keys lie in a directory that
only its owner can enter, and go with the cluster.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

from provisioner_devcluster.clusters import claim, remove
from provisioner_devcluster.control_plane import components
from provisioner_devcluster.control_plane.binaries import Binaries, Component, find_binaries
from provisioner_devcluster.control_plane.files import Credentials
from provisioner_devcluster.control_plane.ports import HeldPort
from provisioner_devcluster.control_plane.readiness import Probe
from provisioner_devcluster.errors import DevClusterError, tail
from provisioner_devcluster.process.process import ComponentProcess, Identity, kill_together
from provisioner_devcluster.process.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from provisioner_devcluster.control_plane.certificates import KeyPair
    from provisioner_devcluster.control_plane.components import Nodes

LOOPBACK = "127.0.0.1"

# A start takes three to five seconds; a machine that compiles on every core at the same time takes many times that.
START_TIMEOUT = 90.0

# Often enough not to be noticed in a start of three seconds.
POLL = 0.05

# A polite stop waits for open watches; tests that want the port to go at once kill instead.
STOP_TIMEOUT = 10.0

# Ports are held, so a collision takes a stranger who shares ports as the same user; three in a row are something else.
ATTEMPTS = 3
COLLISION = "address already in use"


class ControlPlane:
    """A running control plane of etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

    def __init__(self, directory: Path, binaries: Binaries, address: str, nodes: Nodes | None) -> None:
        self.directory = directory
        """Data, keys and logs; gone after `stop`."""
        self._binaries = binaries
        self._credentials = Credentials(directory, address)
        self._lifeline, self._held_end = os.pipe()
        self._ports = (HeldPort(LOOPBACK), HeldPort(address))
        self._processes: dict[Component, ComponentProcess] = {}
        self._ready = False
        etcd, server = (port.number for port in self._ports)
        self._layout = self._credentials.layout(address, etcd, server, nodes=nodes)
        administrator = self._credentials.administrator
        self.probe = Probe(address, self._layout.server_port, self._credentials.certificate, administrator)
        """Questions to its API server, as its administrator."""
        self.server = self._layout.server
        """The API server's URL."""
        self.kubeconfig: Path = self._credentials.kubeconfig("admin", self.server, administrator)
        """The administrator's kubeconfig."""

    @classmethod
    def start(
        cls,
        data_dir: Path | None = None,
        *,
        address: str = LOOPBACK,
        nodes: Nodes | None = None,
        timeout: float = START_TIMEOUT,
    ) -> Self:
        """Start a control plane and return it when it is ready; builds it first if that was never done.

        Args:
            data_dir: Where its data goes, a directory that does not exist or is empty; by default a new one in the cache.
            address: Where the API server listens; anything but loopback lets other machines and Pods reach it.
            nodes: What it has to know of nodes, if it will have any; they need an address that is not loopback.
            timeout: How many seconds it may take to become ready, the build not counted.
        """
        binaries = find_binaries()
        for attempt in range(1, ATTEMPTS + 1):
            directory = claim(data_dir)
            plane = None
            try:
                plane = cls(directory, binaries, address, nodes)
                plane._start(timeout)
            except BaseException as error:
                collided = plane is not None and plane._collided()
                if plane is not None:
                    plane.stop()
                remove(directory)
                if not (isinstance(error, DevClusterError) and collided and attempt < ATTEMPTS):
                    raise
            else:
                return plane
        raise AssertionError("the last attempt returns or raises")

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig with a client certificate by which the API server knows this user and these groups."""
        return self._credentials.user(self.server, user, groups)

    @property
    def authority(self) -> Path:
        """The certificate by which everybody in the cluster is known."""
        return self._credentials.certificate

    @property
    def etcd(self) -> tuple[str, Path, KeyPair]:
        """The URL of etcd, its authority's certificate, and the certificate of its only client: whoever holds that is the API server to it."""
        return self._layout.etcd_url, self._layout.etcd_authority.certificate, self._layout.etcd

    def serving_certificate(self, name: str, addresses: Sequence[str]) -> KeyPair:
        """Issue a certificate to a server of this cluster, such as a kubelet."""
        return self._credentials.serving(name, addresses)

    def stop_api_server(self, *, kill: bool = False) -> None:
        """End the API server and leave the rest running; its port stays its own."""
        process = self._processes[Component.API_SERVER]
        if kill:
            process.kill()
        else:
            process.stop(STOP_TIMEOUT)

    def start_api_server(self, *, wait: bool = True, timeout: float = START_TIMEOUT) -> None:
        """Start the API server again on its port, and return when it serves unless told not to wait."""
        self._run(Component.API_SERVER, components.api_server_arguments(self._layout))
        if wait:
            self._await(self.probe.serving, time.monotonic() + timeout)

    def identity(self, component: Component) -> Identity:
        """Return the process of a component, for whoever measures it."""
        return self._processes[component].identity

    def stop_scheduler(self) -> None:
        """End the scheduler and leave the rest running: from then on Pods stay Pending."""
        self._processes[Component.SCHEDULER].stop(STOP_TIMEOUT)

    def restart_controller_manager(self, *, requests_per_second: int, burst: int) -> None:
        """End the controller-manager and start it again with other limits on the requests of each of its controllers."""
        self._processes[Component.CONTROLLER_MANAGER].stop(STOP_TIMEOUT)
        kubeconfig = self._own_kubeconfig(Component.CONTROLLER_MANAGER)
        arguments = components.controller_manager_arguments(self._layout, kubeconfig, requests_per_second, burst)
        self._run(Component.CONTROLLER_MANAGER, arguments)

    def restart_api_server(self, *, kill: bool = True) -> None:
        """End the API server, by SIGKILL unless told otherwise, and start it again on the same port."""
        self.stop_api_server(kill=kill)
        self.start_api_server()

    def stop(self) -> None:
        """End every component at once and remove every file; harmless when done twice."""
        kill_together(list(self._processes.values()))
        self._processes.clear()
        for descriptor in (self._lifeline, self._held_end):
            if descriptor >= 0:
                os.close(descriptor)
        self._lifeline = self._held_end = -1
        for port in self._ports:
            port.close()
        remove(self.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        self._run(Component.ETCD, components.etcd_arguments(self._layout))
        self._run(Component.API_SERVER, components.api_server_arguments(self._layout))
        # Both controllers give up on a server that takes its time to come up.
        self._await(self.probe.serving, deadline)
        manager = self._own_kubeconfig(Component.CONTROLLER_MANAGER)
        self._run(Component.CONTROLLER_MANAGER, components.controller_manager_arguments(self._layout, manager))
        scheduler = self._own_kubeconfig(Component.SCHEDULER)
        self._run(Component.SCHEDULER, components.scheduler_arguments(scheduler))
        self._await(self.probe.ready, deadline)
        self._ready = True
        self._record()

    def _own_kubeconfig(self, component: Component) -> Path:
        return self._credentials.user(self.server, f"system:{component}", ())

    def _run(self, component: Component, arguments: Sequence[str]) -> None:
        self._processes[component] = ComponentProcess(
            component,
            [*self._binaries.commands[component], *arguments],
            log=self.directory / f"{component}.log",
            lifeline_end=self._lifeline,
            knows_lifeline=self._binaries.knows_lifeline,
        )
        self._record()

    def _await(self, missing: Callable[[], str | None], deadline: float) -> None:
        while (lack := missing()) is not None:
            for process in self._processes.values():
                process.check()
            if time.monotonic() > deadline:
                logs = "\n".join(f"{process.log}:\n{tail(process.log)}" for process in self._processes.values())
                raise DevClusterError(
                    f"The control plane is not ready in time; still missing: {lack}.\n{logs}\n"
                    "If the machine is busy, try again when it is less so, or allow more time.",
                )
            time.sleep(POLL)

    def _collided(self) -> bool:
        return any(
            process.exit_code is not None and process.log_says(COLLISION) for process in self._processes.values()
        )

    def _record(self) -> None:
        Record(
            owner=Identity.of(os.getpid()),
            ready=self._ready,
            server=self.server,
            kubeconfig=str(self.kubeconfig),
            source=self._binaries.source,
            components={str(name): process.identity for name, process in self._processes.items()},
        ).write(self.directory)
