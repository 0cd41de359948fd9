"""WorkspaceTemplate: versioned Terraform from which workspaces are made, and the parameters that they choose.

The spec is its users'; the status is the controller's. A change of the source makes a version, named by the digest of
what it is made of, and a TemplateImport job; only a version whose import completed can be built.
"""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, LongText, Model, ObjectMeta, Seconds, ShortText
from provisioner_operator.api.v1alpha1.enums import Provisioner, VersionPhase
from provisioner_operator.api.v1alpha1.inputs import GitSource, Source, Variable, VariablesSource
from provisioner_operator.api.v1alpha1.job_status import DeclaredVariable, Resource
from provisioner_operator.api.v1alpha1.limits import MOST_VERSIONS
from provisioner_operator.api.v1alpha1.parameters import Parameter
from provisioner_operator.api.v1alpha1.rules import rule, validated_by
from provisioner_operator.api.v1alpha1.tags import Tags

MAX_TEMPLATE_NAME = 45
"""A version's import is a job named after the template, the version's digest and `-import`; a job's name has 63 characters."""

VersionName = Annotated[str, StringConstraints(min_length=1, max_length=63)]

TEMPLATE_RULES = (
    rule(
        f"self.metadata.name.size() <= {MAX_TEMPLATE_NAME} && !self.metadata.name.contains('.')",
        f"metadata.name of a template has at most {MAX_TEMPLATE_NAME} characters and no dot: its jobs are named after it",
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
    """How long what is over is kept."""

    job_seconds: Annotated[int, Field(ge=0, le=315_360_000)] = 604_800
    """The jobs of workspaces and imports are deleted this long after their end, their logs with them."""
    version_seconds: Annotated[int, Field(ge=0, le=315_360_000)] = 604_800
    """A version that is not the active one, and of which no workspace is made, goes this long after it was superseded."""


class TemplateSpec(Model):
    """What workspaces are made of, on which daemons they are built, and within which times."""

    model_config = ConfigDict(json_schema_extra=validated_by(*SPEC_RULES))

    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """What people see instead of its name."""
    description: ShortText | None = None
    """What its workspaces are for."""
    icon: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """The URL or path of a picture."""
    source: Source | None = None
    """The Terraform files. A change makes a version. Required when the provisioner is terraform. A ConfigMap is read when
    the template changes, and now and then; a git ref is resolved once per version: raise importGeneration to have it
    resolved again."""
    import_generation: Annotated[int, Field(ge=0)] = 0
    """Raise it to import the source again: after a failed import, or when the git ref has moved."""
    provisioner: Provisioner = Provisioner.TERRAFORM
    """Which program builds the workspaces. `echo` runs nothing real."""
    tags: Tags = {}
    """What a daemon must have to build workspaces and import versions. A workspace can override them, key by key."""
    variables: Annotated[
        list[Variable],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Input variables that are the same for all workspaces; parameters of the same name win."""
    variables_from: Annotated[
        list[VariablesSource], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Secrets that hold further input variables."""
    parameters: Annotated[
        list[Parameter],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """What a workspace chooses."""
    allow_user_cancel: bool = False
    """Whether the owner of a workspace may cancel its jobs; others need the verb `cancel`."""
    priority: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)] = 0
    """The priority of its jobs."""
    pending_timeout_seconds: Seconds = 1800
    """As a job's."""
    active_deadline_seconds: Seconds = 3600
    """As a job's."""
    stall_timeout_seconds: Seconds | None = None
    """As a job's."""
    retention: Retention = Retention(job_seconds=604_800)
    """How long ended jobs and superseded versions are kept."""


class TemplateVersion(Model):
    """One state of the source."""

    name: VersionName
    """The template's name and a digest of what the version is made of."""
    phase: VersionPhase
    """Importing, Ready or Failed."""
    import_job: Annotated[str, StringConstraints(max_length=63)]
    """The job that imports it, or did."""
    message: LongText | None = None
    """Why its import failed, and what to do."""
    created_at: AwareDatetime
    """When it was first seen."""
    superseded_at: AwareDatetime | None = None
    """Since when another is wanted."""
    git: GitSource | None = None
    """Where its files are, with the commit, once it is known; absent for files that are kept in the ConfigMap of its name."""
    files: bool = False
    """Whether its files are kept in the ConfigMap of its name."""


class TemplateStatus(Model):
    """Which versions there are, and which is in force."""

    active_version: VersionName | None = None
    """The version that new workspaces are made from: the newest whose import completed."""
    versions: Annotated[
        list[TemplateVersion],
        Field(
            max_length=MOST_VERSIONS,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    """All versions that are kept, the newest last."""
    variables: Annotated[
        list[DeclaredVariable], Field(max_length=128, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The input variables that the active version declares."""
    resources: Annotated[
        list[Resource], Field(max_length=256, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The resources that the active version declares."""
    workspaces: Annotated[int, Field(ge=0)] = 0
    """How many workspaces are made from it."""
    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (the source as it is can be built), Available (some version can), Reconciling, Stalled."""


class WorkspaceTemplate(Model):
    """Versioned Terraform from which workspaces are made.

    A change of the source makes a version and imports it; until that completed, and if it fails, the last good version
    stays in force.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*TEMPLATE_RULES))

    metadata: ObjectMeta
    """Its name, at most 45 characters, and labels."""
    spec: TemplateSpec
    """What workspaces are made of, on which daemons they are built, and within which times."""
    status: TemplateStatus = TemplateStatus(workspaces=0)
    """Which versions there are, and which is in force. Written by the controller."""
