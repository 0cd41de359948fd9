"""WorkspaceTemplate: versioned Terraform from which workspaces are made, and the parameters that they choose.

The spec is its users'; the status is the controller's. A change of the source or the parameters makes a version, named
by the digest of what it is made of, and a TemplateImport job; only a version whose import completed can be built.
"""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, LongText, Model, ObjectMeta, Seconds, ShortText
from provisioner_operator.api.v1alpha1.enums import Provisioner, VersionPhase
from provisioner_operator.api.v1alpha1.inputs import (
    ModuleLogins,
    ObjectReference,
    Source,
    Variable,
    VariableSource,
    VariablesSource,
)
from provisioner_operator.api.v1alpha1.job_status import DeclaredVariable, Resource
from provisioner_operator.api.v1alpha1.limits import LONGEST_RECORDED_VALUE, MOST_VERSIONS_IN_USE
from provisioner_operator.api.v1alpha1.parameters import Parameter, RecordedParameter
from provisioner_operator.api.v1alpha1.rules import of_the_name, rule, validated_by
from provisioner_operator.api.v1alpha1.state import STATE_RULES, StateStorage
from provisioner_operator.api.v1alpha1.tags import Tags
from provisioner_operator.api.v1alpha1.terraform_settings import Parallelism, VersionConstraint
from provisioner_operator.api.v1alpha1.unseen import not_observed

MAX_TEMPLATE_NAME = 45
"""Characters of a template's name. The job that imports a version is named after the template, the version's digest and
`-import`, with at most 63 characters."""

VersionName = Annotated[str, StringConstraints(min_length=1, max_length=63)]

TEMPLATE_RULES = (
    of_the_name(
        f"self.metadata.name.size() <= {MAX_TEMPLATE_NAME} && !self.metadata.name.contains('.')",
        f"metadata.name of a template has at most {MAX_TEMPLATE_NAME} characters and no dot, because its jobs are named after it",
    ),
)

SPEC_RULES = (
    rule(
        f"self.provisioner != '{Provisioner.TERRAFORM}' || has(self.source)",
        "spec.source is required when spec.provisioner is terraform",
        field="source",
        reason="FieldValueRequired",
    ),
)


class Retention(Model):
    """Time for which ended jobs and superseded versions are kept."""

    job_seconds: Annotated[int, Field(ge=0, le=315_360_000)] = 604_800
    """Time after the end at which the jobs of workspaces and imports are deleted, with their logs."""
    version_seconds: Annotated[int, Field(ge=0, le=315_360_000)] = 604_800
    """Time after which a superseded version is deleted, unless it is active or a workspace uses it."""


class TemplateSpec(Model):
    """Source and parameters of the workspaces, the daemons that may build them, and the time limits."""

    model_config = ConfigDict(json_schema_extra=validated_by(*SPEC_RULES))

    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Label that people see instead of the name."""
    description: ShortText | None = None
    """Purpose of its workspaces."""
    icon: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """URL or path of a picture."""
    source: Source | None = None
    """The Terraform files. A change of them, or of the parameters, makes a new version. Required if the provisioner is
    terraform. A ConfigMap is read when the template changes, and from time to time. A git ref is resolved once per
    version: raise importGeneration to resolve it again."""
    import_generation: Annotated[int, Field(ge=0)] = 0
    """Raise it to import the source again: after a failed import, or after the git ref has moved."""
    provisioner: Provisioner = Provisioner.TERRAFORM
    """Program that builds the workspaces. `echo` is for tests and makes no resources."""
    tags: Tags = {}
    """Tags that a daemon must offer to build workspaces and import versions. A workspace can override them, key
    by key."""
    variables: Annotated[
        list[Variable],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Input variables that are the same for all workspaces; parameters of the same name override them."""
    variables_from: Annotated[
        list[VariablesSource], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Secrets with further input variables."""
    module_credentials: ModuleLogins = []
    """The moduleCredentials of its jobs: imports, and builds of all versions."""
    parameters: Annotated[
        list[Parameter],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Parameters that a workspace chooses. A version keeps those that it was imported with."""
    state: Annotated[StateStorage, Field(json_schema_extra=STATE_RULES)] | None = None
    """The place of its workspaces' Terraform states; Secrets of the namespace if absent. A change makes a new version, and does not
    move the state of any workspace."""
    terraform_version: VersionConstraint | None = None
    """The terraformVersion of its jobs, such as `>= 1.9, < 2`. Like tags, it is no part of a version: a change of it imports
    nothing, and holds for all further jobs."""
    parallelism: Parallelism | None = None
    """The parallelism of its jobs."""
    allow_user_cancel: bool = False
    """True if the owner of a workspace may cancel its jobs; others need the verb `cancel`."""
    priority: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)] = 0
    """Priority of its jobs."""
    pending_timeout_seconds: Seconds = 1800
    """The pendingTimeoutSeconds of its jobs."""
    active_deadline_seconds: Seconds = 3600
    """The activeDeadlineSeconds of its jobs."""
    stall_timeout_seconds: Seconds | None = None
    """The stallTimeoutSeconds of its jobs."""
    retention: Retention = Retention(job_seconds=604_800)
    """Time for which ended jobs and superseded versions are kept."""


class RecordedGit(Model):
    """Location of a version's files. It has no rules: the template's source was checked when it was written."""

    url: Annotated[str, StringConstraints(max_length=2048)]
    """URL of the repository."""
    ref: Annotated[str, StringConstraints(max_length=255)] = "HEAD"
    """The branch, tag or commit id that the template named."""
    commit: Annotated[str, StringConstraints(max_length=40)] | None = None
    """The commit that was imported."""
    path: Annotated[str, StringConstraints(max_length=1024)] = "."
    """The folder with the Terraform files."""
    secret_ref: ObjectReference | None = None
    """The Secret to log in with."""


class RecordedVariable(Model):
    """A variable as a version records it. It has no rules: the template's were checked when it was written."""

    name: Annotated[str, StringConstraints(max_length=128)]
    """Name of the Terraform variable."""
    value: Annotated[str, StringConstraints(max_length=LONGEST_RECORDED_VALUE)] | None = None
    """Its value."""
    value_from: VariableSource | None = None
    """Origin of its value instead."""


class TemplateVersion(Model):
    """One state of the source."""

    name: VersionName
    """The template's name and a digest of the version's source and settings."""
    phase: VersionPhase
    """Importing, Ready or Failed."""
    import_job: Annotated[str, StringConstraints(max_length=63)]
    """Name of the job that imports, or imported, the version."""
    message: LongText | None = None
    """Reason why the import failed, with what to do next."""
    created_at: AwareDatetime
    """Time at which the controller first saw the version."""
    superseded_at: AwareDatetime | None = None
    """Time at which a newer version took its place."""
    provisioner: Provisioner | None = None
    """Program that builds it; if it was not recorded, that of the spec."""
    git: RecordedGit | None = None
    """Location of its files, with the commit once it is known; absent if the files are kept in the ConfigMap of its
    name."""
    files: bool = False
    """True if its files are kept in the ConfigMap of its name."""
    parameters: (
        Annotated[list[RecordedParameter], Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "atomic"})]
        | None
    ) = None
    """Parameters that the template declared together with this source. A workspace that is built with the version is
    checked against these; if they were not recorded, against those of the spec."""
    variables: Annotated[
        list[RecordedVariable], Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Input variables that the template set when the version was last its newest, except for long values. A build of the
    version gets those that the spec has lost since, unless the spec has variablesFrom, which may set them."""
    state: StateStorage | None = None
    """Place of the states of workspaces that are built with it; Secrets of the namespace if absent."""


class TemplateStatus(Model):
    """Versions of the template, and the active one."""

    active_version: VersionName | None = None
    """The version from which new workspaces are made: the newest one whose import completed."""
    versions: Annotated[
        list[TemplateVersion],
        Field(
            max_length=MOST_VERSIONS_IN_USE,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    """Versions that are kept, the newest last."""
    variables: Annotated[
        list[DeclaredVariable], Field(max_length=128, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Input variables that the active version declares."""
    resources: Annotated[
        list[Resource], Field(max_length=256, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Resources that the active version declares."""
    workspaces: Annotated[int, Field(ge=0)] = 0
    """Number of workspaces that use the template."""
    observed_generation: int | None = None
    """Generation of the spec on which this status is based."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (the current source can be built), Available (at least one version can be built), Reconciling, Stalled."""


class WorkspaceTemplate(Model):
    """Versioned Terraform files from which workspaces are made.

    A change of the source makes a version and imports it. Until the import completes, and if it fails, the last good
    version stays active.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*TEMPLATE_RULES))

    metadata: ObjectMeta
    """Its name, at most 45 characters, and labels."""
    spec: TemplateSpec
    """Source and parameters of the workspaces, the daemons that may build them, and the time limits."""
    status: TemplateStatus = TemplateStatus(workspaces=0, conditions=not_observed("template"))
    """Versions of the template, and the active one. Written by the controller."""
