"""The workflows of the forge: correct by actionlint, with actions that cannot change and rights that are few."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import ACTIONLINT
from provisioner_devcluster.errors import DevClusterError
from support.manifests import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
_PINNED = re.compile(r"^[\w-]+/[\w-]+@[0-9a-f]{40}$")
_LINT_TIMEOUT = 120

each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda each: each.stem)


@pytest.fixture(scope="module")
def actionlint() -> Path:
    """The program, which CI has to be able to build."""
    try:
        return build(ACTIONLINT)
    except DevClusterError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"actionlint cannot be built here: {error}")


def _lint(actionlint: Path, text: str) -> str:
    # Other linters that happen to be on the PATH must not change the result.
    command = [str(actionlint), "-no-color", "-shellcheck=", "-pyflakes=", "-"]
    return subprocess.run(
        command, input=text, check=False, capture_output=True, text=True, timeout=_LINT_TIMEOUT
    ).stdout


@each_workflow
def test_actionlint_finds_nothing(actionlint: Path, workflow: Path) -> None:
    assert _lint(actionlint, workflow.read_text("utf-8")) == ""


def test_actionlint_finds_an_output_that_no_step_has(actionlint: Path) -> None:
    release = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text("utf-8")

    assert "is not defined" in _lint(actionlint, release.replace("steps.push.outputs", "steps.pushed.outputs"))


@each_workflow
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    used = [step["uses"] for step in _steps(workflow) if "uses" in step]

    assert used
    assert [each for each in used if not _PINNED.match(each)] == []


@each_workflow
def test_a_workflow_writes_nothing_but_where_a_job_says_so(workflow: Path) -> None:
    granted = yaml.safe_load(workflow.read_text("utf-8"))["permissions"]

    assert granted in ({}, {"contents": "read"})


@each_workflow
def test_no_script_contains_an_expression(workflow: Path) -> None:
    """An expression in a script is code of whoever can choose its value; scripts get values from their environment."""
    assert [step["run"] for step in _steps(workflow) if "${{" in step.get("run", "")] == []


def _steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values():
        yield from job["steps"]
