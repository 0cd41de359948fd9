"""Free ports, chosen by the kernel and, on Linux, reserved for as long as the cluster lives.

Called by the control plane. Another process may take a free port a moment later, or while the API server restarts. So the
launcher keeps a bound socket, which never listens and so receives no connection, and the component binds to the same port
with SO_REUSEPORT, which the kernel allows only to processes of the same user.
"""

from __future__ import annotations

import socket
import sys

# Other kernels may deliver a connection to the socket that does not listen. There the port is not reserved, and the
# control plane tries another if it is taken.
HOLDING = sys.platform == "linux"


class HeldPort:
    """A free TCP port, reserved until `close` where the kernel supports it."""

    def __init__(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((address, 0))
        self.number: int = self._socket.getsockname()[1]
        if not HOLDING:
            self._socket.close()

    def close(self) -> None:
        """Release the port."""
        self._socket.close()
