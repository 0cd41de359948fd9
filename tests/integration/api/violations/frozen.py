"""Fields that never change once the object exists: of a job all but a few, of a workspace its template and owner."""

from typing import Any

from integration.api.violations.row import FRESH, UNSTAMPED, Change
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.job import JobSpec
from provisioner_operator.api.v1alpha1.names import WORKSPACES
from support.builders.manifests import a_workspace_manifest
from support.manifests import Manifest

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
    "moduleCredentials": [{"host": "git.example.com", "secretRef": {"name": "git"}}],
    "state": {"backend": "Template", "backendConfig": [{"name": "key", "value": "$(provisioner_workspace)"}]},
    "initiator": "somebody",
    "pendingTimeoutSeconds": 100,
    "activeDeadlineSeconds": 100,
    "stallTimeoutSeconds": 100,
    "terraformVersion": ">= 1.9",
    "parallelism": 10,
    "planRef": {"job": "dev-1", "digest": "a" * 64},
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
    "moduleCredentials": [],
    "state": {"backend": "Template", "backendConfig": [{"name": "key", "value": "$(provisioner_workspace)/x"}]},
    "initiator": "other",
    "pendingTimeoutSeconds": 101,
    "activeDeadlineSeconds": 101,
    "stallTimeoutSeconds": 101,
    "terraformVersion": "~> 1.11.0",
    "parallelism": 11,
    "ownerMayCancel": True,
    "keepPlan": True,
    "planRef": {"job": "dev-1", "digest": "b" * 64},
}
EMPTY_WHEN_ABSENT = frozenset({"tags", "variables", "variablesFrom", "moduleCredentials"})
OPTIONAL_FIELDS = (
    "tags",
    "templateRef",
    "variables",
    "variablesFrom",
    "moduleCredentials",
    "state",
    "initiator",
    "stallTimeoutSeconds",
    "terraformVersion",
    "parallelism",
    "planRef",
)


def _frozen(field: str) -> str:
    return f"spec.{field} is immutable: create a new job instead"


def _presence(field: str, job: Phase | str, patch: Manifest, *, unstamped: bool = False) -> Change:
    """Of what is stored as empty when it is absent, only the value can change."""
    if field in EMPTY_WHEN_ABSENT:
        return Change(_frozen(field), job, patch, f"spec.{field}", unstamped=unstamped)
    ending = "is immutable, and can be neither added nor removed: create a new job instead"
    rule = f"an optional field of spec {ending}"
    return Change(rule, job, patch, "spec", f"spec.{field} {ending}", unstamped=unstamped)


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
    *(
        _presence(field, FRESH, {"spec": {field: None}})
        for field in (*OPTIONAL_FIELDS, "source", "workspaceRef", "transition")
        if field != "initiator"
    ),
    *(
        _presence(field, Phase.PENDING, {"spec": {field: FULL_SPEC[field]}})
        for field in (*OPTIONAL_FIELDS, "source")
        if field != "initiator"
    ),
    # Where the API server stamps the initiator, it is always there, but for a user whose name does not fit.
    _presence("initiator", FRESH, {"spec": {"initiator": None}}, unstamped=True),
    _presence("initiator", UNSTAMPED, {"spec": {"initiator": "somebody"}}, unstamped=True),
)

WORKSPACE_CHANGES = (
    Change(
        "spec.templateRef.name is immutable: create another workspace instead",
        FRESH,
        {"spec": {"templateRef": {"name": "other"}}},
        "spec.templateRef",
        kind=WORKSPACES,
    ),
    *(
        Change(
            "spec.owner is immutable: create another workspace instead",
            job,
            {"spec": {"owner": owner}},
            "spec.owner",
            kind=WORKSPACES,
            unstamped=True,
        )
        for job, owner in ((FRESH, "other"), (FRESH, None), (UNSTAMPED, "somebody"))
    ),
    Change(
        "spec.rebuildGeneration cannot be lowered: raise it to build the workspace again",
        FRESH,
        {"spec": {"rebuildGeneration": 0}},
        "spec.rebuildGeneration",
        kind=WORKSPACES,
    ),
)
