"""One control plane for all processes of a test run: `python -m support.cluster.keeper SOCKET LOG`.

Every test process holds a connection to the socket. When the last one closes, for whatever reason, the control plane is
stopped, so nothing outlives a run, not even an interrupted or killed one. Over its connection a process requests
kubeconfigs for users, whose certificates only the control plane can sign.
"""

import os
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from provisioner_devcluster import ControlPlane

FIRST_CALL_WITHIN = 60.0
"""Timeout in seconds for the first connection; without one, the process that started the keeper has died."""

FAREWELL = "farewell"
"""Message of a leaving process, answered with the number of remaining processes."""


@dataclass(slots=True)
class Keeper:
    """The connections of a run, and the control plane once it serves."""

    listener: Listener
    changed: threading.Condition = field(default_factory=threading.Condition)
    connections: list[Connection] = field(default_factory=list)
    """All connections, kept open until the end, so that the last process sees the control plane's end on its connection."""
    connected: int = 0
    had_any: bool = False
    plane: ControlPlane | None = None
    failure: str | None = None

    def accept(self) -> None:
        """Accept the connections of test processes."""
        while True:
            connection = self.listener.accept()
            with self.changed:
                self.connections.append(connection)
                self.connected += 1
                self.had_any = True
                self.changed.notify_all()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: Connection) -> None:
        """Answer one process until it disconnects."""
        with suppress(EOFError, OSError):
            with self.changed:
                self.changed.wait_for(lambda: self.plane is not None or self.failure is not None)
            connection.send((self.plane and str(self.plane.kubeconfig), self.failure))
            while (message := connection.recv()) != FAREWELL:
                user, groups = message
                with self.changed:
                    kubeconfig = self.plane_started.kubeconfig_for(user, groups)
                connection.send(str(kubeconfig))
        with self.changed, suppress(OSError):
            self.connected -= 1
            self.changed.notify_all()
            connection.send(self.connected)  # The answer to a leaving process; a killed one does not read it.

    @property
    def plane_started(self) -> ControlPlane:
        """Wait for the control plane and return it."""
        if self.plane is None:
            raise EOFError(self.failure)
        return self.plane

    def keep(self) -> None:
        """Run the control plane as long as any process is connected."""
        threading.Thread(target=self.accept, daemon=True).start()
        with self.changed:
            if not self.changed.wait_for(lambda: self.had_any, timeout=FIRST_CALL_WITHIN):
                return
        try:
            plane = ControlPlane.start()
        except Exception as error:
            with self.changed:
                self.failure = str(error)
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.connected == 0, timeout=FIRST_CALL_WITHIN)
            raise
        with plane, self.changed:
            self.plane = plane
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.connected == 0)


def detach(log: Path) -> None:
    """Start a new session, which Ctrl-C does not reach, and close inherited pipes, so that no process waits for them."""
    if os.fork():
        os._exit(0)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, target in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)


if __name__ == "__main__":
    address, log = sys.argv[1:]
    detach(Path(log))
    try:
        with Listener(address, family="AF_UNIX") as listener:
            Keeper(listener).keep()
    finally:
        Path(address).parent.rmdir()
