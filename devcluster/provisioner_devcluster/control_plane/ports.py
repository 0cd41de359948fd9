"""Ports that stay ours: found by the kernel, and on Linux held for as long as the cluster lives.

Called by the control plane. A port that was only looked up may be gone a moment later, or while an API server restarts.
So the launcher keeps a bound socket on it, one that never listens and so takes no connection, and the component binds
beside it with SO_REUSEPORT, which the kernel allows to processes of the same user alone.
"""

from __future__ import annotations

import socket
import sys

# Elsewhere the kernel may hand a connection to the socket that does not listen; there the port is only looked up, and
# the control plane tries others if somebody was faster.
HOLDING = sys.platform == "linux"


class HeldPort:
    """A free TCP port, held until closed where that is possible."""

    def __init__(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((address, 0))
        self.number: int = self._socket.getsockname()[1]
        if not HOLDING:
            self._socket.close()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
