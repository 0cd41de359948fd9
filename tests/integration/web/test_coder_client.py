"""Commands of Coder's client against the web server and a real control plane: replayed, and by the program itself.

The program runs where the environment variable CODER_BINARY names it; else those tests are skipped.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from integration.conftest import ROLES
from integration.workspaces.conftest import PARAMETERS, Team, a_team, a_workspace, is_ready
from support.builders.manifests import role_binding
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.coder.go_decoder import problems_of
from support.coder.real_client import VARIABLE, RealClient
from support.coder.replayed_client import ReplayedClient
from support.manifests import Manifest
from support.programs.web_server import WebProgram, WebUsers
from support.unique import unique

Client = RealClient | ReplayedClient
ClientOf = Callable[[str], Client]
OWNER = "namespace-admin"


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, a daemon with capacity for all tests of the file, and the template `docker`."""
    with (
        a_team(cluster, module_namespace) as team,
        team.product.operator(),
        team.product.daemon("worker", capacity=8),
    ):
        team.make_template("docker", displayName="Docker")
        yield team


@pytest.fixture(scope="module")
def users(team: Team, web_server: WebProgram) -> Iterator[WebUsers]:
    """The users of the namespace; the owner of its workspaces may also read logs."""
    users = WebUsers(team.admin, web_server.url, ROLES)
    users.token(OWNER)
    grant_roles(team.admin, [role_binding(users.name(OWNER), "view", namespace=str(team.admin.namespace))])
    yield users
    users.close()


@pytest.fixture(params=["replayed", "real"])
def client_of(request: pytest.FixtureRequest, users: WebUsers, tmp_path: Path) -> ClientOf:
    """Return the client of a user."""
    if request.param == "replayed":
        return lambda user: ReplayedClient(users.url, users.token(user))
    binary = os.environ.get(VARIABLE)
    if not binary:
        pytest.skip(f"CODER'S CLIENT IS NOT TESTED: {VARIABLE} does not name it")
    return lambda user: RealClient(binary, users.url, users.token(user), tmp_path / user)


@pytest.fixture
def coder(client_of: ClientOf) -> Client:
    """The client of the workspaces' owner."""
    return client_of(OWNER)


def a_running(team: Team, users: WebUsers, *, template: str = "docker", **parameters: str) -> str:
    """Create a workspace of the owner's, wait until it is built, and return its name."""
    name = unique("ws")
    owner = users.name(OWNER)
    team.admin.create(a_workspace(name, templateRef={"name": template}, owner=owner, initiator=owner, **parameters))
    team.until(name, "Starting" if "hold" in parameters else "Running")
    return name


def names_of(team: Team, kind: str) -> list[str]:
    return [each["metadata"]["name"] for each in team.admin.list_all(kind)]


def uid_of(job: Manifest) -> str:
    return str(job["metadata"]["uid"])


def test_logging_in_and_out(users: WebUsers, coder: Client) -> None:
    login = coder.run("login", users.url, "--token", coder.token)
    assert login.code == 0, login
    assert f"Welcome to Coder, {users.name(OWNER)}!" in login.out
    assert users.name(OWNER) in coder.run("whoami").out
    assert coder.run("logout", "-y").code == 0


def test_an_invalid_token_is_refused(users: WebUsers, client_of: ClientOf, tmp_path: Path) -> None:
    known = client_of(OWNER)
    unknown = (
        ReplayedClient(users.url, "junk")
        if isinstance(known, ReplayedClient)
        else RealClient(known.binary, users.url, "junk", tmp_path)
    )
    answer = unknown.run("whoami")
    assert answer.code == 1, answer


def test_organizations(team: Team, coder: Client) -> None:
    assert str(team.admin.namespace) in coder.run("organizations", "list").out
    assert str(team.admin.namespace) in coder.run("organizations", "show", "me").out


def test_daemons(team: Team, coder: Client) -> None:
    [daemon] = coder.run("provisioner", "list", "-o", "json").document
    assert daemon["name"] == "worker"
    assert daemon["id"] == uid_of(team.admin.get("pd", "worker"))
    assert [each["name"] for each in coder.run("provisioner", "list", "-f", "-o", "json").document] == ["worker"]


def test_jobs_are_listed_and_filtered(team: Team, users: WebUsers, coder: Client) -> None:
    stuck = unique("stuck")
    team.product.submit(stuck, tags={"zone": "mars"})
    built = team.jobs_of(a_running(team, users))[0]
    pending = coder.run("provisioner", "jobs", "list", "-s", "pending", "-o", "json").document
    assert uid_of(team.admin.get("pj", stuck)) in [each["id"] for each in pending]
    assert {each["status"] for each in pending} == {"pending"}

    of_owner = coder.run("provisioner", "jobs", "list", "-i", users.name(OWNER), "-o", "json", "-l", "500").document
    assert uid_of(built) in [each["id"] for each in of_owner]
    assert len({each["initiator_id"] for each in of_owner}) == 1

    for status in ("running", "succeeded", "canceling", "canceled", "failed", "failed,canceled"):
        answer = coder.run("provisioner", "jobs", "list", "-s", status, "-o", "json")
        assert answer.code == 0, answer
        found = [] if "No provisioner jobs found" in answer.out else answer.document
        assert {each["status"] for each in found} <= set(status.split(","))
    succeeded = coder.run("provisioner", "jobs", "list", "-s", "succeeded", "-o", "json", "-l", "500").document
    assert uid_of(built) in [each["id"] for each in succeeded]
    assert len(coder.run("provisioner", "jobs", "list", "-l", "1", "-o", "json").document) == 1
    columns = coder.run("provisioner", "jobs", "list", "-s", "pending", "-c", "id,status,queue")
    assert uid_of(team.admin.get("pj", stuck)) in columns.out

    assert "No provisioner jobs found" in coder.run("provisioner", "jobs", "list", "-s", "unknown").out
    assert coder.run("provisioner", "jobs", "list", "-i", "nobody-known").code == 1
    table = coder.run("provisioner", "jobs", "list", "-l", "500")
    assert uid_of(built) in table.out, table


def test_canceling_a_pending_job(team: Team, coder: Client) -> None:
    name = unique("pending")
    job = uid_of(team.product.submit(name, tags={"zone": "mars"}))
    answer = coder.run("provisioner", "jobs", "cancel", job)
    assert answer.code == 0, answer
    assert "Job canceled" in answer.out
    team.product.jobs.until(name, lambda body: body["status"]["phase"] == "Canceled")


def test_canceling_a_running_build_twice(team: Team, users: WebUsers, coder: Client) -> None:
    name = a_running(team, users, hold="true")
    job = team.jobs_of(name)[0]
    assert coder.run("provisioner", "jobs", "cancel", uid_of(job)).code == 0
    team.until(name, "Canceled")
    again = coder.run("provisioner", "jobs", "cancel", uid_of(job))
    assert again.code == 1
    assert "Job has already completed!" in again.err


def test_an_import_that_has_ended_cannot_be_canceled(team: Team, coder: Client) -> None:
    name = next(each for each in names_of(team, "pj") if each.endswith("-import"))
    answer = coder.run("provisioner", "jobs", "cancel", uid_of(team.admin.get("pj", name)))
    assert answer.code == 1
    assert "Job has already completed!" in answer.err


def test_who_may_not_cancel_is_refused(team: Team, client_of: ClientOf) -> None:
    name = unique("foreign")
    job = uid_of(team.product.submit(name, tags={"zone": "mars"}))
    answer = client_of("viewer").run("provisioner", "jobs", "cancel", job)
    assert answer.code == 1
    assert "You do not have permission to cancel this job" in answer.err
    assert not team.admin.get("pj", name)["spec"]["cancel"]


def test_who_may_see_nothing_has_no_organization(team: Team, client_of: ClientOf) -> None:
    answer = client_of("nobody").run("provisioner", "jobs", "list")
    assert answer.code == 1
    assert "Must select an organization" in answer.err
    chosen = client_of("nobody").run("provisioner", "jobs", "list", "-O", str(team.admin.namespace))
    assert chosen.code == 1


def test_templates_and_their_versions(team: Team, coder: Client) -> None:
    assert "docker" in coder.run("templates", "list").out
    version = team.admin.get("wst", "docker")["status"]["activeVersion"]
    versions = coder.run("templates", "versions", "list", "docker").out
    assert version in versions
    assert "Succeeded" in versions


def test_the_life_of_a_workspace(team: Team, users: WebUsers, coder: Client) -> None:
    name = a_running(team, users)
    assert name in coder.run("list").out
    assert coder.run("show", name).code == 0
    for command, phase, builds in (("stop", "Stopped", 2), ("start", "Running", 3), ("restart", "Running", 5)):
        answer = coder.run(command, name, "-y")
        assert answer.code == 0, answer
        assert team.until(name, phase)["status"]["buildNumber"] == builds
    assert team.transitions(name) == ["Start", "Stop", "Start", "Stop", "Start"]
    assert "version" not in team.admin.get("ws", name)["spec"]["templateRef"]
    deleted = coder.run("delete", name, "-y")
    assert deleted.code == 0, deleted
    assert name not in names_of(team, "ws")
    assert team.transitions(name)[-1] == "Delete"


def test_a_workspace_is_orphaned(team: Team, users: WebUsers, coder: Client) -> None:
    name = a_running(team, users)
    answer = coder.run("delete", name, "--orphan", "-y")
    assert answer.code == 0, answer
    assert name not in names_of(team, "ws")
    assert team.transitions(name) == ["Start"]


def test_logs_are_followed_to_the_end(team: Team, users: WebUsers, coder: Client) -> None:
    name = a_running(team, users)
    for arguments in (("logs", name), ("logs", "-f", name), ("logs", name, "-n", "1")):
        answer = coder.run(*arguments)
        assert answer.code == 0, answer
        assert "[info] [provisioner|daemon] Completed" in answer.out


def test_who_may_not_read_logs_sees_the_end_of_a_build(team: Team, users: WebUsers, client_of: ClientOf) -> None:
    # The roles of the product do not include ConfigMaps and Pods, where the logs are.
    name = unique("ws")
    owner = users.name("submitter")
    client = client_of("submitter")
    team.admin.create(a_workspace(name, templateRef={"name": "docker"}, owner=owner, initiator=owner))
    team.until(name, "Running")
    assert "The log cannot be read" in client.run("logs", name).out


def test_a_start_moves_to_the_active_version_where_it_may(team: Team, users: WebUsers, coder: Client) -> None:
    template = unique("moving")
    team.make_template(template)
    name = a_running(team, users, template=template)
    assert coder.run("autoupdate", name, "always").code == 0
    assert coder.run("stop", name, "-y").code == 0
    newer = [*PARAMETERS, {"name": "new", "default": "", "mutable": True}]
    changed = team.admin.patch("wst", template, {"spec": {"parameters": newer}})["metadata"]["generation"]
    ready = team.templates.until_latest(
        template, lambda body: is_ready(body) and body["metadata"]["generation"] >= changed
    )
    active = ready["status"]["activeVersion"]

    answer = coder.run("start", name, "-y")
    assert answer.code == 0, answer
    workspace = team.until(name, "Running", build=3)
    assert workspace["status"]["version"] == active
    assert "version" not in workspace["spec"]["templateRef"]


def test_the_log_of_a_running_build_is_followed_to_its_end(team: Team, users: WebUsers, coder: Client) -> None:
    name = a_running(team, users, hold="true")
    with ThreadPoolExecutor() as pool:
        following = pool.submit(coder.run, "logs", "-f", name)
        team.product.ledger.await_run(f"{name}-1")
        team.product.ledger.release(f"{name}-1")
        answer = following.result()
    assert answer.code == 0, answer
    assert "[info] [provisioner|daemon] Completed" in answer.out


def test_a_log_as_text_and_from_a_line_on(team: Team, users: WebUsers) -> None:
    job = uid_of(team.jobs_of(a_running(team, users))[0])
    client, path = users.client(OWNER), f"/api/v2/workspacebuilds/{job}/logs"
    whole = client.get(path).json()
    assert problems_of("[]ProvisionerJobLog", whole) == []
    assert [each["id"] for each in whole] == sorted({each["id"] for each in whole})
    for at, line in enumerate(whole):
        assert client.get(path, params={"after": line["id"]}).json() == whole[at + 1 :]
    text = client.get(path, params={"format": "text"})
    assert text.headers["content-type"].startswith("text/plain")
    assert len(text.text.splitlines()) == len(whole)
    assert client.get(path, params={"follow": "", "format": "text"}).status_code == httpx.codes.BAD_REQUEST
    assert client.get(path, params={"format": "xml"}).status_code == httpx.codes.BAD_REQUEST
    assert users.client("nobody").get(path).status_code == httpx.codes.NOT_FOUND


def test_the_stages_of_a_run(team: Team, users: WebUsers) -> None:
    job = uid_of(team.jobs_of(a_running(team, users))[0])
    found = users.client("viewer").get(f"/api/v2/workspacebuilds/{job}/timings").json()
    assert problems_of("WorkspaceBuildTimings", found) == []
    assert {each["job_id"] for each in found["provisioner_timings"]} == {job}


def test_no_build_is_made_while_one_runs(team: Team, users: WebUsers) -> None:
    name = a_running(team, users, hold="true")
    before = team.admin.get("ws", name)["spec"]
    path = f"/api/v2/workspaces/{team.admin.get('ws', name)['metadata']['uid']}/builds"
    for wanted in ({"transition": "stop"}, {"transition": "start"}, {"transition": "delete"}):
        answer = users.client(OWNER).post(path, json=wanted)
        assert answer.status_code == httpx.codes.CONFLICT
        assert answer.json()["message"] == "A workspace build is already active."
    assert team.admin.get("ws", name)["spec"] == before
    team.product.cancel(team.jobs_of(name)[0]["metadata"]["name"])


def test_no_build_is_made_while_one_waits(team: Team, users: WebUsers) -> None:
    name = unique("ws")
    owner = users.name(OWNER)
    spec = {"templateRef": {"name": "docker"}, "owner": owner, "initiator": owner, "tags": {"zone": "mars"}}
    created = team.admin.create(a_workspace(name, running=False, **spec))
    path = f"/api/v2/workspaces/{created['metadata']['uid']}/builds"
    waiting = users.client(OWNER).post(path, json={"transition": "start"})
    assert waiting.json()["job"]["status"] == "pending"
    before = team.admin.get("ws", name)["spec"]
    answer = users.client(OWNER).post(path, json={"transition": "stop"})
    assert answer.status_code == httpx.codes.CONFLICT
    assert answer.json()["message"] == "A workspace build is already active."
    assert team.admin.get("ws", name)["spec"] == before


def test_a_repeated_request_makes_one_build(team: Team, users: WebUsers) -> None:
    name = a_running(team, users)
    path = f"/api/v2/workspaces/{team.admin.get('ws', name)['metadata']['uid']}/builds"

    def start(key: str) -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return users.client(OWNER).post(path, json={"transition": "start"}, headers=headers)

    with ThreadPoolExecutor() as pool:
        answers = [*pool.map(start, ["first"] * 3), start("first")]
    team.until(name, "Running", build=2)
    answers.append(start("first"))
    assert [each.status_code for each in answers] == [httpx.codes.CREATED] * len(answers), answers[0].text
    assert {each.json()["build_number"] for each in answers} == {2}
    assert team.admin.get("ws", name)["spec"]["rebuildGeneration"] == 1
    assert start("second").json()["build_number"] == 3


def test_a_repeated_deletion_makes_one_build(team: Team, users: WebUsers) -> None:
    # Its destruction waits, since no daemon has this tag.
    name = a_running(team, users)
    team.admin.patch("ws", name, {"spec": {"tags": {"zone": "mars"}}})
    path = f"/api/v2/workspaces/{team.admin.get('ws', name)['metadata']['uid']}/builds"

    def delete(key: str, **wanted: bool) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return users.client(OWNER).post(path, json={"transition": "delete", **wanted}, headers=headers)

    answers = [delete("first"), delete("first"), delete("second")]
    assert [each.status_code for each in answers] == [httpx.codes.CREATED] * len(answers), answers[-1].text
    assert {each.json()["build_number"] for each in answers} == {2}
    assert {each.json()["transition"] for each in answers} == {"delete"}
    assert delete("").status_code == httpx.codes.CONFLICT
    # To keep the resources is another request.
    assert delete("first", orphan=True).status_code == httpx.codes.CONFLICT
    assert team.transitions(name) == ["Start", "Delete"]


def test_a_repeated_retry_of_a_build_makes_one(team: Team, users: WebUsers) -> None:
    name = a_running(team, users)
    job = uid_of(team.jobs_of(name)[0])

    def retry() -> httpx.Response:
        path = f"/api/provisioner/v1/jobs/{job}/retry"
        return users.client(OWNER).post(path, headers={"Idempotency-Key": "once"})

    assert retry().status_code == httpx.codes.OK
    team.until(name, "Running", build=2)
    again = retry()
    assert again.status_code == httpx.codes.OK, again.text
    assert "carried out before" in again.json()["message"]
    assert team.transitions(name) == ["Start", "Start"]


def test_a_start_changes_only_what_is_asked_for(team: Team, users: WebUsers) -> None:
    name = a_running(team, users)
    workspace = team.admin.get("ws", name)
    wanted = {"transition": "start", "rich_parameter_values": [{"name": "size", "value": "3"}]}
    path = f"/api/v2/workspaces/{workspace['metadata']['uid']}/builds"
    answer = users.client(OWNER).post(path, json=wanted)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    assert problems_of("WorkspaceBuild", answer.json()) == []
    assert team.until(name, "Running", build=2)["spec"]["parameters"] == [{"name": "size", "value": "3"}]
    refused = users.client("viewer").post(path, json={"transition": "stop"})
    assert refused.status_code == httpx.codes.FORBIDDEN


def test_settings_of_a_workspace(team: Team, users: WebUsers, coder: Client) -> None:
    name = a_running(team, users)
    assert coder.run("autoupdate", name, "always").code == 0
    assert team.admin.get("ws", name)["spec"]["updatePolicy"] == "OnStart"
    assert coder.run("autoupdate", name, "never").code == 0
    assert team.admin.get("ws", name)["spec"]["updatePolicy"] == "Manual"
    assert "2h" in coder.run("schedule", "stop", name, "2h").out
    assert team.admin.get("ws", name)["spec"]["autostopSeconds"] == 7200
    assert coder.run("schedule", "stop", name, "manual").code == 0
    assert "autostopSeconds" not in team.admin.get("ws", name)["spec"]
