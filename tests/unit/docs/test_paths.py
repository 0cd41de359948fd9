"""Every file and folder of the project that a page names exists."""

from pathlib import Path

import pytest

from support.manifests import REPOSITORY
from unit.docs.pages import Page, name_of, page_paths, read
from unit.docs.paths import missing_paths

README = REPOSITORY / "README.md"


@pytest.mark.parametrize("path", page_paths(), ids=name_of)
def test_every_path_that_a_page_names_exists(path: Path) -> None:
    assert sorted(set(missing_paths(read(path)))) == []


@pytest.mark.parametrize(
    "text",
    [
        "```\nkubectl apply -k manifests/nonsense\n```",
        "```yaml\nresources:\n- provisioner-operator/manifests/nonsense # a comment\n```",
        "`demo/workspaces/nonsense.yaml`",
        "`docs/nonsense.md`",
        "`core/no_such_module.py`",
        "`operator/provisioner_operator/nonsense/`",
    ],
)
def test_a_path_that_leads_to_nothing_is_found(text: str) -> None:
    assert list(missing_paths(Page.parse(text, README)))


@pytest.mark.parametrize(
    "text",
    [
        "```\nkubectl apply -f demo/workspaces/template.yaml -k manifests/default\n```",
        "```yaml\nresources:\n- provisioner-operator/manifests/default # a comment\n```",
        "`.state/demo/ada.kubeconfig`",
        "`path/to/docs/somewhere-else`",
        "`docs/decisions/NNNN-*.md`",
        "`bench/`",
        "`api/__init__.py`",
        "`provisioner_devcluster/__init__.py`",
    ],
)
def test_a_path_that_exists_or_is_not_ours_is_not_complained_about(text: str) -> None:
    assert list(missing_paths(Page.parse(text, README))) == []
