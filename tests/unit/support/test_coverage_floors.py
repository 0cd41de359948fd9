"""Floors of coverage: a package is judged by its own files, and what is missed is shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from support.coverage_floors import MISSED, PACKAGES, main


def judge(folder: Path, *floors: str) -> Result:
    whole = {"executed_lines": [1, 2, 3], "missing_lines": [], "executed_branches": [[2, 3]], "missing_branches": []}
    half = {"executed_lines": [1], "missing_lines": [2], "executed_branches": [[1, 2]], "missing_branches": [[1, 0]]}
    report = folder / "report.json"
    files = {f"{PACKAGES}core/a.py": whole, f"{PACKAGES}corex/b.py": half, f"{PACKAGES}web/c/d.py": half}
    report.write_text(json.dumps({"files": files}))
    return CliRunner().invoke(main, [str(report), *floors])


def test_what_is_covered_well_enough_passes(tmp_path: Path) -> None:
    result = judge(tmp_path, "core=100", "web=50")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Coverage of core: 100.00 % (at least 100 %)\nCoverage of web: 50.00 % (at least 50 %)\n"


@pytest.mark.parametrize("floor", ["web=51", "web=50.1"])
def test_a_missed_floor_shows_the_gaps(tmp_path: Path, floor: str) -> None:
    result = judge(tmp_path, "core=100", floor)

    assert result.exit_code == MISSED
    assert f"{PACKAGES}web/c/d.py: lines [2], branches [[1, 0]]" in result.stdout
    assert "too little of web:" in result.stderr


def test_a_package_without_files_is_covered_by_nothing(tmp_path: Path) -> None:
    assert judge(tmp_path, "no-such-package=1").exit_code == MISSED
