"""Cache templates, workspaces and their jobs as last observed, and queue those that have to be reconciled.

Fed by the controller's observer, and by its executors with the results of reads. The cache can be rebuilt from the objects
and is not authoritative. It decides nothing: that is the workspace reconciler's part.
"""

from collections.abc import Iterator
from dataclasses import replace

from provisioner_operator.core.model.current_uids import CurrentUids
from provisioner_operator.core.model.gone_objects import GoneObjects
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.work_queue import WorkQueue
from provisioner_operator.core.reconcilers.version_use import VersionUse
from provisioner_operator.core.reconcilers.workspace_entries import TemplateEntry, WorkspaceEntry
from provisioner_operator.core.workspaces.records import Build, Import, SourceFiles, Template, Workspace
from provisioner_operator.core.workspaces.template_source import Reading


class WorkspaceCache:
    """Templates and workspaces of all served namespaces."""

    def __init__(self) -> None:
        self._templates: dict[str, TemplateEntry] = {}
        self._workspaces: dict[str, WorkspaceEntry] = {}
        self._template_uids = CurrentUids()
        self._version_use = VersionUse()
        self._jobs: dict[str, tuple[str, int | str]] = {}
        self._workspace_uids = CurrentUids()
        self._gone = GoneObjects()
        self._work: WorkQueue[str] = WorkQueue()

    # --- what was observed ---

    def observe_template(self, template: Template) -> bool:
        """Observe a template; return False if this or a later version of it is known."""
        if self._gone.covers(template.uid, template.resource_version):
            return False
        entry = self._templates.setdefault(template.uid, TemplateEntry())
        known = entry.template
        if known is not None and template.resource_version <= known.resource_version:
            return False
        if known is None or template.generation != known.generation:
            entry.backoff = entry.status_backoff = None
        self._work.unpark(template.uid)
        entry.template = template
        self._template_uids.add((template.namespace, template.name), template.uid)
        self._forget_reported(entry)
        self._work.add(template.uid)
        try_again = known is None or _what_is_built(known) != _what_is_built(template)
        if try_again or _what_is_checked(known) != _what_is_checked(template):
            self._queue_workspaces_of(template, try_again=try_again)
        return True

    def template_deleted(self, uid: str) -> None:
        """Remove a template whose object is gone."""
        entry = self._templates.pop(uid, None)
        self._forget(uid)
        if entry is None:
            return
        for job in entry.imports.values():
            if job is not None:
                self._jobs.pop(job.job_uid, None)
        if (template := entry.template) is not None:
            self._template_uids.remove((template.namespace, template.name), uid)
            self._queue_workspaces_of(template, try_again=True)

    def observe_workspace(self, workspace: Workspace) -> bool:
        """Observe a workspace; return False if this or a later version of it is known."""
        if self._gone.covers(workspace.uid, workspace.resource_version):
            return False
        entry = self._workspaces.setdefault(workspace.uid, WorkspaceEntry())
        known = entry.workspace
        if known is not None and workspace.resource_version <= known.resource_version:
            return False
        if known is None or workspace.generation != known.generation:
            entry.backoff = entry.status_backoff = None
        self._work.unpark(workspace.uid)
        entry.workspace = workspace
        self._workspace_uids.add((workspace.namespace, workspace.name), workspace.uid)
        self._forget_reported(entry)
        self._work.add(workspace.uid)
        self._versions_changed(workspace.uid, entry)
        return True

    def workspace_deleted(self, uid: str) -> None:
        """Remove a workspace whose object is gone."""
        entry = self._workspaces.pop(uid, None)
        self._forget(uid)
        if entry is None:
            return
        for job in (*entry.builds.values(), *(() if entry.plan is None else (entry.plan,))):
            self._jobs.pop(job.job_uid, None)
        if (workspace := entry.workspace) is not None:
            self._workspace_uids.remove((workspace.namespace, workspace.name), uid)
            self._version_use.remove(uid)
            self._queue_template_at((workspace.namespace, workspace.template))

    def observe_build(self, build: Build) -> bool:
        """Observe a workspace's job; return False if there is nothing to reconcile."""
        if self._gone.covers(build.job_uid, build.resource_version):
            return False
        entry = self._workspaces.get(build.workspace_uid)
        number = build.record.number
        if entry is None:
            if build.record.ended:
                return False  # its workspace is gone
            entry = self._workspaces.setdefault(build.workspace_uid, WorkspaceEntry())
        if not build.record.ended and entry.is_reported_as_ended(number):
            return False  # outdated: an end is final
        known = entry.builds.get(number)
        if known is not None and known.job_uid == build.job_uid and known.resource_version >= build.resource_version:
            return False
        entry.floor = max(entry.floor, number)
        entry.builds[number] = build
        self._jobs[build.job_uid] = (build.workspace_uid, number)
        self._forget_reported(entry)
        self._work.add(build.workspace_uid)
        self._versions_changed(build.workspace_uid, entry)
        return True

    def observe_import(self, job: Import) -> bool:
        """Observe a job that imports a version; return False if there is nothing to reconcile."""
        if self._gone.covers(job.job_uid, job.resource_version):
            return False
        entry = self._templates.get(job.template_uid)
        if entry is None:
            if job.ended:
                return False
            entry = self._templates.setdefault(job.template_uid, TemplateEntry())
        known = entry.imports.get(job.version)
        if known is not None and known.job_uid == job.job_uid and known.resource_version >= job.resource_version:
            return False
        entry.imports[job.version] = job
        self._jobs[job.job_uid] = (job.template_uid, job.version)
        self._work.add(job.template_uid)
        return True

    def build_deleted(self, build: Build) -> None:
        """Record the last state of a build whose job was deleted; `job_deleted` has to follow."""
        if (entry := self._workspaces.get(build.workspace_uid)) is not None:
            entry.build_deleted(build)

    def job_deleted(self, job_uid: str) -> None:
        """Remove a job whose object is gone; unless its last state was recorded, it may have started since it was observed."""
        owner, which = self._jobs.pop(job_uid, (None, 0))
        if owner is None:
            return
        self._gone.add(job_uid)
        if isinstance(which, int) and (workspace := self._workspaces.get(owner)) is not None:
            workspace.job_deleted(which, job_uid)
            self._versions_changed(owner, workspace)
            if workspace.workspace is None and not workspace.builds:
                del self._workspaces[owner]
        elif isinstance(which, str) and (template := self._templates.get(owner)) is not None:
            template.job_deleted(which, job_uid)
            if template.template is None and not template.imports:
                del self._templates[owner]
        self._work.add(owner)

    def park(self, uid: str) -> None:
        """Decide nothing about an object that cannot be parsed until it can be again."""
        self._work.park(uid)

    # --- results of reads ---

    def source_read(self, template: Template, files: SourceFiles, now: Instant) -> None:
        """Record the content of a template's ConfigMap."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.reading = Reading(files, template.generation, now.monotonic)

    def files_kept(self, template: Template, version: str) -> None:
        """Record that the files of the version are stored."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.kept.add(version)
            entry.discarded.discard(version)

    def files_discarded(self, template: Template, version: str) -> None:
        """Record that the files of the version are deleted."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.discarded.add(version)
            entry.kept.discard(version)

    def import_missing(self, template: Template, version: str) -> None:
        """Record that no job imports the version."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.imports[version] = None

    def builds_found(self, workspace: Workspace, floor: int) -> None:
        """Record that all jobs of the workspace and then the workspace itself were observed, and that numbers up to `floor` are taken."""
        if (entry := self._workspaces.get(workspace.uid)) is not None:
            entry.searched = True
            entry.floor = max(entry.floor, floor)

    def workspace_checked(self, uid: str) -> None:
        """Record that the API server answered with the workspace as it is: to a read, or to a write."""
        if (entry := self._workspaces.get(uid)) is not None:
            entry.checked = True

    def leadership_gained(self) -> None:
        """Distrust every absence that was observed as a standby, whose watches may have ended unnoticed."""
        for entry in self._workspaces.values():
            entry.searched = entry.checked = False
        # The other leader may have kept and discarded files; to do so again changes nothing.
        for template in self._templates.values():
            template.kept.clear()
            template.discarded.clear()

    def number_taken(self, workspace: Workspace, number: int) -> None:
        """Record that a job of somebody else has the name of the workspace's build of this number."""
        if (entry := self._workspaces.get(workspace.uid)) is not None:
            entry.floor = max(entry.floor, number)

    # --- what is known ---

    def holds(self, job_uid: str) -> bool:
        """Return whether a job must be kept because the status of its workspace or template does not record its end yet."""
        owner, which = self._jobs.get(job_uid, ("", 0))
        if isinstance(which, int):
            workspace = self._workspaces.get(owner)
            return workspace is not None and workspace.holds(which)
        template = self._templates.get(owner)
        return template is not None and template.holds(which)

    def unfinished_jobs(self) -> dict[str, tuple[str, str]]:
        """Return the jobs that were not observed to have ended, by uid, each with its namespace and name."""
        entries: list[TemplateEntry | WorkspaceEntry] = [*self._workspaces.values(), *self._templates.values()]
        return {uid: place for entry in entries for uid, place in entry.unfinished_jobs()}

    def template(self, uid: str) -> Template | None:
        """Return a template, as last observed."""
        return None if (entry := self._templates.get(uid)) is None else entry.template

    def templates(self) -> Iterator[Template]:
        """Iterate over all templates, as last observed."""
        return (entry.template for entry in self._templates.values() if entry.template is not None)

    def workspaces(self) -> Iterator[Workspace]:
        """Iterate over all workspaces, as last observed."""
        return (entry.workspace for entry in self._workspaces.values() if entry.workspace is not None)

    # --- inside ---

    def _forget_reported(self, entry: TemplateEntry | WorkspaceEntry) -> None:
        for job_uid in entry.drop_reported():
            self._jobs.pop(job_uid, None)

    def _queue_workspaces_of(self, template: Template, *, try_again: bool) -> None:
        """Queue the workspaces that are made from the template; reset their backoffs if `try_again`."""
        for uid in self._version_use.workspaces_of((template.namespace, template.name)):
            if try_again:
                self._workspaces[uid].backoff = None
            self._work.add(uid)

    def _versions_changed(self, uid: str, entry: WorkspaceEntry) -> None:
        """Queue the workspace's template if it has one workspace more, or another version in use."""
        if (workspace := entry.workspace) is not None:
            place = (workspace.namespace, workspace.template)
            if self._version_use.record(uid, place, entry.versions_in_use()):
                self._queue_template_at(place)

    def _queue_template_at(self, place: tuple[str, str]) -> None:
        if uid := self._template_uids.get(place):
            self._work.add(uid)

    def _forget(self, uid: str) -> None:
        self._gone.add(uid)
        self._work.discard(uid)


def _what_is_checked(template: Template | None) -> tuple[object, ...] | None:
    """Return everything about the template that a workspace's status depends on, which excludes its number of workspaces."""
    return None if template is None else (replace(template.status, workspaces=0), template.parameters)


def _what_is_built(template: Template) -> tuple[object, ...]:
    """Return everything about the template that a build depends on, which excludes its number of workspaces."""
    status = template.status
    return (template.generation, template.deleting, status.active_version, status.versions)
