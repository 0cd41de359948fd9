"""Rows of the list of jobs."""

import pytest

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.web.page.jobs.filters import JobFilter
from provisioner_operator.web.page.jobs.listing import queue_facts, rendered, rendered_row
from provisioner_operator.web.page.jobs.table import CancelRights, job_line
from provisioner_operator.web.page.rendering import render
from support.builders.manifests import a_job_manifest
from support.coder.api_world import ACME, OTHER, a_stored, all_objects, an_index

NAMESPACES = frozenset({ACME, OTHER})
OWNED = {
    name: a_job_manifest(name, workspaceRef={"name": name, "owner": owner}, ownerMayCancel=allowed)
    for name, owner, allowed in (("dev", "sam", True), ("web", "ada", True), ("db", "sam", False))
}
INDEX = an_index([*all_objects(), *((JOBS, a_stored(JOBS, each)) for each in OWNED.values())])


@pytest.mark.parametrize("all_orgs", [False, True])
@pytest.mark.parametrize("ticking", [False, True])
def test_a_frame_with_its_texts_is_the_row(*, ticking: bool, all_orgs: bool) -> None:
    rows = INDEX.jobs.page(JobFilter().query(INDEX.now()), NAMESPACES, None).rows
    rights = CancelRights("sam", {ACME}, {ACME})
    lines = [job_line(row, queue_facts(INDEX, row), rights, INDEX.now(), ticking=ticking) for row in rows]
    assert {bool(line.place) for line in lines} == {True, False}
    for line in lines:
        assert rendered_row(line, all_orgs=all_orgs).whole == render("jobs/row.html", job=line, all_orgs=all_orgs)


def test_an_owner_may_cancel_what_others_may_not() -> None:
    _, rendering = rendered(INDEX, ACME, JobFilter(), NAMESPACES, CancelRights("", (), NAMESPACES), ticking=True)
    rows = {name: INDEX.jobs.named(ACME, name) for name in OWNED}
    assert rendering.owners == {"sam", "ada"}
    for owner, name in (("sam", "dev"), ("ada", "web")):
        own = rendering.of(owner)
        row = rows[name]
        assert row is not None
        assert {key for key in rendering.rows if own.rows[key] != rendering.rows[key]} == {row.job.uid}
        assert list(own.rows) == list(rendering.rows)
        assert f'aria-label="Cancel job {name}" title="Cancel job"' in own.rows[row.job.uid].whole
        assert 'aria-disabled="true"' in rendering.rows[row.job.uid].whole


def test_whoever_may_cancel_everything_or_nothing_sees_what_such_others_see() -> None:
    for held in (NAMESPACES, frozenset[str]()):
        rights = CancelRights("", held, held)
        _, rendering = rendered(INDEX, ACME, JobFilter(), NAMESPACES, rights, ticking=True)
        assert not rendering.owners
