"""Every kind of the controller's writes, and every way in which the API server refuses one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from support.manifests import Manifest
from support.object_store import Refusal
from support.scripted_client import Matcher
from support.virtual_controller import VirtualController

RIGHT = Refusal(403, {"reason": "Forbidden", "message": 'forbidden: User "operator" cannot create resource "things"'})
POLICY = Refusal(
    422,
    {
        "reason": "Invalid",
        "message": "forbidden: ValidatingAdmissionPolicy 'labels' with binding 'all' denied request: a label is missing",
        "details": {"causes": [{"message": "a label is missing"}]},
    },
)
WEBHOOK = Refusal(403, {"message": 'admission webhook "w.example.org" denied the request: a label is missing'})
ODD_WEBHOOK = Refusal(422, {"message": "a label is missing", "details": {}})
"""In words that nobody knows: it looks like a failed test of a patch."""
INVALID = Refusal(
    422,
    {"reason": "Invalid", "message": "spec.x: too long", "details": {"causes": [{"field": "spec.x", "message": ""}]}},
)
TOO_LARGE = Refusal(413, {"reason": "RequestEntityTooLarge", "message": "Request entity too large: limit is 3145728"})
BAD = Refusal(400, {"reason": "BadRequest", "message": "the object in the data is not valid"})
DENIALS = {
    f"webhook with code {code}": Refusal(
        code, {"message": 'admission webhook "w.example.org" denied the request: too big'}
    )
    for code in (400, 404, 409, 410, 413, 418, 429, 500, 502, 503, 504)
}
"""A webhook chooses the code of its denial; some of them have another meaning when the API server itself answers."""
LASTING = {
    "missing right": RIGHT,
    "policy": POLICY,
    "webhook": WEBHOOK,
    "webhook in odd words": ODD_WEBHOOK,
    "invalid": INVALID,
    "too large": TOO_LARGE,
    "bad request": BAD,
    **DENIALS,
}
ETCD = Refusal(500, {"reason": "InternalError", "message": "etcdserver: request timed out"})
QUOTA = Refusal(409, {"reason": "Conflict", "message": "Operation cannot be fulfilled on resourcequotas"})

BACKOFF = [0, 1, 3, 7, 15, 31, 63]
"""Seconds after the first try: a pause of one second, doubled each time."""
CREATION_BACKOFF = [0, 10, 30, 70]
"""Of a pool's Pods, whose failures and refusals are one trouble with longer pauses."""
WATCHED = 100.0


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write, and how to bring it about."""

    refused: Matcher
    prepare: Callable[[VirtualController], Awaitable[str]]
    """Has the write made; returns the path of the object that it is about."""
    verb: str
    part: str
    """Of the refused request's path, to count it."""
    reason: str | None
    """Of the object's condition `Ready`; None where the status is what is refused, or has no such condition."""
    tries: tuple[float, ...] = tuple(BACKOFF)


def is_request(verb: str, collection: str, *, status: bool = False) -> Matcher:
    def matches(asked: str, path: str) -> bool:
        is_in = path.endswith(f"/{collection}") if verb == "POST" else f"/{collection}/" in path
        return asked == verb and is_in and path.endswith("/status") == status

    return matches


async def a_workspace(controller: VirtualController) -> str:
    return controller.add_workspace()


async def _template(controller: VirtualController) -> str:
    return controller.add_template()


async def _template_in_files(controller: VirtualController) -> str:
    return controller.add_template(source={"inline": {"files": {"main.tf": "# nothing"}}}, provisioner="terraform")


async def _pool(controller: VirtualController) -> str:
    return controller.add_pool()


async def _pod(controller: VirtualController) -> str:
    return controller.add_pod()


async def _waiting_job(controller: VirtualController) -> str:
    return controller.add_job("job")


async def _job_with_daemon(controller: VirtualController) -> str:
    controller.add_daemon()
    return controller.add_job("job")


async def _expired_job(controller: VirtualController) -> str:
    path = controller.add_job("job", ttlSecondsAfterFinished=0)
    controller.edit(path, status={"phase": "Failed", "finishedAt": "2027-01-01T00:00:00Z", "reason": "RunFailed"})
    return path


WRITES = {
    "finalizer of a workspace": Write(
        is_request("PATCH", "workspaces"), a_workspace, "PATCH", "/workspaces/dev", "WriteRefused"
    ),
    "job of a build": Write(
        is_request("POST", "provisionerjobs"), a_workspace, "POST", "/provisionerjobs", "BuildRefused"
    ),
    "status of a workspace": Write(
        is_request("PATCH", "workspaces", status=True), a_workspace, "PATCH", "/workspaces/dev/status", None
    ),
    "finalizer of a template": Write(
        is_request("PATCH", "workspacetemplates"), _template, "PATCH", "/workspacetemplates/template", "WriteRefused"
    ),
    "files of a version": Write(
        is_request("POST", "configmaps"), _template_in_files, "POST", "/configmaps", "WriteRefused"
    ),
    "job of an import": Write(
        is_request("POST", "provisionerjobs"), _template, "POST", "/provisionerjobs", "WriteRefused"
    ),
    "status of a template": Write(
        is_request("PATCH", "workspacetemplates", status=True),
        _template,
        "PATCH",
        "/workspacetemplates/template/status",
        None,
    ),
    "finalizer of a pool": Write(
        is_request("PATCH", "provisionerpools"), _pool, "PATCH", "/provisionerpools/pool", "WriteRefused"
    ),
    "Pod of a pool": Write(
        is_request("POST", "pods"), _pool, "POST", "/pods", "FailedCreate", tries=tuple(CREATION_BACKOFF)
    ),
    "status of a pool": Write(
        is_request("PATCH", "provisionerpools", status=True), _pool, "PATCH", "/provisionerpools/pool/status", None
    ),
    "daemon of a Pod": Write(is_request("POST", "provisionerdaemons"), _pod, "POST", "/provisionerdaemons", None),
    "explanation of a job": Write(
        is_request("PATCH", "provisionerjobs", status=True), _waiting_job, "PATCH", "/provisionerjobs/job/status", None
    ),
    "assignment of a job": Write(
        is_request("PATCH", "provisionerjobs", status=True),
        _job_with_daemon,
        "PATCH",
        "/provisionerjobs/job/status",
        None,
    ),
    "deletion of an ended job": Write(
        is_request("DELETE", "provisionerjobs"), _expired_job, "DELETE", "/provisionerjobs/job", None
    ),
}
TESTED = {name for name, write in WRITES.items() if write.verb == "PATCH"}
"""Writes whose request carries tests."""


async def refused(controller: VirtualController, write: Write, answer: Refusal) -> tuple[str, list[float]]:
    """Have the write refused for a while; returns the object's path and when it was tried."""
    if write.prepare is a_workspace:
        await controller.make_template_ready()
    controller.client.refusals["it"] = (write.refused, answer)
    began = len(controller.client.requests)
    path = await write.prepare(controller)
    await asyncio.sleep(WATCHED)
    tried = [each.at for each in controller.client.requests[began:] if write.refused(each.method, each.path)]
    return path, tried


def refusals(controller: VirtualController) -> list[Manifest]:
    return [each for each in controller.events() if each["reason"] in {"WriteRefused", "DaemonRefused"}]
