"""Cancels of jobs, changes of how they are canceled, and owners that would have them collected."""

from typing import Any

from integration.policies.cases.case import Case, Request, create, patch, spec
from integration.policies.cases.objects import a_build, owner_reference, with_metadata
from support.builders.manifests import a_job_manifest

_OWNER = owner_reference("Pod", "mine", "UID-OF-Pod-mine")
_OTHER_OWNER = owner_reference("Pod", "other", "UID-OF-Pod-other")


def _refused(title: str, who: str, request: Request, what: str) -> Case:
    return Case("cancel", title, who, request, refused=f'user "{who}" may not {what}')


def _allowed(title: str, who: str, request: Request) -> Case:
    return Case("cancel", title, who, request)


def _owners(name: str, *owners: Any, **spec: Any) -> Request:
    return patch("pj", name, {"metadata": {"ownerReferences": list(owners)}} | ({"spec": spec} if spec else {}))


CASES = (
    _refused("a submitter cancels", "submitter", spec("pj", "plain", cancel=True), "cancel"),
    _allowed("an admin cancels", "namespace-admin", spec("pj", "plain", cancel=True)),
    _refused(
        "a submitter creates a job that is canceled", "submitter", create(a_job_manifest("new", cancel=True)), "cancel"
    ),
    _allowed("an admin creates one", "namespace-admin", create(a_job_manifest("new", cancel=True))),
    _allowed("a submitter creates a job", "submitter", create(a_job_manifest("new"))),
    _allowed("a submitter changes a job's priority", "submitter", spec("pj", "submitted", priority=3)),
    _allowed("a submitter changes the priority of a canceled job", "submitter", spec("pj", "canceled", priority=3)),
    *(
        _refused(
            f"a submitter changes {next(iter(change))}",
            "submitter",
            spec("pj", "canceled", **change),
            "change cancelMode, cancelReason or canceledBy of",
        )
        for change in ({"cancelMode": "Force"}, {"cancelReason": "mine"}, {"canceledBy": "submitter"})
    ),
    _refused("a submitter gives a job an owner", "submitter", _owners("plain", _OWNER), "give an owner to"),
    _refused(
        "a submitter gives a job a second owner",
        "submitter",
        _owners("owned", _OWNER, _OTHER_OWNER),
        "give an owner to",
    ),
    _allowed("a submitter leaves a job's owner as it is", "submitter", _owners("owned", _OWNER, priority=3)),
    _refused(
        "a submitter gives a job's owner another name",
        "submitter",
        _owners("owned", _OWNER | {"name": "other"}),
        "give an owner to",
    ),
    _allowed("a submitter takes a job's owner away", "submitter", _owners("owned")),
    _refused(
        "a submitter creates a job with an owner",
        "submitter",
        create(with_metadata(a_job_manifest("new"), ownerReferences=[_OWNER])),
        "give an owner to",
    ),
    _allowed(
        "the controller creates a job with an owner",
        "controller",
        create(with_metadata(a_job_manifest("new"), ownerReferences=[_OWNER])),
    ),
    _allowed("an admin gives a job an owner", "namespace-admin", _owners("plain", _OWNER)),
    _allowed("the workspace's owner cancels its job", "submitter", spec("pj", "lenient", cancel=True)),
    _refused("the template does not allow it", "submitter", spec("pj", "strict", cancel=True), "cancel"),
    _refused("somebody else owns the workspace", "submitter", spec("pj", "of-boss", cancel=True), "cancel"),
    _refused(
        "the workspace's owner cancels its job and gives it an owner",
        "submitter",
        _owners("lenient", _OWNER, cancel=True),
        "cancel",
    ),
    _allowed("the controller takes back a build", "controller", spec("pj", "strict", cancel=True)),
    _refused("the controller cancels what is no build", "controller", spec("pj", "plain", cancel=True), "cancel"),
    _refused(
        "the controller cancels a build that has begun", "controller", spec("pj", "build-begun", cancel=True), "cancel"
    ),
    _refused(
        "the controller changes the reason alone",
        "controller",
        spec("pj", "strict", cancelReason="mine"),
        "change cancelMode, cancelReason or canceledBy of",
    ),
    _refused(
        "the controller creates a canceled build",
        "controller",
        create(a_job_manifest("new", cancel=True, workspaceRef=a_build("boss"))),
        "cancel",
    ),
)
