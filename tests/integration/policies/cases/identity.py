"""Names of others in jobs."""

from integration.policies.cases.case import Case, Request, create, patch, spec
from integration.policies.cases.objects import a_build
from support.builders.manifests import a_job_manifest
from support.manifests import Manifest

_FOR_ANOTHER: Manifest = {
    "initiator": "boss",
    "cancel": True,
    "canceledBy": "boss",
    "tags": {"scope": "user", "owner": "boss"},
    "workspaceRef": a_build("boss"),
    "templateRef": {"name": "template", "uid": "uid-of-template"},
    "ownerMayCancel": True,
}


def _a_plan(owner: str) -> Manifest:
    """The workspaceRef of a plan by a user."""
    return {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "owner": owner}


_OWN: Manifest = {
    "initiator": "submitter",
    "canceledBy": "submitter",
    "tags": {"scope": "user", "owner": "submitter"},
    "workspaceRef": {"name": "dev", "owner": "submitter"},
}
_MANAGED = "only the controller sets spec.workspaceRef.uid"


def _refused(title: str, who: str, request: Request, says: str) -> Case:
    return Case("identity", title, who, request, refused=says)


def _allowed(title: str, who: str, request: Request) -> Case:
    return Case("identity", title, who, request)


CASES = (
    *(
        _refused(f"a submitter creates a job with {field}", "submitter", create(a_job_manifest("new", **given)), says)
        for field, given, says in (
            ("another's initiator", {"initiator": "boss"}, 'spec.initiator "boss" is not your own name'),
            ("no initiator's name", {"initiator": ""}, 'spec.initiator "" is not your own name'),
            ("another's canceledBy", {"canceledBy": "boss"}, 'spec.canceledBy "boss" is not your own name'),
            (
                "another's tag",
                {"tags": {"scope": "user", "owner": "boss"}},
                'spec.tags: the tag owner "boss" is not your own name',
            ),
            (
                "another's workspace",
                {"workspaceRef": {"name": "dev", "owner": "boss"}},
                'spec.workspaceRef.owner "boss" is not your own name',
            ),
            ("a workspace's UID", {"workspaceRef": {"name": "dev", "uid": "uid-of-dev"}}, _MANAGED),
            ("a workspace's change", {"workspaceRef": {"name": "dev", "change": "x"}}, _MANAGED),
            ("a template's UID", {"templateRef": {"name": "template", "uid": "uid-of-template"}}, _MANAGED),
            ("ownerMayCancel", {"ownerMayCancel": True}, _MANAGED),
            ("a plan to keep", {"type": "WorkspacePlan", "workspaceRef": {"name": "dev"}, "keepPlan": True}, _MANAGED),
            ("a kept plan to apply", {"planRef": {"job": "dev-1", "digest": "a" * 64}}, _MANAGED),
            (
                "another's workspace to plan",
                {"type": "WorkspacePlan", "workspaceRef": _a_plan("boss")},
                'spec.workspaceRef.owner "boss" is not your own name',
            ),
        )
    ),
    _allowed(
        "a submitter plans a workspace by its UID",
        "submitter",
        create(a_job_manifest("new", type="WorkspacePlan", workspaceRef=_a_plan("submitter"))),
    ),
    _allowed("a submitter creates a job with the own name", "submitter", create(a_job_manifest("new", **_OWN))),
    _allowed("a submitter creates a job without names", "submitter", create(a_job_manifest("new"))),
    _allowed("the tag owner is empty", "submitter", create(a_job_manifest("new", tags={"owner": ""}))),
    *(
        _allowed(
            f"an admin creates a job with another's {field}", "namespace-admin", create(a_job_manifest("new", **given))
        )
        for field, given in (
            *((field, {field: value}) for field, value in _FOR_ANOTHER.items() if field != "cancel"),
            ("all", _FOR_ANOTHER),
        )
    ),
    _refused(
        "a canceler blames another",
        "canceler",
        spec("pj", "plain", cancel=True, canceledBy="boss"),
        'spec.canceledBy "boss" is not your own name',
    ),
    _allowed("a canceler cancels", "canceler", spec("pj", "plain", cancel=True, canceledBy="canceler")),
    *(
        _allowed(
            f"another's name stands in the job already: {name}",
            "submitter",
            patch("pj", name, {"metadata": {"labels": {"a": "b"}}}),
        )
        for name in ("plain", "canceled", "tagged", "of-boss", "of-a-template")
    ),
)
