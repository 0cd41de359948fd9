"""An engine that cannot be built leaves its tests out, except in CI, where all tests have to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.engines import GITOPS, HELM, EngineImpossibleError, find_engine
from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provisioner_devcluster.build.go_modules import GoModule

# A go whose module proxy cannot be reached.
NO_PROXY = """
case "$1" in
env) echo go9.9 ;;
*) echo "dial tcp: no route to host" >&2; exit 1 ;;
esac
"""

each_engine = pytest.mark.parametrize("module", [*GITOPS, *HELM], ids=lambda module: module.name)


@pytest.fixture(autouse=True)
def no_proxy(path: Path, cache: Path, script: Callable[..., Path]) -> Path:
    """A machine with an empty cache, on which no module can be fetched."""
    script(path / "go", NO_PROXY)
    return cache


@each_engine
def test_it_is_left_out_with_the_reason(module: GoModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(EngineImpossibleError, match="no route to host"):
        find_engine(module)


@each_engine
def test_ci_fails_with_the_error_of_the_build(module: GoModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(DevClusterError, match="no route to host") as raised:
        find_engine(module)
    assert not isinstance(raised.value, EngineImpossibleError)


@each_engine
def test_an_earlier_build_is_used(module: GoModule, no_proxy: Path, script: Callable[..., Path]) -> None:
    earlier = script(no_proxy / "bin" / f"{module.name}-{module.key}" / module.program)

    assert find_engine(module) == earlier
