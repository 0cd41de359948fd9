"""Dependencies in pyproject.toml: each is named once, and the locks contain all of them."""

import re
import tomllib
from collections import Counter

import pytest

from support.manifests import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
NAME = PROJECT["project"]["name"]
RUNTIME = PROJECT["project"]["dependencies"]
EXTRAS = [each for group in PROJECT["project"]["optional-dependencies"].values() for each in group]
GROUPS = PROJECT["dependency-groups"]
RELEASE = [*GROUPS["release"], *PROJECT["build-system"]["requires"]]
IMAGE = [each for each in GROUPS["image"] if isinstance(each, str)]


def names(requirements: list[str]) -> list[str]:
    found = [re.split(r"[\[<>=!~;\s]", each, maxsplit=1)[0].lower() for each in requirements]
    return [each for each in found if each != NAME]


def test_each_dependency_is_named_once() -> None:
    counted = Counter(names([*RUNTIME, *EXTRAS, *RELEASE, *IMAGE]))
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("runtime", RUNTIME), ("lint", [*RUNTIME, *EXTRAS, *RELEASE]), ("image", [*IMAGE, *RELEASE])],
)
def test_a_lock_contains_its_requirements(lock: str, requirements: list[str]) -> None:
    text = (REPOSITORY / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9.-]+)(?:\[[^]]+\])?==", text, re.MULTILINE)
    assert set(names(requirements)) <= set(locked)
