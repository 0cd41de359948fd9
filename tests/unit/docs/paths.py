"""Finds files and folders that a page names and that do not exist."""

import re
from collections.abc import Iterator

from support.manifests import REPOSITORY
from unit.docs.pages import Page

_FOLDERS = "bench|crds|demo|devcluster|docs|manifests|operator|packaging|requirements|tests"
_IN_THE_REPOSITORY = re.compile(
    # Also as somebody names it who has the checkout beside him.
    rf"(?<![\w./$*-])(?:provisioner-operator/)?((?:{_FOLDERS})/[\w./-]*+)(?![<{{*])"
)
_PYTHON = re.compile(r"(?<![\w./-])((?:\w+/)+\w+\.py)\b")
"""A module of ours, as pages name it: from its package, `core/jobs/ordering.py`."""
_PACKAGES = ("", "operator", "operator/provisioner_operator", "devcluster", "devcluster/provisioner_devcluster")
"""Folders to which the path of a module may be relative."""


def missing_paths(page: Page) -> Iterator[str]:
    """Paths in the page's code that lead to nothing."""
    for code in page.code:
        for path in _IN_THE_REPOSITORY.findall(code):
            if not (REPOSITORY / path.rstrip(".-")).exists():
                yield path
        for path in _PYTHON.findall(code):
            if not any((REPOSITORY / package / path).exists() for package in _PACKAGES):
                yield path
