"""The web server as a real process, and its users: ServiceAccounts with the roles of `tests/integration/conftest.py`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from support.builders.manifests import role_binding
from support.cluster.kubectl import Kubectl
from support.cluster.role_bindings import grant_roles
from support.programs.programs import READY_WITHIN, Program

TIMEOUT = httpx.Timeout(READY_WITHIN)
_POLL = 0.02
_ASK = 0.1
"""Seconds between two requests, each of which is work for the program that starts."""


class WebProgram(Program):
    """A web server."""

    @property
    def url(self) -> str:
        """Return its address, once it listens."""
        return f"http://127.0.0.1:{self.await_record(key='port')}"

    def await_audit(self, answer: httpx.Response) -> Sequence[Mapping[str, object]]:
        """Return the audit records of a request, which the server writes once it has sent the answer."""
        request = answer.headers["X-Request-Id"]
        deadline = time.monotonic() + READY_WITHIN
        while not (found := [each for each in self.records() if each.get("request_id") == request]):
            assert time.monotonic() < deadline, f"the request {request} was never logged:\n{self.tail()}"
            time.sleep(_POLL)
        return found


@contextmanager
def a_web_server(kubeconfig: Path, *arguments: str, **settings: str) -> Iterator[WebProgram]:
    """Run a web server with settings by their names, and wait until it has listed everything."""
    given = [
        "run",
        f"--kubeconfig={kubeconfig}",
        "--http-host=127.0.0.1",
        "--http-port=0",
        "--metrics-port=0",
        *arguments,
    ]
    program = WebProgram("web", "provisioner_operator.web", given, _environment(settings))
    try:
        await_ready(program.url)
        yield program
    finally:
        program.end()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"PROVISIONER_WEB_{name.upper()}": value for name, value in settings.items()}


def await_ready(url: str) -> None:
    """Wait until a server has listed everything."""
    deadline = time.monotonic() + READY_WITHIN
    with httpx.Client(base_url=url, timeout=TIMEOUT) as client:
        while client.get("/readyz").status_code != httpx.codes.OK:
            assert time.monotonic() < deadline, f"{url} was not ready within {READY_WITHIN:.0f} s"
            time.sleep(_ASK)


@dataclass
class WebUsers:
    """Users of a web server in one namespace, made when they are first needed."""

    admin: Kubectl
    """The cluster's administrator, in the namespace."""
    url: str
    roles: Mapping[str, str]
    """ClusterRole of each user."""
    _tokens: dict[str, str] = field(default_factory=dict)
    _clients: list[httpx.Client] = field(default_factory=list)

    def name(self, user: str) -> str:
        """Return the user's full name, as the API server knows it."""
        return f"system:serviceaccount:{self.admin.namespace}:{user}"

    def token(self, user: str) -> str:
        """Return a token of the user; `nobody` and others without a role may do nothing."""
        if user not in self._tokens:
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": user}}
            self.admin.create(account)
            if user in self.roles:
                namespace = str(self.admin.namespace)
                grant_roles(self.admin, [role_binding(self.name(user), self.roles[user], namespace=namespace)])
            self._tokens[user] = self.new_token(user)
        return self._tokens[user]

    def new_token(self, user: str, *, seconds: int = 3600) -> str:
        """Return another token of an existing user; the API server grants at least ten minutes."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"name": user},
            "spec": {"expirationSeconds": seconds},
        }
        return str(self.admin.post("serviceaccount", user, "token", body)["status"]["token"])

    def client(self, user: str) -> httpx.Client:
        """Return a client that sends the user's token with each request, as Coder's programs do."""
        client = httpx.Client(base_url=self.url, headers={"Coder-Session-Token": self.token(user)}, timeout=TIMEOUT)
        self._clients.append(client)
        return client

    def stranger(self) -> httpx.Client:
        """Return a client without a token."""
        client = httpx.Client(base_url=self.url, timeout=TIMEOUT)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            client.close()
