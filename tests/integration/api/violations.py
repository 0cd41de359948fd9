"""One way to break each validation rule of the CRDs, as rows of a table.

A row names the rule by its message. Rows that create are tried without storing anything; rows that change are tried on
a job in a given phase, assigned to the daemon `daemon` unless it is `fresh`.
"""

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.job import JobSpec
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, POOLS, TEMPLATES, WORKSPACES
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
    an_assignment,
)
from support.cluster.phases import FINISHED_AT, STARTED_AT
from support.manifests import Manifest

KINDS = {
    "ProvisionerJob": JOBS,
    "ProvisionerDaemon": DAEMONS,
    "ProvisionerPool": POOLS,
    "WorkspaceTemplate": TEMPLATES,
    "Workspace": WORKSPACES,
}
LATER = "2026-01-01T09:00:00Z"
FRESH = "fresh"
"""A job as it was created, with every field of the spec set and without `cancel`."""


@dataclass(frozen=True, slots=True)
class Creation:
    """An object that is refused."""

    rule: str
    manifest: Manifest
    at: str
    """The field that the refusal names."""

    @property
    def kind(self) -> str:
        return KINDS[self.manifest["kind"]]

    @property
    def says(self) -> str:
        return self.rule

    @override
    def __str__(self) -> str:
        return f"{self.kind}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Change:
    """A merge patch of an existing job, or of the workspace `WORKSPACE`, that is refused."""

    rule: str
    job: Phase | str
    patch: Manifest
    at: str
    message: str = ""
    """What is said, where the rule makes its message from the values."""
    kind: str = JOBS

    @property
    def says(self) -> str:
        return self.message or self.rule

    @override
    def __str__(self) -> str:
        return f"{self.job}: {self.patch} ({self.rule})"


WORKSPACE = a_workspace_manifest("fresh", owner="somebody", rebuildGeneration=1)
FULL_SPEC: dict[str, Any] = {
    "type": "WorkspaceBuild",
    "transition": "Start",
    "provisioner": "terraform",
    "tags": {"environment": "on-prem"},
    "workspaceRef": {"name": "dev"},
    "templateRef": {"name": "template"},
    "source": {"configMapRef": {"name": "files"}},
    "variables": [{"name": "region", "value": "us"}],
    "variablesFrom": [{"secretRef": {"name": "more"}}],
    "initiator": "somebody",
    "pendingTimeoutSeconds": 100,
    "activeDeadlineSeconds": 100,
    "stallTimeoutSeconds": 100,
}
OTHER_VALUES: dict[str, Any] = {
    "type": "TemplateImport",
    "transition": "Stop",
    "provisioner": "echo",
    "tags": {"environment": "cloud"},
    "workspaceRef": {"name": "other"},
    "templateRef": {"name": "other"},
    "source": {"configMapRef": {"name": "other"}},
    "variables": [{"name": "region", "value": "eu"}],
    "variablesFrom": [],
    "initiator": "other",
    "pendingTimeoutSeconds": 101,
    "activeDeadlineSeconds": 101,
    "stallTimeoutSeconds": 101,
    "ownerMayCancel": True,
}
EMPTY_WHEN_ABSENT = frozenset({"tags", "variables", "variablesFrom"})
OPTIONAL_FIELDS = ("tags", "templateRef", "variables", "variablesFrom", "initiator", "stallTimeoutSeconds")


def _frozen(field: str) -> str:
    return f"spec.{field} is immutable: create a new job instead"


def _presence(field: str, job: Phase | str, patch: Manifest) -> "Change":
    """Of what is stored as empty when it is absent, only the value can change."""
    if field in EMPTY_WHEN_ABSENT:
        return Change(_frozen(field), job, patch, f"spec.{field}")
    ending = "is immutable, and can be neither added nor removed: create a new job instead"
    return Change(f"an optional field of spec {ending}", job, patch, "spec", f"spec.{field} {ending}")


FROZEN_FIELDS = tuple(
    alias
    for name, field in JobSpec.model_fields.items()
    if (alias := field.alias or name) not in JobSpec.mutable_fields
)
FROZEN = (
    *(
        Change(_frozen(field), FRESH, {"spec": {field: OTHER_VALUES[field]}}, f"spec.{field}")
        for field in FROZEN_FIELDS
    ),
    # Where the API server stamps the initiator, it is always there: it is kept, and all that it can be is another.
    *(
        _presence(field, FRESH, {"spec": {field: None}})
        for field in (*OPTIONAL_FIELDS, "source", "workspaceRef")
        if field != "initiator"
    ),
    *(
        _presence(field, Phase.PENDING, {"spec": {field: FULL_SPEC[field]}})
        for field in (*OPTIONAL_FIELDS, "source")
        if field != "initiator"
    ),
    Change(_frozen("initiator"), Phase.PENDING, {"spec": {"initiator": "somebody"}}, "spec.initiator"),
)

_KEY = "a tag's key consists of letters, digits, '-', '_', '.' and '/', and begins and ends with a letter or digit"
_TAGS: tuple[tuple[str, dict[str, str]], ...] = (
    ("a tag's key has at most 63 characters", {"k" * 64: "v"}),
    (_KEY, {"-a": "v"}),
    (_KEY, {"a b": "v"}),
    (_KEY, {"": "v"}),
    (_KEY, {"a\n": "v"}),
    ("a tag's value must not be empty: leave the tag out instead", {"environment": ""}),
    ("the tag 'scope' is reserved: its value is organization or user", {"scope": "team"}),
    ("the tag 'scope: user' needs the tag 'owner' with the user's name", {"scope": "user"}),
    ("the tag 'scope: user' needs the tag 'owner' with the user's name", {"scope": "user", "owner": ""}),
    ("the tag 'owner' is reserved: it names a user only beside 'scope: user'", {"owner": "x"}),
    ("the tag 'owner' is reserved: it names a user only beside 'scope: user'", {"scope": "organization", "owner": "x"}),
)
TAGS = tuple(
    Creation(rule, build(tags=tags), "spec.tags")
    for rule, tags in _TAGS
    for build in (a_job_manifest, a_daemon_manifest, a_pool_manifest, a_template_manifest, a_workspace_manifest)
)

_FILE = "a file's name is at most 253 letters, digits, '-', '_' and '.', without a folder"
_SOURCE = "a source has exactly one of inline, configMapRef and git"
_VARIABLE = "a variable has exactly one of value and valueFrom"
_SECRET = {"secretKeyRef": {"name": "secret", "key": "key"}}


_GIT_URL = (
    "a git URL begins with https:// or http://, and holds neither credentials, which belong into a Secret named by "
    "secretRef, nor a query"
)
_GIT_PATH = "a path leads down from the repository's root: no '..', and no '/' at its ends"
_TOO_LARGE = "inline files are at most 512 KiB together: put larger sources into a ConfigMap"
_NO_SOURCE = "spec.source is required when spec.provisioner is terraform"


def _inline(**files: str) -> Manifest:
    return {"source": {"inline": {"files": files}}}


def _git(url: str = "https://git.example.com/templates.git", **fields: str) -> Manifest:
    return {"source": {"git": {"url": url, **fields}}}


_INPUTS: tuple[tuple[str, Manifest, str], ...] = (
    (_NO_SOURCE, {"provisioner": "terraform"}, "spec.source"),
    (_SOURCE, {"source": {}}, "spec.source"),
    (_SOURCE, {"source": {"configMapRef": {"name": "files"}, "inline": {"files": {"main.tf": ""}}}}, "spec.source"),
    (_FILE, _inline(**{"a/main.tf": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{"..": ""}), "spec.source.inline.files"),
    (_FILE, _inline(**{"f" * 254: ""}), "spec.source.inline.files"),
    # Measured in bytes: 90,000 characters each of three bytes.
    (_TOO_LARGE, _inline(**{"a.tf": "\u20ac" * 90_000, "b.tf": "\u20ac" * 90_000}), "spec.source.inline.files"),
    *(
        (_GIT_URL, _git(url), "spec.source.git.url")
        for url in (
            "file:///etc/passwd",
            "/etc/passwd",
            "ssh://git@example.com/a.git",
            "git@example.com:a.git",
            "https://user:secret@example.com/a.git",
            "https://example.com/a.git?token=secret",
            "https://example.com",
        )
    ),
    *((_GIT_PATH, _git(path=path), "spec.source.git.path") for path in ("..", "a/../../b", "/etc", "a/", "a/.git/b")),
    (_VARIABLE, {"variables": [{"name": "a"}]}, "spec.variables[0]"),
    (_VARIABLE, {"variables": [{"name": "a", "value": "", "valueFrom": _SECRET}]}, "spec.variables[0]"),
)
"""What a job and a template have in common."""
INPUTS = tuple(
    Creation(rule, build(**fields), at)
    for rule, fields, at in _INPUTS
    for build in (a_job_manifest, a_template_manifest)
)

SPECS = (
    Creation(
        "spec.workspaceRef is required when spec.type is WorkspaceBuild",
        a_job_manifest(workspaceRef=None),
        "spec.workspaceRef",
    ),
    Creation(
        "spec.transition is required when spec.type is WorkspaceBuild: Start, Stop or Delete",
        a_job_manifest(transition=None),
        "spec.transition",
    ),
    Creation(
        "spec.transition is only for spec.type WorkspaceBuild", a_job_manifest(type="TemplateImport"), "spec.transition"
    ),
    Creation(
        "values of variables are at most 256 KiB together: put larger ones into a Secret",
        a_job_manifest(variables=[{"name": f"v{number}", "value": "x" * 60_000} for number in range(5)]),
        "spec.variables",
    ),
    Creation(
        "metadata.name of a job has at most 63 characters: it serves as a label's value",
        a_job_manifest("n" * 64),
        "<nil>",
    ),
    Change("a cancel cannot be withdrawn; create a new job", Phase.PENDING, {"spec": {"cancel": False}}, "spec.cancel"),
    Change("a cancel cannot be withdrawn; create a new job", Phase.PENDING, {"spec": {"cancel": None}}, "spec.cancel"),
)

_BOUNDS = {"minReplicas": 1, "maxReplicas": 2}
_RESOURCE = "a resource is cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME"
_VALUE_FROM = "valueFrom has exactly one of secretKeyRef, configMapKeyRef and fieldRef"
_FROM_BOTH = {"secretKeyRef": {"name": "a", "key": "b"}, "fieldRef": {"fieldPath": "spec.nodeName"}}
_OWN_KEYS = "under provisioner.dev are the operator's own: tags and settings of daemons are fields of the pool's spec"


def _template(**template: Any) -> Manifest:
    return a_pool_manifest(template=template)


POOL_ROWS = (
    Creation(
        "metadata.name of a pool has at most 57 characters: its Pods' names are made from it",
        a_pool_manifest("n" * 58),
        "<nil>",
    ),
    Creation(
        "a tag's key in a pool has no '/': it becomes the name of its Pods' annotation tags.provisioner.dev/KEY",
        a_pool_manifest(tags={"example.com/zone": "a"}),
        "spec.tags",
    ),
    Creation(
        "spec.replicas does not go with spec.autoscaling: "
        "leave it out; change minReplicas and maxReplicas to scale the pool",
        a_pool_manifest(replicas=3, autoscaling=_BOUNDS),
        "spec.replicas",
    ),
    Creation(
        "minReplicas is at most maxReplicas",
        a_pool_manifest(autoscaling={"minReplicas": 3, "maxReplicas": 2}),
        "spec.autoscaling.minReplicas",
    ),
    *(
        Creation(_RESOURCE, _template(resources={field: {"memroy": "1Gi"}}), "spec.template.resources")
        for field in ("requests", "limits")
    ),
    *(
        Creation(_VALUE_FROM, _template(env=[{"name": "A", "valueFrom": source}]), "spec.template.env[0].valueFrom")
        for source in ({}, _FROM_BOTH)
    ),
    Creation(
        "an environment variable has value or valueFrom, not both",
        _template(env=[{"name": "A", "value": "", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]),
        "spec.template.env[0]",
    ),
    Creation(
        "POD_NAME, POD_NAMESPACE, POD_UID tell a daemon which Pod it is and cannot be set",
        _template(env=[{"name": "POD_NAMESPACE", "value": "other"}]),
        "spec.template.env[0].name",
    ),
    Creation(
        "a toleration with the operator Exists has no value: it matches each",
        _template(tolerations=[{"key": "gpu", "operator": "Exists", "value": "yes"}]),
        "spec.template.tolerations[0].value",
    ),
    Creation(
        "a toleration without a key matches every taint and needs the operator Exists",
        _template(tolerations=[{"operator": "Equal", "effect": "NoSchedule"}]),
        "spec.template.tolerations[0].key",
    ),
    Creation(
        "tolerationSeconds is only for the effect NoExecute",
        _template(tolerations=[{"key": "gpu", "operator": "Exists", "tolerationSeconds": 5}]),
        "spec.template.tolerations[0].tolerationSeconds",
    ),
    *(
        Creation(
            f"a key of {field} is a name of letters, digits, '-', '_' and '.', perhaps after a domain and a slash",
            _template(**{field: {key: "a"}}),
            f"spec.template.{field}",
        )
        for field in ("nodeSelector", "podLabels", "podAnnotations")
        for key in ("a b", "a/b/c", "/a")
    ),
    *(
        Creation(f"{field} {_OWN_KEYS}", _template(**{field: {key: "true"}}), f"spec.template.{field}")
        for field in ("podLabels", "podAnnotations")
        for key in ("provisioner.dev/daemon", "tags.provisioner.dev/environment")
    ),
)


def _parameter(**parameter: Any) -> Manifest:
    return a_template_manifest(parameters=[{"name": "size"} | parameter])


_LIST = "list(string)"
TEMPLATE_ROWS = (
    Creation(
        "metadata.name of a template has at most 45 characters and no dot: its jobs are named after it",
        a_template_manifest("n" * 46),
        "<nil>",
    ),
    Creation(
        "the default is not of the parameter's type",
        _parameter(type="number", default="large"),
        "spec.parameters[0].default",
    ),
    Creation(
        "the default is not of the parameter's type",
        _parameter(type="bool", default="yes"),
        "spec.parameters[0].default",
    ),
    Creation(
        "an option's value is not of the parameter's type",
        _parameter(type="number", options=[{"name": "Large", "value": "large"}]),
        "spec.parameters[0].options",
    ),
    Creation(
        "the default is none of the options",
        _parameter(default="small", options=[{"name": "Large", "value": "large"}]),
        "spec.parameters[0].default",
    ),
    Creation(
        "validation.regex is for type string",
        _parameter(type="bool", validation={"regex": "a"}),
        "spec.parameters[0].validation",
    ),
    Creation(
        "validation.min and validation.max are for type number",
        _parameter(type=_LIST, validation={"max": 3}),
        "spec.parameters[0].validation",
    ),
)
WORKSPACE_ROWS = (
    *(
        Creation(
            "metadata.name of a workspace has at most 53 characters and no dot: its jobs are named after it",
            a_workspace_manifest(name),
            "<nil>",
        )
        for name in ("n" * 54, "a.b")
    ),
    Creation(
        "values of parameters are at most 128 KiB together",
        a_workspace_manifest(parameters=[{"name": f"p{number}", "value": "x" * 4096} for number in range(33)]),
        "spec.parameters",
    ),
)
WORKSPACE_CHANGES = (
    Change(
        "spec.templateRef.name is immutable: create another workspace instead",
        FRESH,
        {"spec": {"templateRef": {"name": "other"}}},
        "spec.templateRef",
        kind=WORKSPACES,
    ),
    Change("spec.owner is immutable", FRESH, {"spec": {"owner": "other"}}, "spec.owner", kind=WORKSPACES),
    Change(
        "spec.rebuildGeneration can only be raised",
        FRESH,
        {"spec": {"rebuildGeneration": 0}},
        "spec.rebuildGeneration",
        kind=WORKSPACES,
    ),
)

_STARTING: dict[str, Any] = {"phase": "Running", "startedAt": STARTED_AT}
_ANOTHER = "a job starts under the assignment it has while Pending; only the assignment's instance may be added"
_ENDED = {"finishedAt": FINISHED_AT}
_FINAL_ASSIGNMENT = "status.assignment is final once the job is no longer Pending"
_FINAL_START = "status.startedAt is final once the job is no longer Pending"
_FINAL_END = "status.finishedAt is final once the job is Completed, Failed or Canceled"
_FINAL_REASON = "status.reason is final once the job is Completed, Failed or Canceled"
_STEP = "status.phase cannot make this step"


def _status(rule: str, job: Phase | str, at: str, message: str = "", /, **change: Any) -> Change:
    return Change(rule, job, {"status": change}, f"status.{at}", message)


STATUSES = (
    _status(_STEP, Phase.FAILED, "phase", "a job that is Failed cannot become Running", phase="Running"),
    Change(_STEP, Phase.RUNNING, {"status": None}, "status.phase", "a job that is Running cannot become Pending"),
    _status(_STEP, Phase.RUNNING, "phase", "a job that is Running cannot become Pending", phase=None),
    _status("a job cannot be Running, Canceling or Completed without an assignment", FRESH, "assignment", **_STARTING),
    _status(
        "a job cannot be Running, Canceling or Completed without startedAt", Phase.PENDING, "startedAt", phase="Running"
    ),
    _status(
        "a job cannot be Completed, Failed or Canceled without finishedAt", Phase.RUNNING, "finishedAt", phase="Failed"
    ),
    _status(
        "a job that is not Completed, Failed or Canceled cannot have finishedAt", Phase.RUNNING, "finishedAt", **_ENDED
    ),
    _status(_ANOTHER, FRESH, "assignment", **_STARTING, assignment=an_assignment()),
    _status(_ANOTHER, Phase.PENDING, "assignment", **_STARTING, assignment=an_assignment(id="second")),
    _status(_ANOTHER, Phase.PENDING, "assignment", **_STARTING, assignment=an_assignment("another")),
    *(
        _status(_FINAL_ASSIGNMENT, phase, "assignment", assignment=assignment)
        for phase in sorted(set(Phase) - {Phase.PENDING})
        for assignment in (None, {"instance": "another"}, {"id": "another"}, {"daemonUID": "another"})
    ),
    *(_status(_FINAL_START, phase, "startedAt", startedAt=LATER) for phase in sorted(set(Phase) - {Phase.PENDING})),
    *(
        _status(rule, phase, field, **{field: value})
        for phase in (Phase.COMPLETED, Phase.FAILED, Phase.CANCELED)
        for rule, field, value in (
            (_FINAL_END, "finishedAt", LATER),
            (_FINAL_REASON, "reason", "Else"),
            (_FINAL_REASON, "reason", None),
        )
    ),
    _status(
        "a job becomes Canceled only when spec.cancel is true", FRESH, "phase", phase="Canceled", finishedAt=FINISHED_AT
    ),
)

CREATIONS: tuple[Creation, ...] = (
    *TAGS,
    *INPUTS,
    *(row for row in SPECS if isinstance(row, Creation)),
    *POOL_ROWS,
    *TEMPLATE_ROWS,
    *WORKSPACE_ROWS,
)
CHANGES: tuple[Change, ...] = (
    *FROZEN,
    *(row for row in SPECS if isinstance(row, Change)),
    *STATUSES,
    *WORKSPACE_CHANGES,
)
