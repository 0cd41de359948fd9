"""The explanation that `make up` prints."""

import sys
from pathlib import Path

from demo.background import instructions
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
