"""Changes of other users' jobs, and jobs written by hand for other users' Workspaces."""

from integration.policies.cases.case import Case, Request, create, patch, spec
from integration.policies.cases.objects import a_build
from support.builders.manifests import a_job_manifest

_OF_NO_WORKSPACE = {"type": "TemplateDryRun", "transition": None, "workspaceRef": None}
_FINALIZED = {"metadata": {"finalizers": ["example.org/x"]}}


def _refused(title: str, request: Request, says: str) -> Case:
    return Case("job-ownership", title, "submitter", request, refused=says)


def _allowed(title: str, who: str, request: Request) -> Case:
    return Case("job-ownership", title, who, request)


def _destroys(name: str) -> Request:
    return create(a_job_manifest("new", transition="Delete", workspaceRef={"name": name}))


OF_JOBS = (
    *(
        _refused(
            f"a submitter changes {field} of another's job",
            spec("pj", "plain", **{field: value}),
            f'user "submitter" may not change spec.{field} of provisionerjobs "plain", which is of "boss"',
        )
        for field, value in (("suspend", True), ("priority", -9), ("ttlSecondsAfterFinished", 0))
    ),
    _refused(
        "a submitter gives another's job a finalizer",
        patch("pj", "plain", _FINALIZED),
        'user "submitter" may not change metadata.finalizers of provisionerjobs "plain", which is of "boss"',
    ),
    _refused(
        "a submitter changes a job of no known user",
        spec("pj", "unstamped", suspend=True),
        'provisionerjobs "unstamped", which is of no known user',
    ),
    _allowed(
        "a submitter labels another's job", "submitter", patch("pj", "plain", {"metadata": {"labels": {"a": "b"}}})
    ),
    _allowed(
        "a submitter takes a finalizer away", "submitter", patch("pj", "finalized", {"metadata": {"finalizers": []}})
    ),
    _allowed(
        "a submitter keeps a finalizer", "submitter", patch("pj", "finalized", {"metadata": {"labels": {"a": "b"}}})
    ),
    _allowed("the initiator changes the job", "submitter", spec("pj", "submitted", suspend=True)),
    _allowed("the initiator gives it a finalizer", "submitter", patch("pj", "submitted", _FINALIZED)),
    _allowed("the workspace's owner changes its job", "submitter", spec("pj", "strict", suspend=True)),
    _allowed("who may cancel changes a job", "canceller", spec("pj", "plain", suspend=True)),
    _allowed("who may delete changes a job", "controller", spec("pj", "plain", ttlSecondsAfterFinished=0)),
)
OF_WORKSPACES = (
    Case("workspace-jobs", "the workspace's owner destroys it by hand", "submitter", _destroys("own")),
    Case(
        "workspace-jobs",
        "a submitter destroys another's workspace",
        "submitter",
        _destroys("private"),
        refused='Workspace "private" is of "boss": only its owner may create jobs for it',
    ),
    Case("workspace-jobs", "a submitter destroys a workspace of everybody", "submitter", _destroys("nobodys")),
    Case("workspace-jobs", "a submitter uses a name that is no Workspace's", "submitter", _destroys("free")),
    Case("workspace-jobs", "an admin destroys another's workspace", "namespace-admin", _destroys("private")),
    Case(
        "workspace-jobs",
        "the controller builds it",
        "controller",
        create(a_job_manifest("new", workspaceRef=a_build("boss", name="private"))),
    ),
    Case("workspace-jobs", "a job of no workspace", "submitter", create(a_job_manifest("new", **_OF_NO_WORKSPACE))),
)
CASES = (*OF_JOBS, *OF_WORKSPACES)
