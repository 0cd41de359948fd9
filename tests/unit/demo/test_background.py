"""The explanation that `make up` prints."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from demo import background
from demo.background import Record, instructions
from provisioner_devcluster.build.tools import PROMETHEUS_VARIABLE
from provisioner_devcluster.locations import CACHE_VARIABLE
from provisioner_devcluster.process.process import Identity
from support.manifests import REPOSITORY


def test_the_programs_that_the_explanation_uses_are_on_the_path_that_it_sets() -> None:
    lines = instructions(
        "http://127.0.0.1:1/metrics", "http://127.0.0.1:2", programs=REPOSITORY / ".venv" / "bin"
    ).splitlines()

    path = next(line for line in lines if "export PATH=" in line)
    assert "$PWD/.state/demo/bin:$PWD/.venv/bin:$PATH" in path
    first_use = next(line for line in lines if line.strip().startswith("kubectl"))
    assert lines.index(path) < lines.index(first_use)


def test_an_environment_elsewhere_is_named_in_full() -> None:
    programs = Path(sys.base_prefix) / "elsewhere"

    assert f":{programs}:$PATH" in instructions("", "", programs=programs)


def test_dashboards_are_explained_where_they_run() -> None:
    programs = REPOSITORY / ".venv" / "bin"

    without = instructions("", "", programs=programs)
    explained = instructions(
        "", "", programs=programs, prometheus="http://127.0.0.1:3", dashboards="http://127.0.0.1:4"
    )

    assert "Dashboards" not in without
    assert [line.split() for line in explained.splitlines() if "http" in line] == [
        ["Dashboards", "http://127.0.0.1:4"],
        ["Prometheus", "http://127.0.0.1:3"],
    ]


def test_a_machine_without_prometheus_is_told_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.delenv(PROMETHEUS_VARIABLE, raising=False)

    assert background.find_monitoring() is None

    told = capsys.readouterr().out
    assert "There will be no monitoring. This machine has neither prometheus nor apt-get" in told
    assert PROMETHEUS_VARIABLE in told


def test_monitoring_is_not_added_to_a_demo_that_runs_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Identity.of(os.getpid())
    path = tmp_path / "record.json"
    path.write_text(json.dumps(asdict(Record(own.pid, own.created, "http://metrics", "http://page"))))
    monkeypatch.setattr(background, "RECORD", path)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))

    with pytest.raises(background.BackgroundError, match="make down"):
        background.up(monitoring=True)
    background.up()

    assert "http://metrics" in capsys.readouterr().out


def test_make_hands_its_arguments_over() -> None:
    # Not those of a make that runs these tests, which would also name its folders.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--dry-run", "up", "ARGS=--monitoring"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.rstrip().endswith("python -m demo up --monitoring")
