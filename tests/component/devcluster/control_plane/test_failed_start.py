"""A start that fails says which component failed and why, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.control_plane.binaries import Component
from provisioner_devcluster.control_plane.cluster import ATTEMPTS, ControlPlane
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import clusters_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def etcd(tmp_path: Path, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a way to say what etcd does, in a control plane whose other components do nothing."""
    for component in Component:
        script(tmp_path / "assets" / component, "exec /bin/sleep 600")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))

    def behave(text: str) -> None:
        script(tmp_path / "assets" / Component.ETCD, text)

    return behave


def test_a_component_that_ends_is_named_with_its_last_words(etcd: Callable[[str], None]) -> None:
    etcd("echo the disk is full; exit 3")
    with pytest.raises(DevClusterError, match=r"etcd ended with exit code 3(.|\n)*the disk is full"):
        ControlPlane.start()
    assert not list(clusters_directory().iterdir())


def test_a_taken_port_is_tried_elsewhere_and_not_for_ever(etcd: Callable[[str], None], tmp_path: Path) -> None:
    etcd(f'echo "$@" >> {tmp_path}/tries; echo "bind: address already in use"; exit 1')
    with pytest.raises(DevClusterError, match="address already in use"):
        ControlPlane.start()
    assert len(set((tmp_path / "tries").read_text().splitlines())) == ATTEMPTS


def test_a_start_that_takes_too_long_says_what_is_missing(etcd: Callable[[str], None]) -> None:
    etcd("echo still thinking; exec /bin/sleep 600")
    with pytest.raises(DevClusterError, match=r"still missing: the API server's /readyz(.|\n)*still thinking"):
        ControlPlane.start(timeout=5)
    assert not list(clusters_directory().iterdir())


def test_a_directory_with_something_in_it_is_refused_and_kept(tmp_path: Path, etcd: Callable[[str], None]) -> None:
    etcd("exit 1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious").touch()
    with pytest.raises(DevClusterError, match="is not empty"):
        ControlPlane.start(tmp_path / "data")
    assert (tmp_path / "data" / "precious").exists()
