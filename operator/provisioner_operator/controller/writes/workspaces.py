"""Carry out decisions about workspaces: jobs for their builds, finalizers, statuses."""

import re
from collections.abc import Mapping
from typing import Any

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import NameTakenError, Result
from provisioner_operator.controller.writes.executor import (
    has_moved_on,
    parse_taken,
    read_fresh,
    version_of,
    with_effect,
)
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import (
    BuildDecision,
    CheckWorkspace,
    CreateBuild,
    CreateDriftCheck,
    CreatePlan,
    FindBuilds,
    HoldWorkspace,
    ReleaseWorkspace,
    Supersede,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.records import Workspace
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import AlreadyExistsError
from provisioner_operator.kube.job_parsing import parse_job_records


class WorkspaceExecutor:
    """Executor of decisions about workspaces."""

    def __init__(self, client: KubeClient, observer: Observer, workspaces: WorkspaceReconciler) -> None:
        self._client = client
        self._observer = observer
        self._workspaces = workspaces

    async def execute(self, decision: BuildDecision) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        workspace = decision.workspace
        match decision:
            case HoldWorkspace() | ReleaseWorkspace():
                path = paths.workspace(workspace.namespace, workspace.name)
                self._observe_fresh(await self._client.json_patch(path, decision.patch()))
            case UpdateWorkspaceStatus():
                path = paths.workspace_status(workspace.namespace, workspace.name)
                body = await self._client.json_patch(path, decision.patch())
                self._observe_fresh(with_effect(body, workspace.resource_version))
            case CreateBuild() | CreatePlan():
                return await self._create_build(decision)
            case CreateDriftCheck():
                return await self._create_drift_check(decision)
            case CheckWorkspace():
                await self._read(workspace)
            case FindBuilds():
                await self._find_builds(workspace)
            case Supersede(_, build):
                path = paths.job(workspace.namespace, build.record.job)
                body = await self._client.json_patch(path, decision.patch())
                parse_taken(parse_job_records, body)
                self._observer.build(body)
        return Result.OK

    async def is_news(self, decision: BuildDecision) -> bool:
        """Read the object of the decision; return whether the precondition no longer holds. Raises KubeError."""
        workspace = decision.workspace
        if isinstance(decision, Supersede):
            build = decision.build
            body = await read_fresh(
                self._client,
                paths.job(workspace.namespace, build.record.job),
                build.job_uid,
                observe=self._observer.build,
                gone=self._observer.job_deleted,
            )
            if body is not None:
                parse_taken(parse_job_records, body)
            return has_moved_on(body, decision.patch(), build.resource_version)
        body = await self._read(workspace)
        if isinstance(decision, CheckWorkspace | FindBuilds | CreateBuild | CreateDriftCheck | CreatePlan):
            return body is None or version_of(body) != workspace.resource_version
        return has_moved_on(body, decision.patch(), workspace.resource_version)

    async def _create_build(self, decision: CreateBuild | CreatePlan) -> Result:
        workspace = decision.workspace
        try:
            body = await self._client.create(paths.jobs(workspace.namespace), decision.body())
        except AlreadyExistsError:
            # The workspace's own job, created by an earlier request whose answer was lost, or a job of somebody else.
            body = await self._client.get(paths.job(workspace.namespace, decision.job))
            if _is_of(workspace, body):
                parse_taken(parse_job_records, body)
            # Also if it is the workspace's: should it not be the build that it seems to be, the next number is.
            self._workspaces.number_taken(workspace, decision.number)
            self._observer.build(body)
            return Result.CONFLICT
        self._observer.build(body)
        return Result.OK

    async def _create_drift_check(self, decision: CreateDriftCheck) -> Result:
        namespace = decision.workspace.namespace
        try:
            body = await self._client.create(paths.jobs(namespace), decision.body())
        except AlreadyExistsError:
            body = await self._client.get(paths.job(namespace, decision.job))
            self._observer.build(body)
            # Else it is no check that this request could have made, and the next slot has another name.
            if not self._workspaces.knows_check(body["metadata"]["uid"]):
                raise NameTakenError(f"ProvisionerJob {decision.job} exists, and is another one. Delete it.") from None
            return Result.CONFLICT
        self._observer.build(body)
        return Result.OK

    async def _find_builds(self, workspace: Workspace) -> None:
        """List and observe the workspace's jobs, then the workspace, and record the highest number that is taken."""
        numbered = re.compile(rf"{re.escape(workspace.name)}-([0-9]{{1,9}})")
        floor = 0
        selector = f"spec.workspaceRef.name={workspace.name}"
        async for page in self._client.list_pages(paths.jobs(workspace.namespace), field_selector=selector):
            for body in page["items"]:
                if match := numbered.fullmatch(body["metadata"]["name"]):
                    floor = max(floor, int(match[1]))
                if _is_of(workspace, body):
                    self._observer.build(body)
        # After the list: a job that it lacks has expired, and the workspace's status recorded its end before that.
        if await self._read(workspace) is not None:
            self._workspaces.builds_found(workspace, floor)

    async def _read(self, workspace: Workspace) -> dict[str, Any] | None:
        return await read_fresh(
            self._client,
            paths.workspace(workspace.namespace, workspace.name),
            workspace.uid,
            observe=self._observe_fresh,
            gone=self._observer.workspace_deleted,
        )

    def _observe_fresh(self, body: Mapping[str, Any]) -> None:
        """Observe the workspace as the API server has it now, not as a watch shows it."""
        self._observer.workspace(body)
        self._workspaces.workspace_checked(body["metadata"]["uid"])


def _is_of(workspace: Workspace, job: dict[str, Any]) -> bool:
    """Return whether the workspace made this job; one by an admin or of a former workspace has another uid or none."""
    return bool((job["spec"].get("workspaceRef") or {}).get("uid") == workspace.uid)
