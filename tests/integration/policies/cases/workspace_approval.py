"""Approvals of plans, and ways around them."""

from integration.policies.cases.case import Case, Request, create, delete, patch, spec
from support.builders.manifests import a_workspace_manifest
from support.manifests import Manifest

_DIGEST = "b" * 64
_LABELED: Manifest = {"metadata": {"labels": {"changed": "yes"}}}
_NO_APPROVER = 'may not approve a plan of workspaces "{}"'
_REQUIRED = 'workspaces "{}" requires approval of its builds'


def _case(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("workspace-approval", title, who, request, refused=says)


_APPROVED = spec("ws", "nobodys", approved=_DIGEST)
CASES = (
    _case("approved by its owner", "submitter", spec("ws", "own", approved=_DIGEST), _NO_APPROVER.format("own")),
    _case(
        "made with an approval",
        "submitter",
        create(a_workspace_manifest("new", owner="submitter", approved=_DIGEST)),
        _NO_APPROVER.format("new"),
    ),
    _case("approved by an admin", "namespace-admin", spec("ws", "own", approved=_DIGEST)),
    _case("approved by an account", "system:serviceaccount:elsewhere:robot", _APPROVED, _NO_APPROVER.format("nobodys")),
    *(
        _case(f"approved by {who}", who, _APPROVED)
        for who in ("system:a-component", "system:serviceaccount:kube-system:collector")
    ),
    _case("an approval stands there already", "submitter", patch("ws", "guarded", _LABELED)),
    _case("an approval is withdrawn", "submitter", spec("ws", "guarded", approved=None)),
    _case("approval is required by its owner", "submitter", spec("ws", "own", approval="Required")),
    _case("back to Automatic", "submitter", spec("ws", "guarded", approval="Automatic"), _REQUIRED.format("guarded")),
    _case("back to Automatic by an admin", "namespace-admin", spec("ws", "guarded", approval="Automatic")),
    _case("set to Orphan", "submitter", spec("ws", "guarded", deletionPolicy="Orphan"), _REQUIRED.format("guarded")),
    _case("Orphan stands there already", "submitter", patch("ws", "guarded-orphan", _LABELED)),
    _case("deleted with Orphan", "submitter", delete("ws", "guarded-orphan"), _REQUIRED.format("guarded-orphan")),
    _case("deleted", "submitter", delete("ws", "guarded")),
    _case("one that builds at once, set to Orphan", "submitter", spec("ws", "own", deletionPolicy="Orphan")),
    _case("one that builds at once, deleted", "submitter", delete("ws", "own")),
    _case("made, to build at once", "submitter", create(a_workspace_manifest("new", owner="submitter"))),
    _case(
        "a finalizer is removed",
        "submitter",
        patch("ws", "guarded", {"metadata": {"finalizers": None}}),
        _REQUIRED.format("guarded"),
    ),
    _case(
        "a finalizer is removed by the controller",
        "controller",
        patch("ws", "guarded", {"metadata": {"finalizers": None}}),
    ),
    _case(
        "a finalizer of one that builds at once is removed",
        "submitter",
        patch("ws", "own-held", {"metadata": {"finalizers": None}}),
    ),
)
