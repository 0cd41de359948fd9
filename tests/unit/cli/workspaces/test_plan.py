"""Builds of a workspace that a plan of it has to know, before the workspace's status records them."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.workspaces.plan import unfinished_builds
from support.builders.manifests import a_job_manifest
from support.builders.stored import stored
from support.builders.workspaces import a_workspace


class Jobs:
    """An API server with these jobs, which keeps the selector by which they were listed."""

    def __init__(self, *bodies: Any) -> None:
        self.bodies = bodies
        self.selector = ""

    def list(self, path: str, params: dict[str, str]) -> list[Any]:
        assert path.endswith("/namespaces/acme/provisionerjobs")
        self.selector = params["fieldSelector"]
        return [*self.bodies]


def a_running(name: str, **spec: Any) -> Any:
    chosen = {"daemon": "d1", "daemonUID": "u1", "id": "first", "time": "2027-01-15T08:00:30Z"}
    status = {"phase": "Running", "assignment": chosen, "startedAt": "2027-01-15T08:00:31Z"}
    return stored(a_job_manifest(name, **spec), status=status)


def as_cluster(jobs: Jobs) -> Any:
    return jobs


def test_a_build_is_known_before_the_status_of_its_workspace_records_it() -> None:
    own = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "c"}
    jobs = Jobs(
        a_running("dev-1", workspaceRef=own),
        a_running("dev-plan-abcd", type="WorkspacePlan", workspaceRef={**own, "buildNumber": 2}),
        a_running("by-hand", workspaceRef={"name": "dev"}),
        a_running("dev-9", workspaceRef={**own, "uid": "another", "buildNumber": 9}),
    )

    builds = unfinished_builds(as_cluster(jobs), a_workspace())

    assert {number: build.record.phase for number, build in builds.items()} == {1: Phase.RUNNING}
    assert jobs.selector.startswith("spec.workspaceRef.name=dev,")
    assert "status.phase!=Completed" in jobs.selector
