"""What `core.workspace_mirror` decided becomes requests: one write each. Called by `writer`, which paces and counts them.

Creations are idempotent: a name that is taken by what was to be made is as good as having made it. A failed precondition
is news: the object is read again, and the next look decides anew.
"""

import re
from collections.abc import Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.core.reconcilers.workspaces import WorkspaceMirror
from provisioner_operator.core.workspaces.decisions import (
    CreateBuild,
    DiscardVersion,
    FindBuilds,
    FindImport,
    HoldTemplate,
    HoldWorkspace,
    ImportVersion,
    KeepFiles,
    ReadSource,
    ReleaseTemplate,
    ReleaseWorkspace,
    Supersede,
    TemplateDecision,
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
    WorkspaceDecision,
)
from provisioner_operator.core.workspaces.records import SourceFiles, Template, Workspace
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)


class WorkspaceWrites:
    """The requests."""

    def __init__(self, client: KubeClient, observer: Observer, workspaces: WorkspaceMirror) -> None:
        self._client = client
        self._observer = observer
        self._workspaces = workspaces

    async def carry_out(self, decision: WorkspaceDecision) -> str:
        """Make the write and take in its answer; returns `ok`, `conflict` if it came too late, or `refused`."""
        try:
            return await self._carry_out(decision)
        except (ForbiddenError, InvalidError) as error:
            self._workspaces.refused(decision, str(error), clock.read())
            return "refused"
        except (PreconditionFailedError, ConflictError, NotFoundError):
            await self._read(decision)
            return "conflict"

    async def _carry_out(self, decision: WorkspaceDecision) -> str:
        if isinstance(decision, TemplateDecision):
            return await self._carry_out_about_template(decision)
        match decision:
            case HoldWorkspace(workspace) | ReleaseWorkspace(workspace):
                path = paths.workspace(workspace.namespace, workspace.name)
                self._observer.workspace(await self._client.json_patch(path, decision.patch()))
            case UpdateWorkspaceStatus(workspace):
                path = paths.workspace_status(workspace.namespace, workspace.name)
                self._observer.workspace(await self._client.json_patch(path, decision.patch()))
            case CreateBuild(workspace):
                return await self._create_build(decision, workspace)
            case FindBuilds(workspace):
                await self._find_builds(workspace)
            case Supersede(workspace, build):
                path = paths.job(workspace.namespace, build.record.job)
                self._observer.build(await self._client.json_patch(path, decision.patch()))
        return "ok"

    # --- templates ---

    async def _carry_out_about_template(self, decision: TemplateDecision) -> str:
        match decision:
            case ReadSource(template):
                await self._read_source(template)
            case KeepFiles():
                await self._keep_files(decision)
            case ImportVersion():
                return await self._import(decision)
            case FindImport(template, version):
                await self._find_import(template, version.import_job, version.name)
            case DiscardVersion(template, version):
                await self._discard(template, version)
            case HoldTemplate(template) | ReleaseTemplate(template):
                path = paths.template(template.namespace, template.name)
                self._observer.template(await self._client.json_patch(path, decision.patch()))
            case UpdateTemplateStatus(template):
                path = paths.template_status(template.namespace, template.name)
                self._observer.template(await self._client.json_patch(path, decision.patch()))
        return "ok"

    async def _read_source(self, template: Template) -> None:
        name, namespace = template.config_map or "", template.namespace
        try:
            body = await self._client.get(paths.config_map(namespace, name))
        except NotFoundError:
            files = SourceFiles(missing=f"ConfigMap {name}, the template's source, does not exist. Create it.")
        else:
            files = SourceFiles(body.get("data") or {}, body.get("binaryData") or {})
            if not files.data and not files.binary_data:
                files = SourceFiles(
                    missing=f"ConfigMap {name}, the template's source, is empty. Put the Terraform files into it."
                )
        self._workspaces.source_read(template, files, clock.read())

    async def _keep_files(self, decision: KeepFiles) -> None:
        template, version = decision.template, decision.version
        try:
            await self._client.create(paths.config_maps(template.namespace), decision.body())
        except ConflictError:
            body = await self._client.get(paths.config_map(template.namespace, version))
            if not body.get("immutable") or not _is_owned_by(body, template.uid):
                message = f"ConfigMap {version} exists and is not this template's. Delete or rename it."
                self._workspaces.refused(decision, message, clock.read())
                return
        self._workspaces.files_kept(template, version)

    async def _discard(self, template: Template, version: str) -> None:
        path = paths.config_map(template.namespace, version)
        try:
            body = await self._client.get(path)
            if _is_owned_by(body, template.uid):
                await self._client.delete(path, uid=body["metadata"]["uid"])
        except NotFoundError:
            pass  # it is gone already
        self._workspaces.files_discarded(template, version)

    async def _import(self, decision: ImportVersion) -> str:
        template, version = decision.template, decision.version
        try:
            body = await self._client.create(paths.jobs(template.namespace), decision.body())
        except ConflictError:
            await self._find_import(template, version.import_job, version.name, decision)
            return "conflict"
        self._observer.build(body)
        return "ok"

    async def _find_import(
        self, template: Template, job: str, version: str, decision: ImportVersion | None = None
    ) -> None:
        """Have the import's job observed, or noted as missing; a foreign one of its name is in the way."""
        try:
            body = await self._client.get(paths.job(template.namespace, job))
        except NotFoundError:
            self._workspaces.import_missing(template, version)
            return
        if (body["spec"].get("templateRef") or {}).get("uid") == template.uid:
            self._observer.build(body)
        elif decision is None:
            self._workspaces.import_missing(template, version)
        else:
            message = f"{JOBS} {job} exists and is not this template's. Delete it."
            self._workspaces.refused(decision, message, clock.read())

    # --- workspaces ---

    async def _create_build(self, decision: CreateBuild, workspace: Workspace) -> str:
        try:
            body = await self._client.create(paths.jobs(workspace.namespace), decision.body())
        except ConflictError:  # of an earlier request, whose answer was lost, or of somebody else's job
            await self._find_builds(workspace)
            return "conflict"
        self._observer.build(body)
        return "ok"

    async def _find_builds(self, workspace: Workspace) -> None:
        """Have all jobs of the workspace's name observed, and note which numbers are taken."""
        numbered = re.compile(rf"{re.escape(workspace.name)}-([0-9]{{1,9}})")
        floor = 0
        selector = f"spec.workspaceRef.name={workspace.name}"
        async for page in self._client.list_pages(paths.jobs(workspace.namespace), field_selector=selector):
            for body in page["items"]:
                if match := numbered.fullmatch(body["metadata"]["name"]):
                    floor = max(floor, int(match[1]))
                if body["spec"]["workspaceRef"].get("uid") == workspace.uid:
                    self._observer.build(body)
        self._workspaces.builds_found(workspace, floor)

    # --- what is true ---

    async def _read(self, decision: WorkspaceDecision) -> None:
        """Learn what is true of what the decision was about."""
        match decision:
            case Supersede(workspace, build):
                body = await self._found(paths.job(workspace.namespace, build.record.job), build.job_uid)
                if body is None:
                    self._observer.job_deleted(build.job_uid)
                else:
                    self._observer.build(body)
            case HoldWorkspace(workspace) | ReleaseWorkspace(workspace) | UpdateWorkspaceStatus(workspace):
                body = await self._found(paths.workspace(workspace.namespace, workspace.name), workspace.uid)
                if body is None:
                    self._observer.workspace_deleted(workspace.uid)
                else:
                    self._observer.workspace(body)
            case HoldTemplate(template) | ReleaseTemplate(template) | UpdateTemplateStatus(template):
                body = await self._found(paths.template(template.namespace, template.name), template.uid)
                if body is None:
                    self._observer.template_deleted(template.uid)
                else:
                    self._observer.template(body)
            case _:
                pass  # asked for again at the next look

    async def _found(self, path: str, uid: str) -> dict[str, Any] | None:
        try:
            body = await self._client.get(path)
        except NotFoundError:
            return None
        return body if body["metadata"]["uid"] == uid else None


def _is_owned_by(body: Mapping[str, Any], uid: str) -> bool:
    return any(owner["uid"] == uid for owner in body["metadata"].get("ownerReferences") or ())
