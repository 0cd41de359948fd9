"""Memory of the caches about a workspace and a template, until their statuses record it."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.reconcilers.workspace_entries import TemplateEntry, WorkspaceEntry
from provisioner_operator.core.workspaces.records import Build, WorkspaceStatus
from support.builders.workspaces import a_build, a_workspace, an_import


def test_the_versions_of_the_spec_the_status_and_the_jobs_are_in_use() -> None:
    latest, run = a_build(3, version="c").record, a_build(2, version="b").record
    workspace = a_workspace(pinned_version="a", status=WorkspaceStatus(latest_build=latest, last_run=run))

    entry = WorkspaceEntry(workspace, {4: a_build(4, version="d"), 5: a_build(5, version=None)})

    assert entry.versions_in_use() == {"a", "b", "c", "d"}


def test_a_workspace_without_builds_uses_only_the_version_that_it_asks_for() -> None:
    assert WorkspaceEntry(a_workspace(pinned_version="a")).versions_in_use() == {"a"}
    assert WorkspaceEntry(a_workspace()).versions_in_use() == set()


def test_the_versions_of_jobs_are_in_use_before_their_workspace_is_observed() -> None:
    assert WorkspaceEntry(builds={1: a_build(version="a")}).versions_in_use() == {"a"}


@pytest.mark.parametrize(
    ("build", "dropped"),
    [
        pytest.param(a_build(3), True, id="it is the last run"),
        pytest.param(a_build(3, phase=Phase.FAILED), False, id="the last run, of which the status has another end"),
        pytest.param(a_build(2), True, id="one that began before the last run"),
        pytest.param(a_build(4), False, id="one that began after the last run"),
        pytest.param(a_build(4, phase=Phase.CANCELED, began=False), True, id="one that never began"),
        pytest.param(a_build(5, phase=Phase.CANCELED, began=False), False, id="the latest"),
        pytest.param(a_build(2, phase=Phase.RUNNING), False, id="it has not ended"),
    ],
)
def test_a_build_is_dropped_once_the_status_records_what_became_of_it(build: Build, *, dropped: bool) -> None:
    status = WorkspaceStatus(latest_build=a_build(5, phase=Phase.PENDING).record, last_run=a_build(3).record)
    entry = WorkspaceEntry(a_workspace(status=status), {build.record.number: build})

    assert entry.drop_reported() == ([build.job_uid] if dropped else [])
    assert bool(entry.builds) is not dropped


def test_jobs_are_kept_until_their_workspace_or_template_is_observed() -> None:
    assert WorkspaceEntry(builds={1: a_build()}).drop_reported() == []
    assert not WorkspaceEntry(builds={1: a_build()}).holds(1)
    assert TemplateEntry(imports={"template-1": an_import(phase=Phase.COMPLETED)}).drop_reported() == []
