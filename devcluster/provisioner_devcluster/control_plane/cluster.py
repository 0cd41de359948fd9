"""A control plane as one object: start it, use it, interrupt its API server on purpose, stop it.

Called by tests directly and by the supervisor behind `provisioner-devcluster up`. The process that starts it is its
launcher: every component holds the reading end of a pipe that only the launcher can write to, and exits when that closes.

All components listen on loopback (or the one requested address) with TLS, and accept only client certificates (the API
server also the bearer tokens that a test asks for); etcd has a
certificate authority of its own, so that a user of the cluster is not a user of its database. Data and keys are in a
directory that only its owner can read, and are removed with the cluster.
"""

from __future__ import annotations

import os
import shutil
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

# A start takes three to five seconds, much longer on a machine that compiles on every core.
START_TIMEOUT = 90.0

# Short compared with a start of three seconds.
POLL = 0.05

# A graceful stop waits for open watches; tests that need the port closed at once kill instead.
STOP_TIMEOUT = 10.0

# Ports are held, so a collision is rare; three in a row have another cause.
ATTEMPTS = 3
COLLISION = "address already in use"


class ControlPlane:
    """A running control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

    def __init__(
        self, directory: Path, binaries: Binaries, address: str, nodes: Nodes | None, tokens: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        """Directory of data, keys and logs; removed by `stop`."""
        self._binaries = binaries
        self._credentials = Credentials(directory, address, tokens)
        self._lifeline, self._held_end = os.pipe()
        self._ports = (HeldPort(LOOPBACK), HeldPort(address))
        self._processes: dict[Component, ComponentProcess] = {}
        self._ready = False
        etcd, server = (port.number for port in self._ports)
        self._layout = self._credentials.layout(address, etcd, server, nodes=nodes)
        administrator = self._credentials.administrator
        self.probe = Probe(address, self._layout.server_port, self._credentials.certificate, administrator)
        """Readiness checks of the API server, as the administrator."""
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
        tokens: Sequence[str] = (),
        timeout: float = START_TIMEOUT,
    ) -> Self:
        """Start a control plane and return it when it is ready; build its programs first if necessary.

        Args:
            data_dir: An empty or nonexistent directory for its data; by default a new one in the cache.
            address: The address of the API server; Pods and other machines reach it only if this is not loopback.
            nodes: Settings for nodes, if the cluster will have any; nodes need an address that is not loopback.
            tokens: Names of users who get a bearer token, for `token_of`.
            timeout: Seconds until it must be ready, without the build.
        """
        binaries = find_binaries()
        for attempt in range(1, ATTEMPTS + 1):
            directory = claim(data_dir)
            plane = None
            try:
                plane = cls(directory, binaries, address, nodes, tokens)
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
        """Return a kubeconfig with a client certificate for this user and these groups."""
        return self._credentials.user(self.server, user, groups)

    def token_of(self, user: str) -> str:
        """Return the bearer token of a user named in `start`, for clients without certificates. Raises KeyError."""
        return self._credentials.tokens[user]

    @property
    def authority(self) -> Path:
        """The certificate authority of the cluster."""
        return self._credentials.certificate

    @property
    def etcd(self) -> tuple[str, Path, KeyPair]:
        """The URL of etcd, its certificate authority, and the certificate of its only client, the API server."""
        return self._layout.etcd_url, self._layout.etcd_authority.certificate, self._layout.etcd

    def serving_certificate(self, name: str, addresses: Sequence[str]) -> KeyPair:
        """Issue a serving certificate for a server of this cluster, such as a kubelet."""
        return self._credentials.serving(name, addresses)

    def stop_api_server(self, *, kill: bool = False) -> None:
        """Stop the API server and leave the rest running; its port stays reserved."""
        process = self._processes[Component.API_SERVER]
        if kill:
            process.kill()
        else:
            process.stop(STOP_TIMEOUT)

    def start_api_server(self, *, wait: bool = True, timeout: float = START_TIMEOUT) -> None:
        """Start the API server again on its port, and by default wait until it serves."""
        self._run(Component.API_SERVER, components.api_server_arguments(self._layout))
        if wait:
            self._await(self.probe.serving, time.monotonic() + timeout)

    def back_up(self, backup: Path) -> None:
        """Copy the database into a new directory; the API server and etcd restart."""
        self._exchange_data(lambda data: shutil.copytree(data, backup))

    def restore(self, backup: Path) -> None:
        """Put a copy in place of the database; the API server and etcd restart."""

        def replace(data: Path) -> None:
            shutil.rmtree(data)
            shutil.copytree(backup, data)

        self._exchange_data(replace)

    def _exchange_data(self, exchange: Callable[[Path], object]) -> None:
        self.stop_api_server(kill=True)
        self._processes[Component.ETCD].stop(STOP_TIMEOUT)
        exchange(self._layout.data)
        self._run(Component.ETCD, components.etcd_arguments(self._layout))
        self.start_api_server()

    def identity(self, component: Component) -> Identity:
        """Return the identity of a component's process, for measurements."""
        return self._processes[component].identity

    def stop_scheduler(self) -> None:
        """Stop the scheduler and leave the rest running, so that new Pods stay Pending."""
        self._processes[Component.SCHEDULER].stop(STOP_TIMEOUT)

    def restart_controller_manager(self, *, requests_per_second: int, burst: int) -> None:
        """Restart the controller-manager with other rate limits for the requests of each of its controllers."""
        self._processes[Component.CONTROLLER_MANAGER].stop(STOP_TIMEOUT)
        kubeconfig = self._own_kubeconfig(Component.CONTROLLER_MANAGER)
        arguments = components.controller_manager_arguments(self._layout, kubeconfig, requests_per_second, burst)
        self._run(Component.CONTROLLER_MANAGER, arguments)

    def restart_api_server(self, *, kill: bool = True) -> None:
        """Stop the API server, by default with SIGKILL, and start it again on the same port."""
        self.stop_api_server(kill=kill)
        self.start_api_server()

    def stop(self) -> None:
        """Kill all components and remove all files; a second call does nothing."""
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
        # Both exit if the API server takes too long to start.
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
                    f"The control plane did not become ready in time; still missing: {lack}.\n{logs}\n"
                    "If the machine is busy, try again later, or allow more time.",
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
