"""Define the decisions about templates and workspaces, each a value that names the write (or read) to make.

Made by `template_plan` and `build_plan`, carried out by `controller.writes`. A decision that was not carried out is made
again at the next look.

Every creation is idempotent by its name: an object of that name which is the workspace's or template's own is the answer
to an earlier request, and as good.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import JobType, Phase, Transition
from provisioner_operator.api.v1alpha1.names import (
    API_VERSION,
    DESTROY_FINALIZER,
    IN_USE_FINALIZER,
    TEMPLATE_LABEL,
    WORKSPACE_LABEL,
    build_job_name,
)
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch, add_finalizer, remove_finalizer
from provisioner_operator.core.model.json_value import JsonObject, JsonValue
from provisioner_operator.core.workspaces.records import (
    Build,
    ParameterValues,
    SourceFiles,
    Template,
    TemplateStatus,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.status import template_status_patch, workspace_status_patch

SUPERSEDED_BY = "superseded by a newer change of workspace"
"""How the cancelReason of a superseded job begins."""


@dataclass(frozen=True, slots=True)
class _AboutTemplate:
    template: Template

    @property
    def subject(self) -> str:
        """The template's uid."""
        return self.template.uid

    @property
    def display_name(self) -> str:
        """The template as people write it."""
        return self.template.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The template."""
        return ObjectReference("WorkspaceTemplate", self.template.namespace, self.template.name, self.template.uid)


@dataclass(frozen=True, slots=True)
class _AboutWorkspace:
    workspace: Workspace

    @property
    def subject(self) -> str:
        """The workspace's uid."""
        return self.workspace.uid

    @property
    def display_name(self) -> str:
        """The workspace as people write it."""
        return self.workspace.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The workspace."""
        return ObjectReference("Workspace", self.workspace.namespace, self.workspace.name, self.workspace.uid)


@dataclass(frozen=True, slots=True)
class ReadSource(_AboutTemplate):
    """Read the ConfigMap that the template's files are in."""


@dataclass(frozen=True, slots=True)
class KeepFiles(_AboutTemplate):
    """Keep the files of a version, whatever becomes of where they came from."""

    version: str
    files: SourceFiles

    def body(self) -> JsonObject:
        """The ConfigMap: it cannot be changed, and goes with the template."""
        template = self.template
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.version,
                "namespace": template.namespace,
                "labels": {TEMPLATE_LABEL: template.name},
                "ownerReferences": [
                    {
                        "apiVersion": API_VERSION,
                        "kind": "WorkspaceTemplate",
                        "name": template.name,
                        "uid": template.uid,
                        "controller": True,
                    }
                ],
            },
            "immutable": True,
            "data": self.files.data,
            **({"binaryData": self.files.binary_data} if self.files.binary_data else {}),
        }


@dataclass(frozen=True, slots=True)
class ImportVersion(_AboutTemplate):
    """Have a version imported by a job."""

    version: Version

    def body(self) -> JsonObject:
        """The job."""
        template = self.template
        return {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerJob",
            "metadata": {
                "name": self.version.import_job,
                "namespace": template.namespace,
                "labels": {TEMPLATE_LABEL: template.name},
            },
            "spec": {
                "type": JobType.TEMPLATE_IMPORT,
                "provisioner": template.provisioner,
                "tags": template.tags,
                "templateRef": {"name": template.name, "uid": template.uid, "version": self.version.name},
                **source_of(self.version),
                **_limits(template),
            },
        }


@dataclass(frozen=True, slots=True)
class FindImport(_AboutTemplate):
    """Read the job that imports a version: its end was missed, or it is gone."""

    version: Version


@dataclass(frozen=True, slots=True)
class DiscardVersion(_AboutTemplate):
    """Delete the files of a version that nobody needs."""

    version: str


@dataclass(frozen=True, slots=True)
class HoldTemplate(_AboutTemplate):
    """Put the finalizer on the template, before it has any version."""

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate."""
        return add_finalizer(IN_USE_FINALIZER, self.template.uid, self.template.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseTemplate(_AboutTemplate):
    """Let the deleted template go: no workspace is made from it."""

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate."""
        return remove_finalizer(IN_USE_FINALIZER, self.template.uid, self.template.finalizers)


@dataclass(frozen=True, slots=True)
class UpdateTemplateStatus(_AboutTemplate):
    """Write how the template is."""

    status: TemplateStatus

    def patch(self) -> JsonPatch:
        """The write."""
        return template_status_patch(self.template, self.status)


@dataclass(frozen=True, slots=True)
class HoldWorkspace(_AboutWorkspace):
    """Put the finalizer on the workspace, before it has anything to destroy."""

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace."""
        return add_finalizer(DESTROY_FINALIZER, self.workspace.uid, self.workspace.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseWorkspace(_AboutWorkspace):
    """Let the deleted workspace go: nothing of it is left, or it is to be left."""

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace."""
        return remove_finalizer(DESTROY_FINALIZER, self.workspace.uid, self.workspace.finalizers)


@dataclass(frozen=True, slots=True)
class CreateBuild(_AboutWorkspace):
    """Have a change built by a job."""

    template: Template
    version: Version
    number: int
    transition: Transition
    change: str
    parameters: ParameterValues

    @property
    def job(self) -> str:
        """The job's name."""
        return build_job_name(self.workspace.name, self.number)

    def body(self) -> JsonObject:
        """The job."""
        workspace, template = self.workspace, self.template
        return {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerJob",
            "metadata": {
                "name": self.job,
                "namespace": workspace.namespace,
                "labels": {WORKSPACE_LABEL: workspace.name, TEMPLATE_LABEL: template.name},
            },
            "spec": {
                "type": JobType.WORKSPACE_BUILD,
                "transition": self.transition,
                "provisioner": template.provisioner,
                "tags": {**template.tags, **workspace.tags},
                "workspaceRef": {
                    "name": workspace.name,
                    "uid": workspace.uid,
                    "buildNumber": self.number,
                    "change": self.change,
                    **({"owner": workspace.owner} if workspace.owner else {}),
                },
                "templateRef": {"name": template.name, "version": self.version.name},
                **source_of(self.version),
                "variables": _variables(template, self.parameters),
                "variablesFrom": template.variables_from,
                # A deletion is written by nobody's name into the object, so of a destroy nobody can be told.
                **(
                    {"initiator": workspace.initiator}
                    if workspace.initiator and self.transition is not Transition.DELETE
                    else {}
                ),
                "ownerMayCancel": template.allow_user_cancel,
                **_limits(template),
            },
        }


@dataclass(frozen=True, slots=True)
class FindBuilds(_AboutWorkspace):
    """List the workspace's jobs: what became of the latest was missed, or a name is taken."""


@dataclass(frozen=True, slots=True)
class Supersede(_AboutWorkspace):
    """Cancel a build that has not begun, for something else is wanted by now."""

    build: Build

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerJob; one that began meanwhile is left alone."""
        return JsonPatch(
            tests=(("/metadata/uid", self.build.job_uid), ("/status/phase", Phase.PENDING), ("/spec/cancel", False)),
            sets=(("/spec/cancel", True), ("/spec/cancelReason", f"{SUPERSEDED_BY} {self.workspace.name}")),
        )


@dataclass(frozen=True, slots=True)
class UpdateWorkspaceStatus(_AboutWorkspace):
    """Write how the workspace is."""

    status: WorkspaceStatus

    def patch(self) -> JsonPatch:
        """The write."""
        return workspace_status_patch(self.workspace, self.status)


TemplateDecision = (
    ReadSource
    | KeepFiles
    | ImportVersion
    | FindImport
    | DiscardVersion
    | HoldTemplate
    | ReleaseTemplate
    | UpdateTemplateStatus
)
BuildDecision = HoldWorkspace | ReleaseWorkspace | CreateBuild | FindBuilds | Supersede | UpdateWorkspaceStatus
WorkspaceDecision = TemplateDecision | BuildDecision


def source_of(version: Version) -> dict[str, JsonValue]:
    """The field `source` of a job that builds or imports the version; nothing for one without files."""
    if version.git is not None:
        return {"source": {"git": version.git}}
    return {"source": {"configMapRef": {"name": version.name}}} if version.files else {}


def _variables(template: Template, parameters: ParameterValues) -> list[JsonValue]:
    chosen: dict[str, JsonValue] = {name: {"name": name, "value": value} for name, value in parameters}
    fixed: dict[str, JsonValue] = {str(each["name"]): each for each in template.variables}
    return list((fixed | chosen).values())


def _limits(template: Template) -> dict[str, JsonValue]:
    limits: dict[str, JsonValue] = {
        "priority": template.priority,
        "pendingTimeoutSeconds": template.pending_timeout,
        "activeDeadlineSeconds": template.active_deadline,
        "ttlSecondsAfterFinished": template.job_retention,
    }
    return limits if template.stall_timeout is None else limits | {"stallTimeoutSeconds": template.stall_timeout}
