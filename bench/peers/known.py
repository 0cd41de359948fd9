"""The peers that the bench can build, by the name that its command line takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.peers.kueue import KUEUE
from bench.peers.tekton import TEKTON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.peers.peer import Peer

PEERS: Mapping[str, Peer] = {peer.module.name: peer for peer in (KUEUE, TEKTON)}
