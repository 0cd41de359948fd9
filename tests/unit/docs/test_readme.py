"""The README stays short enough to be read, and has what a newcomer looks for first."""

import re
import tomllib

from support.manifests import REPOSITORY
from unit.docs.pages import read

README = REPOSITORY / "README.md"
MODULES = REPOSITORY / "devcluster" / "provisioner_devcluster"
MOST_LINES = 130
OF_OTHERS = {"argocd", "flux"}
"""Modules of other products, which pin the versions of Kubernetes that they use."""


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_readme_shows_what_it_is_and_why_a_job_waits() -> None:
    assert read(README).images == [
        "docs/images/overview.svg",
        "docs/images/jobs-why.svg",
        "docs/images/web-jobs.png",
    ]


def test_the_readme_links_every_page_of_the_users() -> None:
    pages = {f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")}
    linked = {link.partition("#")[0] for link in read(README).links}
    assert pages - linked == set()


def support_of(what: str) -> tuple[str, ...]:
    """The row of the support matrix."""
    return next(row for table in read(README).tables for row in table.rows if row[0].startswith(what))


def built_version(module: str) -> str:
    """The version of a Go module that tests and image are built with."""
    modules = [path for path in sorted(MODULES.rglob("go.mod")) if path.parent.name not in OF_OTHERS]
    text = "".join(path.read_text(encoding="utf-8") for path in modules)
    versions: set[str] = set(re.findall(rf"^\s*{re.escape(module)} v(\S+)", text, re.MULTILINE))
    assert len(versions) == 1
    return versions.pop()


def test_the_readme_names_the_versions_that_are_tested() -> None:
    assert built_version("k8s.io/kubernetes") in support_of("Kubernetes")[2]
    assert built_version("github.com/opentofu/opentofu") in support_of("OpenTofu")[2]


def test_the_readme_names_the_python_that_is_needed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"].removeprefix(">=") in support_of("Python")[1]
