"""A small installation as the web server's index sees it, and the application on it, for tests of the API.

Nothing answers in the place of the API server: what needs one is tested on a real one (`tests/integration/web`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from uuid import NAMESPACE_URL, uuid5

import httpx
from starlette.requests import HTTPConnection

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.access.authentication import token_of
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.access.tokens import Token
from provisioner_operator.web.api.document import api_document
from provisioner_operator.web.api.reference import api
from provisioner_operator.web.app import UnguardedApp
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.problems import unauthenticated
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams
from support.builders.core import NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest, a_template_manifest, a_workspace_manifest
from support.builders.stored import CREATED, stored
from support.coder.openapi import Document
from support.manifests import Manifest

if TYPE_CHECKING:
    from provisioner_operator.kube.client import KubeClient

ACME, OTHER = "acme", "other"
VERSION = "docker-0a1b2c3d"
TOKEN = "sam-token"
HEARTBEAT = "2027-01-15T07:59:55Z"


def uid(kind: str, name: str) -> str:
    """The UID of an object of the world."""
    return str(uuid5(NAMESPACE_URL, f"{kind}/{name}"))


def a_stored(plural: str, manifest: Manifest, status: Manifest | None = None, **metadata: Any) -> Manifest:
    """An object with a UID as the API server makes it."""
    name = manifest["metadata"]["name"]
    return stored(manifest, status=status, **{"uid": uid(plural, name)} | metadata)


def a_build_job(number: int, *, phase: str = "Pending", workspace: str = "dev", **fields: Any) -> Manifest:
    """A job of a workspace of ada's; keyword arguments are fields of the status."""
    metadata = fields.pop("metadata", {})
    spec = fields.pop("spec", {})
    reference = {
        "name": workspace,
        "uid": uid(WORKSPACES, workspace),
        "owner": "ada@example.com",
        "buildNumber": number,
    }
    template = {"name": "docker", "version": VERSION}
    manifest = a_job_manifest(
        f"{workspace}-{number}",
        workspaceRef=reference,
        templateRef=template,
        initiator="ada@example.com",
        **{"tags": {"zone": "eu"}} | spec,
    )
    return a_stored(JOBS, manifest, {"phase": phase} | fields, **metadata)


def ran(phase: str, *, daemon: str = "busy") -> Manifest:
    """Status of a job that a daemon ran."""
    status: Manifest = {
        "phase": phase,
        "assignment": {"daemon": daemon, "daemonUID": uid(DAEMONS, daemon), "id": "first", "time": CREATED},
        "startedAt": "2027-01-15T08:00:01.5Z",
    }
    return status if phase in {"Running", "Canceling"} else status | {"finishedAt": "2027-01-15T08:01:00Z"}


def a_daemon(name: str, *, state: str = "Idle", heartbeat: str | None = HEARTBEAT, **fields: Any) -> Manifest:
    """A daemon with the tag zone=eu."""
    status = {"state": state, "version": "0.9.0", **({"lastHeartbeatTime": heartbeat} if heartbeat else {})}
    manifest = a_daemon_manifest(name, tags={"zone": "eu"}, **fields.pop("spec", {}))
    return a_stored(DAEMONS, manifest, status | fields)


def a_template() -> Manifest:
    """A template with two versions: one that failed, and one that is active."""
    parameters: list[Manifest] = [
        {"name": "cpus", "type": "number", "default": "2", "mutable": True, "validation": {"min": 1, "max": 2**40}},
        {
            "name": "region",
            "displayName": "Region",
            "description": "Place of the machine",
            "options": [{"name": "Europe", "value": "eu"}, {"name": "America", "value": "us", "description": "far"}],
        },
        {"name": "gpu", "type": "bool", "default": "false"},
        {"name": "groups", "type": "list(string)", "default": "[]"},
    ]
    recorded = [
        {key: value for key, value in each.items() if key not in {"displayName", "description"}} for each in parameters
    ]
    recorded[1] = {"name": "region", "options": [{"value": "eu"}, {"value": "us"}]}
    versions = [
        {
            "name": "docker-ffffffff",
            "phase": "Failed",
            "importJob": "docker-ffffffff-import",
            "createdAt": CREATED,
            "message": "The files do not parse.",
        },
        {
            "name": VERSION,
            "phase": "Ready",
            "importJob": f"{VERSION}-import",
            "createdAt": CREATED,
            "parameters": recorded,
        },
    ]
    manifest = a_template_manifest(
        "docker", displayName="Docker", icon="/icon/docker.png", parameters=parameters, allowUserCancel=True
    )
    return a_stored(TEMPLATES, manifest, {"activeVersion": VERSION, "versions": versions, "workspaces": 3})


def a_workspace(name: str, **fields: Any) -> Manifest:
    """A workspace of ada's made from the template."""
    spec = fields.pop("spec", {})
    manifest = a_workspace_manifest(
        name,
        **{
            "templateRef": {"name": "docker"},
            "owner": "ada@example.com",
            "initiator": "ada@example.com",
            "parameters": [{"name": "region", "value": "eu"}],
        }
        | spec,
    )
    return a_stored(WORKSPACES, manifest, fields)


def a_namespace(name: str) -> Manifest:
    """A namespace."""
    return {
        "metadata": {"name": name, "uid": uid(NAMESPACES, name), "resourceVersion": "1", "creationTimestamp": CREATED}
    }


def all_objects() -> list[tuple[str, Manifest]]:
    """One object of each sort that answers show differently."""
    foreign: dict[str, Any] = {"namespace": OTHER}
    done = {"type": "Ready", "status": "True", "reason": "UpToDate", "lastTransitionTime": CREATED}
    outdated = {"type": "Outdated", "status": "True", "reason": "NewerVersion", "lastTransitionTime": CREATED}
    import_job = a_job_manifest(
        f"{VERSION}-import",
        type="TemplateImport",
        transition=None,
        workspaceRef=None,
        templateRef={"name": "docker", "uid": uid(TEMPLATES, "docker"), "version": VERSION},
        initiator="ada@example.com",
    )
    dry_run = a_job_manifest("plan", type="TemplateDryRun", transition=None, workspaceRef=None)
    recorded = {
        "number": 4,
        "job": "old-4",
        "transition": "Stop",
        "version": VERSION,
        "change": "c",
        "phase": "Completed",
        "startedAt": CREATED,
        "finishedAt": CREATED,
    }
    current = [{"name": "dev-2", "uid": uid(JOBS, "dev-2"), "workspace": "dev", "startedAt": CREATED}]
    return [
        (NAMESPACES, a_namespace(ACME)),
        (NAMESPACES, a_namespace(OTHER)),
        (TEMPLATES, a_template()),
        (DAEMONS, a_daemon("idle")),
        (DAEMONS, a_daemon("busy", state="Busy", currentJobs=current)),
        (DAEMONS, a_daemon("silent", heartbeat="2027-01-15T07:00:00Z")),
        (DAEMONS, a_daemon("never", state="Offline", heartbeat=None)),
        (WORKSPACES, a_workspace("dev", conditions=[done, outdated], completedBuild=1)),
        (WORKSPACES, a_workspace("fresh")),
        (WORKSPACES, a_workspace("old", latestBuild=recorded, completedBuild=4, version=VERSION)),
        (JOBS, a_build_job(1, **ran("Completed"))),
        (JOBS, a_build_job(2, **ran("Running"))),
        (JOBS, a_build_job(3, workspace="gone", **ran("Failed"), message="Terraform failed.", reason="RunFailed")),
        (JOBS, a_build_job(4, workspace="gone", **ran("Canceled"), spec={"transition": "Delete", "cancel": True})),
        (JOBS, a_build_job(5, workspace="gone", **ran("Canceling"), spec={"transition": "Stop", "cancel": True})),
        (JOBS, a_build_job(1, workspace="waiting")),
        (JOBS, a_build_job(1, workspace="stuck", spec={"tags": {"zone": "mars"}})),
        (JOBS, a_stored(JOBS, import_job, ran("Completed"))),
        (JOBS, a_stored(JOBS, dry_run)),
        (JOBS, a_stored(JOBS, a_job_manifest("foreign"), **foreign)),
        (DAEMONS, a_stored(DAEMONS, a_daemon_manifest("foreign"), {}, **foreign)),
        (WORKSPACES, a_stored(WORKSPACES, a_workspace_manifest("theirs"), {}, **foreign)),
        (TEMPLATES, a_stored(TEMPLATES, a_template_manifest("theirs"), {}, **foreign)),
    ]


def an_index(objects: Collection[tuple[str, Manifest]] | None = None) -> ClusterIndex:
    """An index that has listed every kind."""
    index = ClusterIndex(lambda: Instant(NOON, 0))
    for plural, body in all_objects() if objects is None else objects:
        index.apply(plural, "ADDED", body)
    index.complete()
    return index


Rights = Callable[[Question], bool]


def may_all_in(*namespaces: str) -> Rights:
    """The rights of somebody who may do everything in these namespaces."""
    return lambda question: question.namespace in namespaces


@dataclass
class KnownUsers:
    """Finds the users of a test by their tokens."""

    index: ClusterIndex
    rights: Mapping[str, Rights]
    asked: list[Question] = field(default_factory=list)
    client: "KubeClient" = cast("KubeClient", None)  # noqa: RUF009 - nothing is made
    """Client of each user; none, but for a test of an API server that does not answer."""

    async def caller(self, connection: HTTPConnection) -> Caller:
        """The user whose token the request carries."""
        token = token_of(connection.headers)
        name = "" if token is None else token.value.removesuffix("-token")
        if name not in self.rights:
            raise unauthenticated()
        return Caller(
            User(name, ("system:authenticated",)),
            self.client,
            None,
            name,
            self._review(name),
            lambda: self.index.namespaces,
        )

    async def caller_with(self, token: Token, connection: HTTPConnection) -> Caller:
        """Nobody logs in here."""
        raise NotImplementedError

    def _review(self, name: str) -> Callable[[Question], Awaitable[bool]]:
        async def review(question: Question) -> bool:
            self.asked.append(question)
            return self.rights[name](question)

        return review


@cache
def document() -> Document:
    """Make the OpenAPI document of the API, against which each answer is checked."""
    return Document(api_document(api()))


@dataclass
class ApiWorld:
    """An index, and a client of the API on it: sam may do everything in acme, nia nothing anywhere."""

    index: ClusterIndex = field(default_factory=an_index)

    def __post_init__(self) -> None:
        """Build the application."""
        self.users = KnownUsers(self.index, {"sam": may_all_in(ACME), "nia": may_all_in(), "root": lambda _: True})

        def clock() -> Instant:
            return Instant(NOON, 0)

        self.app = UnguardedApp(WebContext(self.index, self.users, Settings(), clock, Streams(clock)))

    def get(self, path: str, *, user: str | None = "sam", **headers: str) -> httpx.Response:
        """Send a GET."""
        return self.send("GET", path, user=user, **headers)

    def send(self, method: str, path: str, *, user: str | None = "sam", **headers: str) -> httpx.Response:
        """Send a request as a user; header names are written with underscores."""
        return asyncio.run(self._send(method, path, user, headers))

    async def _send(self, method: str, path: str, user: str | None, headers: Mapping[str, str]) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            sent["Coder-Session-Token"] = f"{user}-token"
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.request(method, path, headers=sent)
        if path.startswith("/api/"):
            media_type = answer.headers.get("content-type", "").partition(";")[0]
            body = answer.json() if media_type.endswith("json") else answer.text or None
            if answer.status_code != httpx.codes.NOT_MODIFIED:
                assert document().problems(method, path, answer.status_code, media_type, body) == []
        return answer
