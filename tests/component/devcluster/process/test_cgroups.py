"""A cgroup belongs to its launcher; those of dead launchers are swept."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.process.cgroups import Cgroup, sweep
from provisioner_devcluster.process.process import Identity

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return directories in place of the hierarchies of version 1."""
    for controller in ("cpu,cpuacct", "memory"):
        (tmp_path / controller).mkdir()
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    return tmp_path


def all_cgroups(root: Path) -> set[str]:
    return {path.name for path in root.glob("*/*")}


def of_a_launcher_that_died() -> str:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = Identity.of(process.pid)
        process.kill()
    return f"provisioner-devcluster-{identity.pid}-{int(identity.created)}-1"


def test_a_cgroup_is_in_each_hierarchy_and_goes_with_all_below_it(root: Path) -> None:
    cgroup = Cgroup(root)
    for controller in ("cpu,cpuacct", "memory"):
        (root / controller / cgroup.name / "pods" / "container").mkdir(parents=True)
    cgroup.remove()
    assert not all_cgroups(root)
    cgroup.remove()


def test_two_cgroups_of_one_launcher_have_different_names(root: Path) -> None:
    assert Cgroup(root).name != Cgroup(root).name


def test_only_cgroups_of_dead_launchers_are_swept(root: Path) -> None:
    mine = Cgroup(root)
    for name in (of_a_launcher_that_died(), "kubepods", "provisioner-devcluster-other"):
        (root / "memory" / name / "inner").mkdir(parents=True)
    sweep(root)
    assert all_cgroups(root) == {mine.name, "kubepods", "provisioner-devcluster-other"}


def test_a_reused_pid_does_not_keep_a_cgroup(root: Path) -> None:
    (root / "memory" / f"provisioner-devcluster-{os.getpid()}-1-1").mkdir()
    sweep(root)
    assert not all_cgroups(root)


def test_controllers_are_delegated_on_version_2(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids misc")
    (tmp_path / "cgroup.subtree_control").write_text("")
    cgroup = Cgroup(tmp_path)
    assert (tmp_path / cgroup.name).is_dir()
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +cpuset +memory +pids"


def test_missing_permissions_for_cgroups_are_reported_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory")
    (tmp_path / "cgroup.subtree_control").mkdir()
    with pytest.raises(DevClusterError, match=r"Creating a cgroup failed: .* A node needs"):
        Cgroup(tmp_path)
    assert not list(tmp_path.glob("provisioner-devcluster-*"))
