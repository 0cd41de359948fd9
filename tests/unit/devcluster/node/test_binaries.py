"""Binaries of a node: one sentence with the reason where none can run; missing packages are installed."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from provisioner_devcluster.cli import cli
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node import debian
from provisioner_devcluster.node.binaries import NodeImpossibleError, find_node_programs
from provisioner_devcluster.node.debian import Program, install_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Script = Callable[..., Path]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of an operating system's programs, where this test's user is root."""
    directory = tmp_path / "system"
    directory.mkdir()
    monkeypatch.setattr(debian, "PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return directory


def test_a_node_needs_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NodeImpossibleError, match=r"^A node needs Linux, and this is darwin\.$"):
        find_node_programs()


def test_a_node_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NodeImpossibleError, match=r"^A node needs root, [^.]*\.$"):
        find_node_programs()


def test_existing_programs_are_not_installed(system: Path, script: Script) -> None:
    script(system / "apt-get", "exit 1")
    script(system / "runc")
    install_missing((Program("runc", "runc", (str(system),)),))


def test_missing_programs_are_installed_by_package(system: Path, script: Script, tmp_path: Path) -> None:
    script(system / "apt-get", f'echo "$@" >> {tmp_path}/asked; touch {system}/ctr; chmod +x {system}/ctr')
    install_missing((Program("ctr", "containerd", (str(system),)),))
    patience = "--option=DPkg::Lock::Timeout=600"
    assert (tmp_path / "asked").read_text() == f"install --yes --no-install-recommends {patience} containerd\n"


def test_outdated_package_lists_are_updated(system: Path, script: Script, tmp_path: Path) -> None:
    script(
        system / "apt-get",
        f'if [ "$1" = update ]; then touch {tmp_path}/updated; exit; fi\n'
        f"[ -e {tmp_path}/updated ] && touch {system}/ctr && chmod +x {system}/ctr",
    )
    install_missing((Program("ctr", "containerd", (str(system),)),))


def test_processes_that_lack_the_same_program_install_it_once(system: Path, script: Script, tmp_path: Path) -> None:
    script(system / "apt-get", f"echo begun >> {tmp_path}/log; touch {system}/ctr; sleep 0.1; chmod +x {system}/ctr")
    lacking = (Program("ctr", "containerd", (str(system),)),)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(install_missing, [lacking] * 3))
    assert (tmp_path / "log").read_text() == "begun\n"


def test_an_installation_without_an_end_is_reported(
    system: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "INSTALL_TIMEOUT", 0.05)
    script(system / "apt-get", "exec sleep 60")
    with pytest.raises(DevClusterError, match=r"apt-get failed: it did not end within 0.05 s"):
        install_missing((Program("ctr", "containerd", (str(system),)),))


def test_a_failed_installation_is_reported_with_the_programs_and_the_error_of_apt(system: Path, script: Script) -> None:
    script(system / "apt-get", "echo no network >&2; exit 100")
    with pytest.raises(DevClusterError, match=r"lacks ctr, and installing containerd with apt-get failed: no network"):
        install_missing((Program("ctr", "containerd", (str(system),)),))


def test_without_permission_to_install_the_packages_are_named(
    system: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(system / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    lacking = (Program("ctr", "containerd", (str(system),)), Program("nft", "nftables", (str(system),)))
    with pytest.raises(DevClusterError, match=r"lacks ctr, nft; the Debian packages are containerd nftables"):
        install_missing(lacking)


def test_prepare_succeeds_where_no_node_can_run(
    path: Path, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kubectl", "tofu"):
        script(path / name)
    assets = tmp_path / "assets"
    assets.mkdir()
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        script(assets / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = CliRunner().invoke(cli, ["prepare", "--node"], catch_exceptions=False)
    assert said.exit_code == 0
    assert "node           none: A node needs" in said.stdout
