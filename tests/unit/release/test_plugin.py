"""The plugin's packages are those that the command line needs, as they are locked."""

import re

from release.plugin import PLATFORMS, ROOTS, locked_requirements
from release.source import source_of
from support.manifests import REPOSITORY

SERVERS_ONLY = {"aiohttp", "dulwich", "fastapi", "kopf", "kubernetes", "uvloop"}


def _names(requirements: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]+\])?==", requirements, re.MULTILINE))


def test_they_are_locked_with_their_digests_and_without_what_only_servers_need() -> None:
    locked = locked_requirements(source_of(REPOSITORY))

    assert set(ROOTS) <= _names(locked)
    assert _names(locked) & SERVERS_ONLY == set()
    assert {"requests", "pygments", "pydantic-core"} <= _names(locked)
    assert all("--hash=sha256:" in each for each in re.split(r"(?m)^(?=[a-z0-9])", locked) if each)


def test_no_entry_of_the_lock_is_changed() -> None:
    source = source_of(REPOSITORY)
    lock = (REPOSITORY / "requirements" / "runtime.txt").read_text("utf-8")

    assert all(each in lock for each in re.split(r"(?m)^(?=[a-z0-9])", locked_requirements(source)))


def test_krews_template_and_the_archives_are_of_the_same_platforms() -> None:
    template = (REPOSITORY / "packaging" / "krew" / "provisioner.yaml").read_text("utf-8")

    assert "platforms: []" in template
    assert set(PLATFORMS) == {"linux-amd64", "linux-arm64", "darwin-arm64"}
