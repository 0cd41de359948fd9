"""Every reading route answers what Coder's client can decode."""

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.web.coder.convert.ids import initiator_id, version_id
from provisioner_operator.web.index.cluster_index import NAMESPACES
from support.coder.api_world import ACME, OTHER, VERSION, ApiWorld, uid
from support.coder.go_decoder import problems_of

ORGANIZATION = f"/api/v2/organizations/{uid(NAMESPACES, ACME)}"
VERSION_ID = version_id(ACME, VERSION)
ROUTES = {
    "/api/v2/buildinfo": "BuildInfoResponse",
    "/api/v2/users/first": "Response",
    "/api/v2/users/me": "User",
    "/api/v2/users/sam": "User",
    "/api/v2/users/ada@example.com": "User",
    f"/api/v2/users/{initiator_id('ada@example.com')}": "User",
    "/api/v2/users/me/organizations": "[]Organization",
    "/api/v2/users/me/organizations/acme": "Organization",
    "/api/v2/organizations": "[]Organization",
    "/api/v2/organizations/acme": "Organization",
    ORGANIZATION: "Organization",
    f"{ORGANIZATION}/provisionerjobs": "[]ProvisionerJob",
    "/api/v2/provisioner/jobs": "[]ProvisionerJob",
    **{
        f"{ORGANIZATION}/provisionerjobs/{uid(JOBS, name)}": "ProvisionerJob"
        for name in (
            "dev-1",
            "dev-2",
            "gone-3",
            "gone-4",
            "gone-5",
            "waiting-1",
            "stuck-1",
            f"{VERSION}-import",
            "plan",
        )
    },
    f"{ORGANIZATION}/provisionerdaemons": "[]ProvisionerDaemon",
    f"{ORGANIZATION}/provisionerdaemons?offline=true": "[]ProvisionerDaemon",
    "/api/v2/workspaces?q=owner:ada@example.com": "WorkspacesResponse",
    **{f"/api/v2/workspaces/{uid(WORKSPACES, name)}": "Workspace" for name in ("dev", "fresh", "old")},
    "/api/v2/users/ada@example.com/workspace/dev?include_deleted=false": "Workspace",
    f"/api/v2/workspaces/{uid(WORKSPACES, 'dev')}/builds": "[]WorkspaceBuild",
    "/api/v2/users/ada@example.com/workspace/dev/builds/2": "WorkspaceBuild",
    "/api/v2/users/ada@example.com/workspace/old/builds/4": "WorkspaceBuild",
    f"/api/v2/workspacebuilds/{uid(JOBS, 'dev-2')}": "WorkspaceBuild",
    f"/api/v2/workspacebuilds/{uid(JOBS, 'gone-3')}": "WorkspaceBuild",
    f"/api/v2/workspacebuilds/{uid(WORKSPACES, 'old')}": "WorkspaceBuild",
    f"/api/v2/workspacebuilds/{uid(WORKSPACES, 'old')}/resources": "[]WorkspaceResource",
    f"/api/v2/workspacebuilds/{uid(JOBS, 'dev-2')}/parameters": "[]WorkspaceBuildParameter",
    "/api/v2/templates": "[]Template",
    f"{ORGANIZATION}/templates": "[]Template",
    f"{ORGANIZATION}/templates/docker": "Template",
    f"{ORGANIZATION}/templates/docker/versions/{VERSION}": "TemplateVersion",
    f"/api/v2/templates/{uid(TEMPLATES, 'docker')}": "Template",
    f"/api/v2/templates/{uid(TEMPLATES, 'docker')}/versions": "[]TemplateVersion",
    f"/api/v2/templates/{uid(TEMPLATES, 'docker')}/versions/{VERSION}": "TemplateVersion",
    f"/api/v2/templateversions/{VERSION_ID}": "TemplateVersion",
    f"/api/v2/templateversions/{VERSION_ID}/rich-parameters": "[]TemplateVersionParameter",
    f"/api/v2/templateversions/{VERSION_ID}/external-auth": "[]TemplateVersionExternalAuth",
}
"""Paths, and the type into which Coder's client decodes the answer."""
OPEN = {"/api/v2/buildinfo", "/api/v2/users/first"}
"""Paths that need no token."""


@pytest.fixture(scope="module")
def world() -> ApiWorld:
    """The installation, which these tests only read."""
    return ApiWorld()


@pytest.mark.parametrize(("path", "go_type"), ROUTES.items())
def test_the_client_can_decode_the_answer(world: ApiWorld, path: str, go_type: str) -> None:
    answer = world.get(path)
    assert answer.status_code == 200, answer.text
    assert problems_of(go_type, answer.json()) == []


OF_OTHERS = (
    f"/api/v2/organizations/{OTHER}",
    f"/api/v2/organizations/{uid(NAMESPACES, OTHER)}/provisionerjobs",
    f"/api/v2/organizations/{OTHER}/provisionerdaemons",
    f"/api/v2/organizations/{OTHER}/provisionerjobs/{uid(JOBS, 'foreign')}",
    f"{ORGANIZATION}/provisionerjobs/{uid(JOBS, 'foreign')}",
    f"/api/v2/organizations/{OTHER}/templates",
    f"/api/v2/workspaces/{uid(WORKSPACES, 'theirs')}",
    f"/api/v2/workspaces/{uid(WORKSPACES, 'theirs')}/builds",
    f"/api/v2/workspacebuilds/{uid(JOBS, 'foreign')}",
    f"/api/v2/workspacebuilds/{uid(WORKSPACES, 'theirs')}",
    f"/api/v2/templates/{uid(TEMPLATES, 'theirs')}",
    "/api/v2/users/somebody",
    f"/api/v2/users/{uid(DAEMONS, 'nobody')}",
    "/api/v2/organizations/no-such-namespace",
    "/api/v2/organizations/No%20Name",
    f"/api/v2/templateversions/{uid(TEMPLATES, 'docker')}",
    f"/api/v2/workspacebuilds/{uid(JOBS, VERSION + '-import')}",
)


@pytest.mark.parametrize("path", OF_OTHERS)
def test_what_the_user_may_not_see_does_not_exist(world: ApiWorld, path: str) -> None:
    answer = world.get(path)
    assert answer.status_code == 404
    assert problems_of("Response", answer.json()) == []


@pytest.mark.parametrize("path", [path for path in ROUTES if path not in OPEN])
def test_without_a_token_there_is_no_answer(world: ApiWorld, path: str) -> None:
    answer = world.get(path, user=None)
    assert answer.status_code == 401
    assert problems_of("Response", answer.json()) == []


@pytest.mark.parametrize(
    "path", ["/api/v2/organizations", "/api/v2/provisioner/jobs", "/api/v2/templates", "/api/v2/users/me/organizations"]
)
def test_lists_of_somebody_without_rights_are_empty(world: ApiWorld, path: str) -> None:
    answer = world.get(path, user="nia")
    assert answer.json() == []


@pytest.mark.parametrize("path", [path for path in ROUTES if path not in OPEN])
def test_an_unknown_parameter_is_refused(world: ApiWorld, path: str) -> None:
    answer = world.get(path.partition("?")[0] + "?sort=name")
    assert answer.status_code == 400
    assert answer.json()["validations"] == [
        {"field": "sort", "detail": "Query param 'sort' is not a valid query param"}
    ]
    assert problems_of("Response", answer.json()) == []
