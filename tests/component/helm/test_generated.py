"""The committed chart is what the generator makes of the manifests, and each of its values does something."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from chart.build import CHART, files
from chart.plan import COMPONENTS
from support.manifests import MANIFESTS

FOR_TEAMS = {"daemon-network-policy", "daemon-pool"}
"""Components of a team: the first is the value `teams`, the second needs kinds that Helm does not know before."""


@pytest.fixture(scope="module")
def written() -> Mapping[Path, str]:
    """The chart's files, for which kubectl renders some twenty kustomizations."""
    return files()


def test_every_file_is_current(written: Mapping[Path, str]) -> None:
    for path, text in written.items():
        assert (CHART / path).read_text("utf-8") == text, f"{path}: run `make helm`"
    kept = {path.relative_to(CHART) for path in CHART.rglob("*") if path.is_file()}
    assert kept == written.keys(), "run `make helm`"


def test_every_component_has_its_switch() -> None:
    assert COMPONENTS.keys() | FOR_TEAMS | {"tracing"} == {
        folder.name for folder in (MANIFESTS / "components").iterdir()
    }


@pytest.mark.parametrize(
    "value", sorted(set(re.findall(r"^\| `(\S+)` \|", (CHART / "README.md").read_text(), re.MULTILINE)))
)
def test_every_value_is_used(value: str, written: Mapping[Path, str]) -> None:
    templates = "".join(text for path, text in written.items() if path.parts[0] == "templates")
    # The helper of the image reads its parts from within.
    name = value.removeprefix("image") if value.startswith("image.") else f".Values.{value}"
    assert re.search(rf"{re.escape(name)}\b", templates)
