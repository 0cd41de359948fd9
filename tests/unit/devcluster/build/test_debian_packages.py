"""A program of a Debian package is fetched and unpacked once, without being installed; a failure says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.tools import find_prometheus, find_promtool
from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Script = Callable[..., Path]

DOWNLOADS = '[ "$1" = download ] && echo "$2" >>"$LOG" && : >"$2.deb"'
"""Acts as apt-get that has the package."""
UNPACKS = (
    'mkdir="/bin/mkdir -p"; $mkdir "$3/usr/bin"; printf "#!/bin/sh\\nexit 0\\n" >"$3/usr/bin/promtool"; '
    '/bin/chmod +x "$3/usr/bin/promtool"'
)
"""Acts as dpkg with a package that contains promtool alone."""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which downloads are noted."""
    file = tmp_path / "log"
    monkeypatch.setenv("LOG", str(file))
    return file


def test_promtool_comes_from_the_path(path: Path, script: Script) -> None:
    promtool = script(path / "promtool")
    assert find_promtool() == promtool


def test_a_configured_prometheus_is_preferred(
    path: Path, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(path / "prometheus")
    mine = script(tmp_path / "mine")
    monkeypatch.setenv("PROVISIONER_PROMETHEUS", str(mine))
    assert find_prometheus() == mine


def test_a_package_is_unpacked_once(path: Path, cache: Path, script: Script, log: Path) -> None:
    script(path / "apt-get", DOWNLOADS)
    script(path / "dpkg", UNPACKS)
    expected = cache / "packages" / "debian-prometheus" / "usr" / "bin" / "promtool"
    assert [find_promtool(), find_promtool()] == [expected, expected]
    assert log.read_text(encoding="utf-8") == "prometheus\n"


def test_a_package_without_the_program_leaves_nothing_behind(
    path: Path, cache: Path, script: Script, log: Path
) -> None:
    script(path / "apt-get", DOWNLOADS)
    script(path / "dpkg", UNPACKS)
    with pytest.raises(DevClusterError, match=r"it is not in there\nPut prometheus on the PATH instead\."):
        find_prometheus()
    assert log.exists()
    assert not (cache / "packages" / "debian-prometheus").exists()


def test_a_download_that_fails_is_reported(path: Path, script: Script) -> None:
    script(path / "apt-get", 'echo "E: Unable to locate package $2" >&2; exit 100')
    script(path / "dpkg", UNPACKS)
    with pytest.raises(DevClusterError, match=r"E: Unable to locate package"):
        find_promtool()


@pytest.mark.usefixtures("path")
def test_a_machine_without_debians_tools_says_so() -> None:
    with pytest.raises(DevClusterError, match=r"neither promtool nor apt-get"):
        find_promtool()


def test_a_program_that_does_not_run_here_is_reported(path: Path, cache: Path, script: Script) -> None:
    script(path / "promtool", "exit 1")
    script(cache / "packages" / "debian-prometheus" / "usr" / "bin" / "promtool", "exit 1")
    with pytest.raises(DevClusterError, match=r"does not run on this machine"):
        find_promtool()
