"""The source of a peer is found by the real Go in the module that its program is built from."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.client import BenchError
from bench.peers.kueue import KUEUE
from bench.peers.peer import Peer, source_directory

MODULE = "module example.com/bench\n\ngo 1.21\n\nrequire example.com/peer v1.0.0\n"


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    return replace(KUEUE, source="example.com/peer", module=replace(KUEUE.module, directory=tmp_path))


def test_the_source_is_where_go_has_put_it(peer: Peer) -> None:
    folder = peer.module.directory
    (folder / "go.mod").write_text(f"{MODULE}\nreplace example.com/peer => ./peer\n")
    (folder / "peer").mkdir()
    (folder / "peer" / "go.mod").write_text("module example.com/peer\n\ngo 1.21\n")
    assert source_directory(peer) == folder / "peer"


def test_a_source_that_the_module_does_not_require_is_told(peer: Peer) -> None:
    (peer.module.directory / "go.mod").write_text("module example.com/bench\n\ngo 1.21\n")
    with pytest.raises(BenchError, match=r"Go does not find the source of example\.com/peer"):
        source_directory(peer)


def test_a_source_that_cannot_be_downloaded_is_told(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    (peer.module.directory / "go.mod").write_text(MODULE)
    with pytest.raises(BenchError, match=r"Go does not find the source of example\.com/peer"):
        source_directory(peer)
