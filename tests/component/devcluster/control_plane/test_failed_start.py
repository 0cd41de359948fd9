"""A failed start reports the component and its error, and leaves nothing behind."""

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
    """Return a function that sets the behavior of etcd, in a control plane whose other components do nothing."""
    for component in Component:
        script(tmp_path / "assets" / component, "exec /bin/sleep 600")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))

    def behave(text: str) -> None:
        script(tmp_path / "assets" / Component.ETCD, text)

    return behave


def test_a_component_that_exits_is_named_with_its_last_output(etcd: Callable[[str], None]) -> None:
    etcd("echo the disk is full; exit 3")
    with pytest.raises(DevClusterError, match=r"etcd ended with exit code 3(.|\n)*the disk is full"):
        ControlPlane.start()
    assert not list(clusters_directory().iterdir())


def test_a_start_with_a_taken_port_is_retried_a_limited_number_of_times(
    etcd: Callable[[str], None], tmp_path: Path
) -> None:
    etcd(f'echo "$@" >> {tmp_path}/tries; echo "bind: address already in use"; exit 1')
    with pytest.raises(DevClusterError, match="address already in use"):
        ControlPlane.start()
    assert len(set((tmp_path / "tries").read_text().splitlines())) == ATTEMPTS


def test_a_start_that_takes_too_long_reports_the_missing_condition(etcd: Callable[[str], None]) -> None:
    etcd("echo still thinking; exec /bin/sleep 600")
    with pytest.raises(DevClusterError, match=r"still missing: the API server's /readyz(.|\n)*still thinking"):
        ControlPlane.start(timeout=5)
    assert not list(clusters_directory().iterdir())


def test_a_directory_that_is_not_empty_is_refused_and_kept(tmp_path: Path, etcd: Callable[[str], None]) -> None:
    etcd("exit 1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious").touch()
    with pytest.raises(DevClusterError, match="is not empty"):
        ControlPlane.start(tmp_path / "data")
    assert (tmp_path / "data" / "precious").exists()
