"""The search for workspaces judges what is stored, as if each workspace had been converted."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.models.workspaces import Workspace
from provisioner_operator.web.coder.workspace_search import latest_status, selected
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow
from support.coder.api_world import ACME, ApiWorld, a_build_job, a_workspace, an_index, ran, uid


def recorded(number: int, phase: str, transition: str = "Start") -> dict[str, Any]:
    return {"number": number, "job": f"dev-{number}", "phase": phase, "transition": transition, "change": "x"}


@pytest.mark.parametrize(
    "build", [None, recorded(1, "Failed"), recorded(2, "Completed", "Stop"), recorded(3, "Running")]
)
@pytest.mark.parametrize("jobs", [(), ("Pending",), ("Completed", "Running"), ("Completed", "Canceling")])
def test_the_status_is_that_of_the_conversion(jobs: tuple[str, ...], build: dict[str, Any] | None) -> None:
    index = an_index([])
    status = {} if build is None else {"latestBuild": build}
    index.apply(WORKSPACES, "ADDED", a_workspace("dev", **status))
    for number, phase in enumerate(jobs, 1):
        index.apply(JOBS, "ADDED", a_build_job(number, **(ran(phase) | {"phase": phase})))
    (row,) = index.workspaces
    assert (
        latest_status(row, row.body, index, shows_jobs=True)
        == convert.workspace(row, index, shows_jobs=True).latest_build.status
    )


def test_a_build_of_a_later_version_has_no_status() -> None:
    index = an_index([])
    index.apply(WORKSPACES, "ADDED", a_workspace("dev", latestBuild=recorded(1, "Dreaming")))
    (row,) = index.workspaces
    assert latest_status(row, row.body, index, shows_jobs=True) is None


def test_only_the_workspaces_of_the_page_are_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    index = an_index()
    for number in range(30):
        index.apply(WORKSPACES, "ADDED", a_workspace(f"many-{number}"))
    converted: list[str] = []
    convert_one = convert.workspace

    def count(row: ObjectRow, among: ClusterIndex, *, shows_jobs: bool) -> Workspace:
        converted.append(row.name)
        return convert_one(row, among, shows_jobs=shows_jobs)

    monkeypatch.setattr(convert, "workspace", count)
    found = ApiWorld(index).get("/api/v2/workspaces?limit=2&q=status:pending").json()
    assert (len(found["workspaces"]), found["count"]) == (2, 31)
    assert len(converted) == 2


def test_an_owner_may_be_none() -> None:
    index = an_index([])
    index.apply(WORKSPACES, "ADDED", a_workspace("ours", spec={"owner": None}))
    index.apply(WORKSPACES, "ADDED", a_workspace("adas"))
    assert [row.uid for row in selected({"owner": ""}, index, {ACME}, {ACME})] == [uid(WORKSPACES, "ours")]
