"""Names and finalizers that the API server writes, and managed fields that it leaves out; none of it before Kubernetes 1.36."""

from typing import Any

from integration.policies.cases.case import Case, Request, apply, create, create_as, patch, spec
from integration.policies.cases.objects import with_metadata
from integration.policies.cases.world import LONG_NAME
from support.builders.manifests import a_daemon_manifest, a_job_manifest, a_workspace_manifest

_ADMIN = "namespace-admin"
_LABELED = {"metadata": {"labels": {"changed": "yes"}}}


def _case(policy: str, title: str, who: str, request: Request, **stored: Any) -> Case:
    expected = {f"spec.{field}": value for field, value in stored.items() if field != "finalizers"}
    if "finalizers" in stored:
        expected["metadata.finalizers"] = stored["finalizers"]
    return Case(f"stamp-{policy}", title, who, request, stored=expected)


def _canceler(title: str, who: str, request: Request, canceled_by: str | None) -> Case:
    return _case("job", title, who, request, canceledBy=canceled_by)


def _initiator(title: str, who: str, request: Request, initiator: str | None) -> Case:
    return _case("job", title, who, request, initiator=initiator)


def _workspace(title: str, request: Request, who: str = _ADMIN, **stored: Any) -> Case:
    return _case("workspace", title, who, request, **stored)


_FORGET_CANCELER = patch("pj", "canceled", [{"op": "remove", "path": "/spec/canceledBy"}])
_FORGET_INITIATOR = patch("pj", "plain", [{"op": "remove", "path": "/spec/initiator"}])


def _of_another_type(policy: str, manifest: dict[str, Any]) -> tuple[Case, ...]:
    """Specs that the schema refuses, in its own words."""
    bare = {field: value for field, value in manifest.items() if field != "spec"}
    expected = "spec in body must be of type object"
    return (
        Case(policy, "without a spec", _ADMIN, create(bare), refused="spec: Required value"),
        Case(policy, "a list as spec", _ADMIN, create(bare | {"spec": []}), refused=expected),
        Case(policy, "a text as spec", _ADMIN, create(bare | {"spec": "x"}), refused=expected),
    )


CANCELER = (
    _canceler("created canceled", _ADMIN, create(a_job_manifest("new", cancel=True)), _ADMIN),
    _canceler("created without a cancel", _ADMIN, create(a_job_manifest("new")), None),
    _canceler("canceled by name", _ADMIN, create(a_job_manifest("new", cancel=True, canceledBy="boss")), "boss"),
    _canceler("canceled", _ADMIN, spec("pj", "plain", cancel=True), _ADMIN),
    _canceler("canceled later by name", _ADMIN, spec("pj", "plain", cancel=True, canceledBy="boss"), "boss"),
    _canceler("a name stood there before", _ADMIN, spec("pj", "blamed", cancel=True), _ADMIN),
    _canceler("another stood there before", _ADMIN, spec("pj", "blamed", cancel=True, canceledBy="chief"), "chief"),
    _canceler("changed after the cancel", _ADMIN, spec("pj", "canceled", priority=3), "boss"),
    _canceler("canceler left out after the cancel", _ADMIN, _FORGET_CANCELER, "boss"),
    _canceler("canceled before there was stamping", _ADMIN, spec("pj", "unstamped", priority=3), None),
    _canceler("a canceler that does not fit", LONG_NAME, spec("pj", "plain", cancel=True), None),
    *(
        Case(
            "stamp-job",
            f"{what} with a text",
            _ADMIN,
            request,
            refused='spec.cancel: Invalid value: "string": spec.cancel in body must be of type boolean',
        )
        for what, request in (
            ("created", create(a_job_manifest("new", cancel="true"))),
            ("canceled", spec("pj", "plain", cancel="true")),
        )
    ),
)
INITIATOR = (
    _initiator("created", _ADMIN, create(a_job_manifest("new")), _ADMIN),
    _initiator("created by name", _ADMIN, create(a_job_manifest("new", initiator="boss")), "boss"),
    _initiator("initiator left out later", _ADMIN, _FORGET_INITIATOR, "boss"),
    _initiator("created before there was stamping", _ADMIN, spec("pj", "unstamped", priority=3), None),
    _initiator("an initiator that does not fit", LONG_NAME, create(a_job_manifest("new")), None),
    *_of_another_type("stamp-job", a_job_manifest("new")),
)


def _untracked(policy: str, manifest: dict[str, Any]) -> tuple[Case, ...]:
    """New objects whose field managers are recorded only for who applies them."""
    by_client = with_metadata(manifest, annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"})
    return (
        Case(policy, "created with its fields", _ADMIN, create(manifest), managers=()),
        Case(policy, "applied", _ADMIN, apply(manifest), managers=("kubectl",)),
        Case(
            policy,
            "applied by the client",
            _ADMIN,
            create_as("argocd-controller", by_client),
            managers=("argocd-controller",),
        ),
    )


UNTRACKED = (
    *_untracked("stamp-job", a_job_manifest("new", initiator="boss")),
    *_untracked("untracked-daemon", a_daemon_manifest("new")),
)
_FINALIZERS = ["provisioner.dev/destroy"]
_CHANGES: tuple[dict[str, Any], ...] = (
    {"templateRef": {"name": "template", "version": "template-1"}},
    {"parameters": [{"name": "size", "value": "1"}]},
    {"tags": {"environment": "cloud"}},
    {"running": False},
    {"rebuildGeneration": 1},
    {"updatePolicy": "Always"},
    {"autostopSeconds": 60},
)
WORKSPACE = (
    _workspace("created", create(a_workspace_manifest("new")), owner=_ADMIN, initiator=_ADMIN, finalizers=_FINALIZERS),
    _workspace(
        "created by name",
        create(a_workspace_manifest("new", owner="boss", initiator="chief")),
        owner="boss",
        initiator="chief",
    ),
    _workspace(
        "created with a finalizer",
        create(with_metadata(a_workspace_manifest("new"), finalizers=["example.com/own"])),
        finalizers=["example.com/own"],
    ),
    *(
        _workspace(f"changed: {next(iter(change))}", spec("ws", "private", **change), initiator=_ADMIN, owner="boss")
        for change in _CHANGES
    ),
    _workspace("changed by name", spec("ws", "private", running=False, initiator="chief"), initiator="chief"),
    _workspace("changed in no field that is built", patch("ws", "private", _LABELED), initiator="boss", owner="boss"),
    _workspace(
        "left out later",
        patch("ws", "private", [{"op": "remove", "path": f"/spec/{field}"} for field in ("initiator", "owner")]),
        initiator="boss",
        owner="boss",
    ),
    _workspace(
        "the finalizer is taken away", patch("ws", "private", {"metadata": {"finalizers": None}}), finalizers=None
    ),
    _workspace("created before there was stamping", patch("ws", "unstamped", _LABELED), initiator=None, owner=None),
    _workspace(
        "a name that does not fit",
        create(a_workspace_manifest("new")),
        LONG_NAME,
        owner=None,
        initiator=None,
        finalizers=None,
    ),
    *_of_another_type("stamp-workspace", a_workspace_manifest("new")),
)
CASES = (*CANCELER, *INITIATOR, *UNTRACKED, *WORKSPACE)
