"""Workspaces of others, and names of others in one's own."""

from integration.policies.cases.case import Case, Request, create, delete, patch, spec
from support.builders.manifests import a_workspace_manifest
from support.manifests import Manifest

_BELONGS = 'workspaces "private" belongs to "boss"'
_LABELED: Manifest = {"metadata": {"labels": {"changed": "yes"}}}
_ANOTHERS_TAGS = {"scope": "user", "owner": "boss"}


def _case(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("workspace-owner", title, who, request, refused=says)


def _new(**fields: object) -> Request:
    return create(a_workspace_manifest("new", **fields))


CASES = (
    _case("another's workspace, changed", "submitter", spec("ws", "private", running=False), _BELONGS),
    _case("another's workspace, deleted", "submitter", delete("ws", "private"), _BELONGS),
    _case("another's workspace, made", "submitter", _new(owner="boss"), 'spec.owner "boss" is not your own name'),
    _case("one's own, changed", "submitter", patch("ws", "own", _LABELED)),
    _case("one's own, deleted", "submitter", delete("ws", "own")),
    _case("one's own, made", "submitter", _new(owner="submitter")),
    _case("nobody's, changed", "submitter", spec("ws", "nobodys", running=False)),
    _case("another's, changed by an admin", "namespace-admin", spec("ws", "private", running=False)),
    _case("another's, deleted by an admin", "namespace-admin", delete("ws", "private")),
    _case("another's, made by an admin", "namespace-admin", _new(owner="boss")),
    *(
        _case(f"{title} in another's name", "submitter", request, 'spec.initiator "chief" is not your own name')
        for title, request in (
            ("made", _new(initiator="chief")),
            ("changed", spec("ws", "own", initiator="chief", running=False)),
        )
    ),
    _case("made in one's own name", "submitter", _new(initiator="submitter")),
    _case("made in another's name by an admin", "namespace-admin", _new(owner="namespace-admin", initiator="boss")),
    *(
        _case(f"{title} with another's tag", "submitter", request, 'the tag owner "boss" is not your own name')
        for title, request in (
            ("made", _new(tags=_ANOTHERS_TAGS)),
            ("changed", spec("ws", "own", tags=_ANOTHERS_TAGS)),
        )
    ),
    _case("made with one's own tag", "submitter", _new(tags={"scope": "user", "owner": "submitter"})),
    _case("made with another's tag by an admin", "namespace-admin", _new(tags=_ANOTHERS_TAGS)),
    _case("another's tag stands there already", "submitter", patch("ws", "own-tagged", _LABELED)),
    _case(
        "another's, changed by an account", "system:serviceaccount:elsewhere:robot", delete("ws", "private"), _BELONGS
    ),
    *(
        _case(f"another's, deleted by {who}", who, delete("ws", "private"))
        for who in ("system:a-component", "system:serviceaccount:kube-system:collector")
    ),
)
