"""The Dockerfile agrees with what stands elsewhere: how OpenTofu is built, and which files a build may see."""

import re
import shlex
from itertools import pairwise

import pytest

from provisioner_devcluster.build.go_build import BUILD_ENVIRONMENT
from provisioner_devcluster.build.go_modules import OPENTOFU
from support.manifests import REPOSITORY

LINES = re.sub(r"\\\n(\s*#.*\n)*", " ", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")).splitlines()
"""The Dockerfile's instructions, one a line."""


def arguments(instruction: str) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in LINES if line.startswith(f"{instruction} ")]


def copied_from_the_context() -> list[str]:
    return [source for words in arguments("COPY") if not words[0].startswith("--from") for source in words[:-1]]


def test_opentofu_is_built_as_the_embedded_control_planes_build_does() -> None:
    (command,) = (words for words in arguments("RUN") if words[2:4] == ["go", "build"])
    options = dict(pairwise(command))
    assert {"-mod=readonly", "-trimpath"} < set(command)
    assert options["-ldflags"] == f"-s -w {OPENTOFU.linker_flags}"
    assert command[-1] == OPENTOFU.package
    assert BUILD_ENVIRONMENT in [dict(word.split("=", 1) for word in words) for words in arguments("ENV")]
    assert f"{OPENTOFU.directory.relative_to(REPOSITORY)}/" in copied_from_the_context()


def test_its_go_is_new_enough_for_opentofu() -> None:
    (image,) = (word.split("=", 1)[1] for words in arguments("ARG") for word in words if word.startswith("GOLANG="))
    version = image.partition("@")[0].rpartition(":")[2].partition("-")[0].split(".")
    # A tag of two parts is the newest of its minor version.
    assert tuple(map(int, version)) >= OPENTOFU.go_version[: len(version)]


@pytest.mark.parametrize("source", copied_from_the_context())
def test_what_it_copies_is_there_and_not_ignored(source: str) -> None:
    assert (REPOSITORY / source).exists()
    rules = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    admitted = [rule[1:] for rule in rules if rule.startswith("!")]
    assert any(source.rstrip("/") == rule or source.startswith(f"{rule}/") for rule in admitted)


def test_nothing_comes_in_that_nobody_named() -> None:
    rules = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
