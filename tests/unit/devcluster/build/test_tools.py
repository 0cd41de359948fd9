"""Programs come from their variables, else from the PATH, else from a package."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_devcluster.build.tools import find_go, find_kubectl, find_tofu
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import MODULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Script = Callable[..., Path]


def fetched(cache: Path, name: str, program: str) -> Path:
    """Return the path of a package's program after a fetch."""
    digest = hashlib.sha256((MODULES / f"{name}.txt").read_bytes()).hexdigest()[:12]
    return cache / "packages" / f"{name}-{digest}" / program


def test_a_configured_kubectl_is_preferred_to_the_path(
    path: Path, tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(path / "kubectl")
    mine = script(tmp_path / "mine")
    monkeypatch.setenv("PROVISIONER_KUBECTL", str(mine))
    assert find_kubectl() == mine


def test_a_configured_kubectl_that_does_not_run_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROVISIONER_KUBECTL", str(tmp_path / "nowhere"))
    with pytest.raises(DevClusterError, match=r"PROVISIONER_KUBECTL=.*nowhere does not run"):
        find_kubectl()


def test_kubectl_comes_from_the_path(path: Path, script: Script) -> None:
    kubectl = script(path / "kubectl")
    assert find_kubectl() == kubectl


def test_the_package_replaces_a_broken_kubectl_on_the_path(path: Path, cache: Path, script: Script) -> None:
    script(path / "kubectl", "exit 1")
    package = script(fetched(cache, "kubectl", "bin/kubectl"))
    assert find_kubectl() == package


def test_the_path_can_be_hidden(path: Path, cache: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script(path / "kubectl")
    package = script(fetched(cache, "kubectl", "bin/kubectl"))
    monkeypatch.setenv("PROVISIONER_DEVCLUSTER_IGNORE_PATH", "1")
    assert find_kubectl() == package


def test_tofu_is_preferred_to_terraform(path: Path, script: Script) -> None:
    terraform = script(path / "terraform")
    assert find_tofu() == terraform
    tofu = script(path / "tofu")
    assert find_tofu() == tofu


@pytest.mark.usefixtures("path")
def test_without_tofu_and_terraform_an_earlier_build_serves(cache: Path, script: Script) -> None:
    earlier = script(cache / "bin" / f"opentofu-{OPENTOFU.key}" / "tofu")
    assert find_tofu() == earlier


@pytest.mark.parametrize("version", ["go1.26.6", "go1.26.10", "go1.27", "go2.0"])
def test_go_comes_from_the_path_if_it_is_new_enough(path: Path, script: Script, version: str) -> None:
    go = script(path / "go", f"echo {version}")
    assert find_go() == go


@pytest.mark.parametrize("version", ["go1.26.5", "go1.9", "devel", ""])
def test_the_package_replaces_an_older_go(path: Path, cache: Path, script: Script, version: str) -> None:
    script(path / "go", f"echo {version}")
    package = script(fetched(cache, "go", "go/bin/go"))
    assert find_go() == package
