"""Both Helms, without a cluster."""

from pathlib import Path

import pytest

from support.programs.helm import MAJORS, Helm, helm_program


@pytest.fixture(params=MAJORS, ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest, tmp_path: Path) -> Helm:
    """Helm 3, and Helm 4."""
    return Helm(helm_program(request.param), request.param, tmp_path)
