"""Objects that are stored in the namespace of the cases. Words like `UID-OF-Pod-mine` stand for UIDs, `THE-NAMESPACE` for its name."""

from typing import Any

from provisioner_operator.api.v1alpha1.names import API_VERSION, KEPT_PLAN_TYPE, STATE_VERSIONS_TYPE
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_template_manifest,
    a_workspace_manifest,
    an_assignment,
)
from support.cluster.pods import SERVICE_ACCOUNT
from support.manifests import Manifest

NOW = "2026-01-01T00:00:00Z"
STATE = "default-dev-ws"
"""End of the names of the Secret and of the Lease of a workspace's state."""
RUNS_LOCK = "lock-tfstate-default-run-ws"
"""Lock of a state that the run of a job holds."""
_BACKED_UP = {"backup": "yes"}
_OWNED: dict[str, Any] = {
    "labels": _BACKED_UP,
    "annotations": _BACKED_UP,
    "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "mine", "uid": "UID-OF-Pod-mine"}],
}
"""Metadata that an administrator has put on them."""


def owner_reference(kind: str, name: str, uid: str, version: str = "v1") -> Manifest:
    """A reference to an owner, for an object's metadata."""
    return {"apiVersion": version, "kind": kind, "name": name, "uid": uid}


def with_metadata(manifest: Manifest, **metadata: Any) -> Manifest:
    """The manifest with these fields of its metadata."""
    return manifest | {"metadata": manifest["metadata"] | metadata}


def log_archive(job: str, *, writer: str | None = "mine", **metadata: Any) -> Manifest:
    """A job's log archive as its daemon writes it."""
    annotations = {} if writer is None else {"provisioner.dev/daemon": writer}
    standard = {
        "labels": {"provisioner.dev/job": job},
        "annotations": annotations,
        "ownerReferences": [owner_reference("ProvisionerJob", job, f"UID-OF-ProvisionerJob-{job}", API_VERSION)],
    }
    return config_map(f"{job}-log", **(standard | metadata))


def config_map(name: str, /, **metadata: Any) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name} | metadata}


def secret(name: str, **metadata: Any) -> Manifest:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, **metadata}}


def state_versions(name: str) -> Manifest:
    """A Secret for the versions of a state."""
    return secret(name) | {"type": STATE_VERSIONS_TYPE}


def kept_plan(job: str = "mine-running", name: str = "tfplan-mine-running-0", **metadata: Any) -> Manifest:
    """A Secret of the plan that a job keeps."""
    owner = owner_reference("ProvisionerJob", job, f"UID-OF-ProvisionerJob-{job}", API_VERSION)
    standard = {"labels": {"provisioner.dev/job": job}, "ownerReferences": [owner]}
    return secret(name, **(standard | metadata)) | {"type": KEPT_PLAN_TYPE, "immutable": True}


def lease(name: str, **metadata: Any) -> Manifest:
    """A Lease."""
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, **metadata}}


def held_lease(name: str, holder: str, **metadata: Any) -> Manifest:
    """A Lease that somebody holds."""
    return lease(name, **metadata) | {"spec": {"holderIdentity": holder}}


def event(reason: str = "StateLockReleased", **fields: Any) -> Manifest:
    """The Event that a daemon records."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "event"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "provisioner.dev/provisioner-daemon",
        "reportingInstance": "mine",
        "action": "Lock",
        "reason": reason,
        "type": "Normal",
        "regarding": an_object("ProvisionerJob"),
        **fields,
    }


def an_object(kind: str, version: str = API_VERSION) -> Manifest:
    """Object of an Event."""
    return {"apiVersion": version, "kind": kind, "name": "mine-running", "namespace": "THE-NAMESPACE"}


def token_secret(name: str) -> Manifest:
    """A Secret that the cluster fills with a token of the daemons' ServiceAccount."""
    account = {"kubernetes.io/service-account.name": SERVICE_ACCOUNT}
    return secret(name, annotations=account) | {"type": "kubernetes.io/service-account-token"}


def a_build(owner: str, **reference: Any) -> Manifest:
    """The workspaceRef of a build that the controller made."""
    return {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "x", "owner": owner} | reference


def _job(name: str, **spec: Any) -> Manifest:
    return a_job_manifest(name, **({"initiator": "boss"} | spec))


def _daemon(name: str, kind: str, owner: str, uid: str, version: str = "v1") -> Manifest:
    return with_metadata(a_daemon_manifest(name), ownerReferences=[owner_reference(kind, owner, uid, version)])


def _workspace(name: str, **spec: Any) -> Manifest:
    return a_workspace_manifest(name, **({"owner": "submitter", "initiator": "boss"} | spec))


JOBS = [
    _job("plain"),
    _job("submitted", initiator="submitter"),
    with_metadata(_job("finalized"), finalizers=["orphan"]),
    _job("canceled", initiator="submitter", cancel=True, canceledBy="boss"),
    _job("blamed", canceledBy="boss"),
    _job("tagged", tags={"scope": "user", "owner": "boss"}),
    _job("of-a-template", templateRef={"name": "template", "uid": "uid-of-template"}),
    with_metadata(
        _job("owned", initiator="submitter"), ownerReferences=[owner_reference("Pod", "mine", "UID-OF-Pod-mine")]
    ),
    _job("lenient", ownerMayCancel=True, workspaceRef=a_build("submitter")),
    _job("strict", workspaceRef=a_build("submitter")),
    _job("of-boss", ownerMayCancel=True, workspaceRef=a_build("boss")),
    _job("build-begun", workspaceRef=a_build("boss")),
    *(
        _job(name)
        for name in (
            "mine-pending",
            "mine-running",
            "reborn-running",
            "mine-failed",
            "other-running",
            "named-running",
            "backed-up",
        )
    ),
]
OTHERS = [
    _daemon("mine", "Pod", "mine", "UID-OF-Pod-mine"),
    _daemon("other", "Pod", "other", "UID-OF-Pod-other"),
    _daemon("reborn", "Pod", "other", "UID-OF-Pod-other"),
    _daemon("alias", "Pod", "mine", "UID-OF-Pod-mine"),
    # Of a kind that the garbage collector does not know, so that it lets the daemon be.
    _daemon("odd", "Thing", "odd", "UID-OF-Pod-odd", "example.com/v1"),
    a_daemon_manifest("named"),
    a_daemon_manifest("named-cordoned", cordoned=True),
    log_archive("mine-running"),
    log_archive("other-running", writer="other"),
    log_archive(
        "backed-up",
        labels={"provisioner.dev/job": "backed-up"} | _BACKED_UP,
        annotations={"provisioner.dev/daemon": "mine"} | _BACKED_UP,
    ),
    config_map("files"),
    secret("cloud"),
    kept_plan("mine-failed", "tfplan-mine-failed-0"),
    secret(f"tfstate-{STATE}", **_OWNED),
    token_secret("tfstate-default-token-ws"),
    lease("leader"),
    lease(f"lock-tfstate-{STATE}", **_OWNED),
    held_lease(RUNS_LOCK, "provisioner.dev/first", **_OWNED),
    held_lease("lock-tfstate-default-hand-ws", "2e1b4a50"),
    held_lease("elected", "provisioner.dev/first"),
    _workspace("private", owner="boss"),
    _workspace("own"),
    _workspace("own-tagged", tags={"scope": "user", "owner": "boss"}),
    _workspace("nobodys", owner=""),
    with_metadata(_workspace("own-held"), finalizers=["orphan"]),
    with_metadata(_workspace("guarded", approval="Required", approved="a" * 64), finalizers=["orphan"]),
    _workspace("guarded-orphan", approval="Required", deletionPolicy="Orphan"),
    # Made before their templates, which do not allow what they chose.
    _workspace("unbuilt", templateRef={"name": "choices"}),
    _workspace("built", templateRef={"name": "choices"}, parameters=[{"name": "size", "value": "2"}]),
    _workspace("unfit", templateRef={"name": "changed"}, parameters=[{"name": "size", "value": "5"}]),
    _workspace("unseen", templateRef={"name": "failing"}),
    _workspace("older", templateRef={"name": "moved"}),
    _workspace("broken", templateRef={"name": "moved"}),
    _workspace("mover", templateRef={"name": "moved"}, updatePolicy="OnStart"),
    a_template_manifest("moved", parameters=[{"name": "gpu", "type": "bool", "default": "true"}]),
    a_template_manifest(
        "choices",
        parameters=[
            {"name": "size", "type": "number", "default": "1", "mutable": True, "validation": {"min": 1, "max": 8}},
            {"name": "least", "type": "number", "default": "1", "validation": {"min": 1}},
            {"name": "most", "type": "number", "default": "1", "validation": {"max": 8}},
            {"name": "count", "type": "number", "default": "1"},
            {"name": "gpu", "type": "bool", "default": "false"},
            {"name": "zone", "default": "a", "options": [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]},
            {
                "name": "team",
                "default": "core",
                "mutable": True,
                "validation": {"regex": "^[a-z]+$", "error": "small letters"},
            },
            {"name": "disks", "type": "list(string)", "default": "[]", "options": [{"name": "A", "value": "a"}]},
        ],
    ),
    a_template_manifest(
        "demanding",
        parameters=[
            {"name": "region"},
            {"name": "note", "default": ""},
            {"name": "zone", "default": "z", "options": [{"name": "Z", "value": "z"}]},
        ],
    ),
    a_template_manifest(
        "changed",
        parameters=[
            {"name": "size", "type": "bool", "default": "true"},
            {"name": "gpu", "type": "bool", "default": "true"},
            {"name": "region"},
        ],
    ),
    *(
        a_template_manifest(name, parameters=[{"name": "region"}])
        for name in ("failing", "importing", "edited", "missing")
    ),
    a_template_manifest("unused"),
    a_template_manifest("used"),
    *(
        with_metadata(a_template_manifest(f"used-{word}"), annotations={"provisioner.dev/allow-deletion": word})
        for word in ("true", "false")
    ),
]
UNSTAMPED = [a_job_manifest("unstamped", cancel=True), a_workspace_manifest("unstamped")]
"""Made by a user whose name fits no field, so that nobody is stamped on them."""


def _of(manifest: Manifest, **status: Any) -> Manifest:
    identity = {key: manifest[key] for key in ("apiVersion", "kind")}
    return identity | {"metadata": {"name": manifest["metadata"]["name"]}, "status": status}


def _assigned(name: str, daemon: str, **status: Any) -> Manifest:
    pod = {"podUID": _POD_UIDS[name]} if name in _POD_UIDS else {}
    return _of(a_job_manifest(name), assignment=an_assignment(daemon, **pod), **status)


_RUNNING = {"phase": "Running", "startedAt": NOW}
_FAILED = _RUNNING | {"phase": "Failed", "reason": "DeadlineExceeded", "finishedAt": NOW}
_POD_UIDS = {"mine-running": "UID-OF-Pod-mine", "reborn-running": "uid-of-a-former-pod"}
"""Of the jobs whose assignment records it."""
_RUNNERS = {
    "mine-running": "mine",
    "reborn-running": "reborn",
    "mine-failed": "mine",
    "other-running": "other",
    "named-running": "named",
    "build-begun": "other",
}
_BUILD = {"number": 1, "job": "built-1", "transition": "Start", "change": "x", "phase": "Completed"}
_VERSION = {
    "name": "moved-1",
    "phase": "Ready",
    "importJob": "moved-1-import",
    "createdAt": NOW,
    "parameters": [{"name": "region", "default": "us"}],
}
_UNRECORDED = {**{key: value for key, value in _VERSION.items() if key != "parameters"}, "name": "moved-0"}
"""A version of before parameters were recorded."""
_FORMER = {**_VERSION, "name": "former", "supersededAt": NOW, "parameters": [{"name": "size", "default": "1"}]}
_FAILED_VERSION = {**_UNRECORDED, "name": "failed", "phase": "Failed"}
_IMPORTING = [_FORMER, {**_FAILED_VERSION, "supersededAt": NOW}, {**_UNRECORDED, "name": "new", "phase": "Importing"}]


def _not_ready(reason: str, *versions: Manifest) -> Manifest:
    """The status of a template whose active version is the former one."""
    condition = {"status": "False", "reason": reason, "message": "", "lastTransitionTime": NOW}
    return {
        "activeVersion": "former",
        "versions": versions or (_FORMER, _FAILED_VERSION),
        "observedGeneration": 1,
        "conditions": [{"type": "Ready", **condition}],
    }


_PARAMETERS = [{"name": "size", "value": "2"}, {"name": "zone", "value": "a"}]
STATUSES = [
    [
        *(_assigned(name, daemon) for name, daemon in ({"mine-pending": "mine"} | _RUNNERS).items()),
        _of(a_workspace_manifest("built"), lastRun=_BUILD, parameters=_PARAMETERS),
        _of(a_workspace_manifest("unbuilt"), parameters=_PARAMETERS),
        *(
            _of(a_workspace_manifest(name), lastRun=_BUILD, version="moved-1", completedBuild=1)
            for name in ("older", "mover")
        ),
        _of(a_workspace_manifest("broken"), lastRun=_BUILD, version="moved-1", completedBuild=0),
        _of(a_template_manifest("moved"), versions=[_UNRECORDED, _VERSION]),
        _of(a_template_manifest("failing"), **_not_ready("ImportFailed")),
        _of(a_template_manifest("edited"), **_not_ready("ImportFailed") | {"observedGeneration": 0}),
        _of(a_template_manifest("importing"), **_not_ready("Importing", *_IMPORTING)),
        _of(a_template_manifest("missing"), **_not_ready("SourceUnavailable")),
        *(_of(a_template_manifest(name), workspaces=2) for name in ("used", "used-true", "used-false")),
    ],
    [_assigned(name, daemon, **_RUNNING) for name, daemon in _RUNNERS.items()],
    [_assigned("mine-failed", "mine", **_FAILED)],
]
"""Steps to the status that each of them has."""
