"""The web server in Pods of a real node: each user's rights, cancel, and the live log of a daemon's Pod."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from e2e.product import SYSTEM, WITHIN, Installation, Team, await_that, write_kustomization
from provisioner_devcluster import find_kubectl
from support.cluster.kubectl import Kubectl

WEB = "provisioner-web"
OBJECTS = ("deployment", "service", "poddisruptionbudget", "networkpolicy", "serviceaccount")
OF_THE_CLUSTER = ("clusterrolebinding", "clusterrole")


@pytest.fixture
def server(installation: Installation, image: str, tmp_path: Path) -> Iterator[str]:
    """The URL of the web server, installed as users install it, until the end of the test."""
    folder = write_kustomization(tmp_path, image, components=["web"])
    with_web = Installation(folder, Kubectl(installation.admin.kubeconfig, SYSTEM))
    with_web.apply()
    try:
        with_web.await_rollout(WEB)
        with _forwarded(with_web.admin) as url:
            yield url
    finally:
        for kind in (*OBJECTS, *OF_THE_CLUSTER):
            with_web.admin.run("delete", kind, WEB, "--ignore-not-found", "--wait=false")
        with_web.admin.run("delete", "service", f"{WEB}-metrics", "--ignore-not-found", "--wait=false")


@contextmanager
def _forwarded(admin: Kubectl) -> Iterator[str]:
    """Forward a local port to the Service."""
    cache = admin.kubeconfig.with_name("kubectl-cache")
    command = [
        str(find_kubectl()),
        f"--kubeconfig={admin.kubeconfig}",
        f"--cache-dir={cache}",
        f"--namespace={SYSTEM}",
    ]
    process = subprocess.Popen([*command, "port-forward", f"service/{WEB}", ":80"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield f"http://{line.split()[2]}"
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _token_for(team: Team, role: str) -> str:
    """Create a ServiceAccount with this role in the team's namespace, and Kubernetes' role view, which reads logs."""
    namespace = team.admin.namespace
    team.admin.run("create", "serviceaccount", role)
    for number, each in enumerate((f"provisioner-{role}", "view")):
        binding = ("rolebinding", f"{role}-{number}", f"--clusterrole={each}", f"--serviceaccount={namespace}:{role}")
        team.admin.run("create", *binding)
    return team.admin.run("create", "token", role).stdout.strip()


def _ask(url: str, token: str, method: str = "GET") -> tuple[int, Any]:
    request = urllib.request.Request(url, method=method, headers={"Coder-Session-Token": token})
    try:
        with urllib.request.urlopen(request, timeout=WITHIN) as answer:
            text = answer.read().decode()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_users_find_read_and_cancel_jobs_with_their_own_tokens(server: str, team: Team) -> None:
    admin, viewer = _token_for(team, "admin"), _token_for(team, "viewer")
    jobs = f"{server}/api/v2/organizations/{team.admin.namespace}/provisionerjobs"
    team.create_pool()
    team.submit("talks", lines=10, seconds=300)
    team.jobs.until("talks", "Running", seconds=WITHIN)

    code, [job] = _ask(jobs, viewer)
    assert (code, job["status"], job["worker_name"]) == (200, "running", team.daemon_of("talks"))
    build = f"{server}/api/v2/workspacebuilds/{job['id']}"
    await_that(lambda: "line 1 of 10" in _ask(f"{build}/logs?format=text", viewer)[1], "the log of the daemon's Pod")
    assert _ask(f"{build}/cancel", viewer, "PATCH")[0] == 403
    assert _ask(f"{build}/cancel", admin, "PATCH")[0] == 200
    team.jobs.until("talks", "Canceled", seconds=WITHIN)


def test_nobody_without_a_token_is_shown_anything(server: str) -> None:
    assert _ask(f"{server}/api/v2/organizations", "junk")[0] == 401
