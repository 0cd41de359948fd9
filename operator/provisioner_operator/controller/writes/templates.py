"""Carry out decisions about templates: the ConfigMaps of their versions, import jobs, finalizers, statuses."""

from typing import Any

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import NameTakenError, Result
from provisioner_operator.controller.writes.executor import (
    has_moved_on,
    is_owned_by,
    parse_taken,
    read_fresh,
    version_of,
    with_effect,
)
from provisioner_operator.core.model.file_paths import from_config_map
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import (
    DiscardVersion,
    FindImport,
    FindWorkspaces,
    HoldTemplate,
    ImportVersion,
    KeepFiles,
    ReadSource,
    ReleaseTemplate,
    TemplateDecision,
    UpdateTemplateStatus,
)
from provisioner_operator.core.workspaces.records import SourceFiles, Template
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import AlreadyExistsError, NotFoundError
from provisioner_operator.kube.job_parsing import parse_job_records


class TemplateExecutor:
    """Executor of decisions about templates."""

    def __init__(self, client: KubeClient, observer: Observer, workspaces: WorkspaceReconciler) -> None:
        self._client = client
        self._observer = observer
        self._workspaces = workspaces

    async def execute(self, decision: TemplateDecision) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        template = decision.template
        match decision:
            case ReadSource():
                await self._read_source(template)
            case KeepFiles():
                return await self._keep_files(decision)
            case ImportVersion():
                return await self._import(decision)
            case FindImport(_, version):
                await self._find_import(template, version.import_job, version.name)
            case FindWorkspaces():
                await self._find_workspaces(template.namespace)
            case DiscardVersion(_, version):
                await self._discard(template, version)
            case HoldTemplate() | ReleaseTemplate():
                path = paths.template(template.namespace, template.name)
                self._observer.template(await self._client.json_patch(path, decision.patch()))
            case UpdateTemplateStatus():
                path = paths.template_status(template.namespace, template.name)
                body = await self._client.json_patch(path, decision.patch())
                self._observer.template(with_effect(body, template.resource_version))
        return Result.OK

    async def is_news(self, decision: TemplateDecision) -> bool:
        """Read the template; return whether the precondition no longer holds for it. Raises KubeError."""
        template = decision.template
        body = await read_fresh(
            self._client,
            paths.template(template.namespace, template.name),
            template.uid,
            observe=self._observer.template,
            gone=self._observer.template_deleted,
        )
        if isinstance(decision, HoldTemplate | ReleaseTemplate | UpdateTemplateStatus):
            return has_moved_on(body, decision.patch(), template.resource_version)
        return body is None or version_of(body) != template.resource_version

    # --- the source and its versions ---

    async def _read_source(self, template: Template) -> None:
        name, namespace = template.config_map or "", template.namespace
        try:
            body = await self._client.get(paths.config_map(namespace, name))
        except NotFoundError:
            files = SourceFiles(missing=f"ConfigMap {name}, the template's source, does not exist. Create it.")
        else:
            files = _files(name, body)
            if files.missing is None and not (files.data or files.binary_data):
                files = SourceFiles(
                    missing=f"ConfigMap {name}, the template's source, is empty. Put the Terraform files into it."
                )
        self._workspaces.source_read(template, files, clock.read())

    async def _keep_files(self, decision: KeepFiles) -> Result:
        template, version, result = decision.template, decision.version, Result.OK
        try:
            await self._client.create(paths.config_maps(template.namespace), decision.body())
        except AlreadyExistsError:
            result = Result.CONFLICT
            body = await self._client.get(paths.config_map(template.namespace, version))
            # Anybody who may write ConfigMaps could have put other files under this name, and made the template its owner.
            has_files = _files(version, body) == decision.files
            if not body.get("immutable") or not is_owned_by(body, template.uid) or not has_files:
                raise NameTakenError(
                    f"ConfigMap {version} exists but does not belong to this template, or has other files. Delete it."
                ) from None
        self._workspaces.files_kept(template, version)
        return result

    async def _discard(self, template: Template, version: str) -> None:
        path = paths.config_map(template.namespace, version)
        try:
            body = await self._client.get(path)
            if is_owned_by(body, template.uid):
                await self._client.delete(path, uid=body["metadata"]["uid"])
        except NotFoundError:
            pass  # it is gone already
        self._workspaces.files_discarded(template, version)

    async def _find_workspaces(self, namespace: str) -> None:
        async for page in self._client.list_pages(paths.workspaces(namespace)):
            for body in page["items"]:
                self._observer.workspace(body)
        self._workspaces.workspaces_listed(namespace)

    # --- import jobs ---

    async def _import(self, decision: ImportVersion) -> Result:
        template, version = decision.template, decision.version
        try:
            body = await self._client.create(paths.jobs(template.namespace), decision.body())
        except AlreadyExistsError:
            if not await self._find_import(template, version.import_job, version.name):
                raise NameTakenError(
                    f"{JOBS} {version.import_job} exists but does not belong to this template. "
                    "Delete it, or raise spec.importGeneration."
                ) from None
            return Result.CONFLICT
        self._observer.build(body)
        return Result.OK

    async def _find_import(self, template: Template, job: str, version: str) -> bool:
        """Read and observe the import's job, or record that there is none; return False if the job is somebody else's."""
        try:
            body: dict[str, Any] = await self._client.get(paths.job(template.namespace, job))
        except NotFoundError:
            self._workspaces.import_missing(template, version)
            return True
        if (body["spec"].get("templateRef") or {}).get("uid") == template.uid:
            found = parse_taken(parse_job_records, body).template_import
            if found is not None and found.version == version:
                self._observer.build(body)
                return True
        self._workspaces.import_missing(template, version)
        return False


def _files(name: str, body: JsonObject) -> SourceFiles:
    try:
        files = from_config_map(body)
    except ValueError as error:
        return SourceFiles(missing=f"ConfigMap {name}, the template's source, cannot be read: {error}. Correct it.")
    return SourceFiles(files.data, files.binary_data)
