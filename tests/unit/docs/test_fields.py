"""Every field of our kinds that a page names exists."""

from pathlib import Path

import pytest

from support.manifests import REPOSITORY
from unit.docs.fields import exists, unknown_fields
from unit.docs.pages import Page, name_of, page_paths, read

README = REPOSITORY / "README.md"


@pytest.mark.parametrize("path", page_paths(), ids=name_of)
def test_every_field_that_a_page_names_exists(path: Path) -> None:
    assert sorted(set(unknown_fields(read(path)))) == []


@pytest.mark.parametrize("field", ["spec.nonsense", "spec.templateRef.nonsense", "status.nonsense: true"])
def test_a_field_that_does_not_exist_is_found(field: str) -> None:
    assert list(unknown_fields(Page.parse(f"Set `{field}` to something.", README)))


@pytest.mark.parametrize(
    "field",
    ["spec.cancel", "spec.templateRef.version", "spec.tags.datacenter", "spec.variables.valueFrom", "status.lastRun"],
)
def test_a_field_that_exists_is_not_complained_about(field: str) -> None:
    assert exists(field)
