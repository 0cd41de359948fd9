"""Whoever reads a reason in a status finds it explained, under the kind that it belongs to."""

import re
from enum import StrEnum

import pytest

from provisioner_operator.api.v1alpha1 import names
from provisioner_operator.api.v1alpha1.enums import (
    CancelReason,
    DaemonState,
    EndReason,
    PendingReason,
    PoolReason,
    TemplateReason,
    WorkspaceReason,
)
from support.manifests import REPOSITORY
from unit.docs.pages import Table, read

PAGE = REPOSITORY / "docs" / "troubleshooting.md"

UNINSTALL = REPOSITORY / "docs" / "versioning.md"

FINALIZERS = {value for name, value in vars(names).items() if name.endswith("_FINALIZER")}

SECTIONS: dict[str, type[StrEnum]] = {
    "A job is pending": PendingReason,
    "A job has ended": EndReason,
    "A cancel": CancelReason,
    "A workspace is not ready": WorkspaceReason,
    "A template is not ready": TemplateReason,
    "A pool is not ready": PoolReason,
    "A daemon does not work": DaemonState,
}

_REASON = re.compile(r"`(\w+)`")


def table_of(section: str) -> Table:
    """The first table of a section."""
    return next(table for table in read(PAGE).tables if table.section == section)


@pytest.mark.parametrize(("section", "reasons"), SECTIONS.items(), ids=SECTIONS)
def test_every_reason_of_the_api_has_its_row(section: str, reasons: type[StrEnum]) -> None:
    explained = [_REASON.fullmatch(row[0]) for row in table_of(section).rows]
    assert all(explained)
    assert sorted(each[1] for each in explained if each) == sorted(reasons)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_reason_has_a_meaning_and_a_remedy(section: str) -> None:
    for row in table_of(section).rows:
        assert len(row) == 3, row
        assert all(cell.strip() for cell in row), row


def test_every_finalizer_has_its_row() -> None:
    explained = {row[0].strip("`") for row in table_of("A namespace is not deleted").rows}
    assert explained == FINALIZERS


def test_uninstalling_deletes_what_has_finalizers_before_the_operator() -> None:
    """Workspaces need daemons to be destroyed, and templates stay until no workspace uses them."""
    [block] = [each.text for each in read(UNINSTALL).blocks if "kubectl delete -k" in each.text]
    deleted = re.findall(r"^kubectl delete (\S+)", block, re.MULTILINE)
    assert deleted == ["ws", "wst", "pp", "pd", "-k"]
    assert len(FINALIZERS) == len(deleted) - 1
