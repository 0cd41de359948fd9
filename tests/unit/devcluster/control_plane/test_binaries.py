"""KUBEBUILDER_ASSETS is used if it is complete; missing programs are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.go_modules import CONTROL_PLANE
from provisioner_devcluster.control_plane.binaries import Component, find_binaries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def earlier_build(cache: Path, script: Callable[..., Path]) -> Path:
    return script(cache / "bin" / f"controlplane-{CONTROL_PLANE.key}" / "controlplane")


@pytest.mark.usefixtures("earlier_build")
def test_complete_assets_are_preferred_to_an_earlier_build(
    tmp_path: Path, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "assets"
    for component in Component:
        script(assets / component)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    binaries = find_binaries()
    assert binaries.commands[Component.ETCD] == (str(assets / "etcd"),)
    assert not binaries.knows_lifeline


def test_assets_without_controllers_are_reported_and_skipped(
    tmp_path: Path,
    script: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    earlier_build: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for program in ("etcd", "kube-apiserver", "kubectl"):
        script(tmp_path / "assets" / program)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    binaries = find_binaries()
    assert binaries.commands[Component.ETCD] == (str(earlier_build), "etcd")
    assert "lacks kube-controller-manager, kube-scheduler" in capsys.readouterr().err
