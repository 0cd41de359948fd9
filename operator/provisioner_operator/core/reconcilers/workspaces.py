"""What the API server said about templates, workspaces and their jobs, and what follows from it.

The shell tells it what it observed and calls `decide` as often as it calls the mirror's. Only what changed is looked at
again. Nothing in here is authoritative: every decision can be made anew from the objects.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import VersionPhase
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.workspaces.build_history import BuildFacts
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan, plan_workspace
from provisioner_operator.core.workspaces.decisions import (
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
    WorkspaceDecision,
    subject,
)
from provisioner_operator.core.workspaces.records import Build, Import, SourceFiles, Template, Workspace
from provisioner_operator.core.workspaces.template_plan import TemplateFacts, TemplatePlan, plan_template
from provisioner_operator.core.workspaces.template_source import Reading

MOST_GONE = 4096
"""How many deleted objects are remembered: the answer to a write may come after the news that its object is gone."""
REFUSED_SECONDS = 30.0
"""How soon what the API server refused is tried again; a change of the object tries it at once."""


@dataclass(slots=True)
class _Refusal:
    message: str
    until: float


@dataclass(slots=True)
class _TemplateEntry:
    template: Template | None = None
    reading: Reading | None = None
    kept: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    imports: dict[str, Import | None] = field(default_factory=dict)
    wanted: str | None = None
    refusal: _Refusal | None = None
    status_due: float | None = None


@dataclass(slots=True)
class _WorkspaceEntry:
    workspace: Workspace | None = None
    builds: dict[int, Build] = field(default_factory=dict)
    floor: int = 0
    searched: bool = False
    refusal: _Refusal | None = None
    status_due: float | None = None


class WorkspaceMirror:
    """The templates and workspaces of the namespaces that this controller serves."""

    def __init__(self) -> None:
        self._templates: dict[str, _TemplateEntry] = {}
        self._workspaces: dict[str, _WorkspaceEntry] = {}
        self._template_uids: dict[tuple[str, str], str] = {}
        self._made_from: dict[tuple[str, str], set[str]] = {}
        self._jobs: dict[str, tuple[str, int | str]] = {}
        self._attention: dict[str, None] = {}
        self._under_way: set[str] = set()
        self._gone: dict[str, None] = {}
        self._clock: KeyedHeap[str, float] = KeyedHeap()

    # --- what was observed ---

    def observe_template(self, template: Template) -> bool:
        """Take in a template; False if this or a later version of it is known."""
        if template.uid in self._gone:
            return False
        entry = self._templates.setdefault(template.uid, _TemplateEntry())
        known = entry.template
        if known is not None and template.resource_version <= known.resource_version:
            return False
        if known is None or template.generation != known.generation:
            entry.refusal = None
        entry.template = template
        self._template_uids[template.namespace, template.name] = template.uid
        self._forget_told_imports(entry)
        self._attend(template.uid)
        if known is None or (known.status, known.parameters, known.deleting) != (
            template.status,
            template.parameters,
            template.deleting,
        ):
            self._attend_workspaces_of(template)
        return True

    def template_deleted(self, uid: str) -> None:
        """The template's object is gone."""
        entry = self._templates.pop(uid, None)
        self._forget(uid)
        if entry is None:
            return
        for job in entry.imports.values():
            if job is not None:
                self._jobs.pop(job.job_uid, None)
        if (template := entry.template) is not None:
            place = (template.namespace, template.name)
            if self._template_uids.get(place) == uid:
                del self._template_uids[place]
            self._attend_workspaces_of(template)

    def observe_workspace(self, workspace: Workspace) -> bool:
        """Take in a workspace; False if this or a later version of it is known."""
        if workspace.uid in self._gone:
            return False
        entry = self._workspaces.setdefault(workspace.uid, _WorkspaceEntry())
        known = entry.workspace
        if known is not None and workspace.resource_version <= known.resource_version:
            return False
        if known is None or workspace.generation != known.generation:
            entry.refusal = None
        entry.workspace = workspace
        place = (workspace.namespace, workspace.template)
        self._made_from.setdefault(place, set()).add(workspace.uid)
        self._forget_told_builds(entry)
        self._attend(workspace.uid)
        self._attend_template_at(place)
        return True

    def workspace_deleted(self, uid: str) -> None:
        """The workspace's object is gone."""
        entry = self._workspaces.pop(uid, None)
        self._forget(uid)
        if entry is None:
            return
        for build in entry.builds.values():
            self._jobs.pop(build.job_uid, None)
        if (workspace := entry.workspace) is not None:
            place = (workspace.namespace, workspace.template)
            self._made_from.get(place, set()).discard(uid)
            if not self._made_from.get(place):
                self._made_from.pop(place, None)
            self._attend_template_at(place)

    def observe_build(self, build: Build) -> bool:
        """Take in a workspace's job; False if nothing is to be done about it."""
        entry = self._workspaces.get(build.workspace_uid)
        number = build.record.number
        if entry is None:
            if build.record.ended:
                return False  # of a workspace that is gone
            entry = self._workspaces.setdefault(build.workspace_uid, _WorkspaceEntry())
        if not build.record.ended and _is_told_as_ended(entry.workspace, number):
            return False  # old news: an end is final
        known = entry.builds.get(number)
        if known is not None and known.job_uid == build.job_uid and known.resource_version >= build.resource_version:
            return False
        entry.floor = max(entry.floor, number)
        entry.builds[number] = build
        self._jobs[build.job_uid] = (build.workspace_uid, number)
        self._forget_told_builds(entry)
        self._attend(build.workspace_uid)
        return True

    def observe_import(self, job: Import) -> bool:
        """Take in a job that imports a version; False if nothing is to be done about it."""
        entry = self._templates.get(job.template_uid)
        if entry is None:
            if job.ended:
                return False
            entry = self._templates.setdefault(job.template_uid, _TemplateEntry())
        known = entry.imports.get(job.version)
        if known is not None and known.job_uid == job.job_uid and known.resource_version >= job.resource_version:
            return False
        entry.imports[job.version] = job
        self._jobs[job.job_uid] = (job.template_uid, job.version)
        self._attend(job.template_uid)
        return True

    def job_deleted(self, job_uid: str) -> None:
        """A job's object is gone."""
        owner, which = self._jobs.pop(job_uid, (None, 0))
        if owner is None:
            return
        if isinstance(which, int) and (workspace := self._workspaces.get(owner)) is not None:
            workspace.builds.pop(which, None)
            if workspace.workspace is None and not workspace.builds:
                del self._workspaces[owner]
        elif isinstance(which, str) and (template := self._templates.get(owner)) is not None:
            template.imports.pop(which, None)
            if template.template is None and not template.imports:
                del self._templates[owner]
        self._attend(owner)

    # --- what came of a decision ---

    def source_read(self, template: Template, files: SourceFiles, now: Instant) -> None:
        """A ConfigMap was read for the template."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.reading = Reading(files, template.generation, now.monotonic)

    def files_kept(self, template: Template, version: str) -> None:
        """The files of the version are kept."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.kept.add(version)
            entry.discarded.discard(version)

    def files_discarded(self, template: Template, version: str) -> None:
        """The files of the version are gone."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.discarded.add(version)
            entry.kept.discard(version)

    def import_missing(self, template: Template, version: str) -> None:
        """There is no job that imports the version."""
        if (entry := self._templates.get(template.uid)) is not None:
            entry.imports[version] = None

    def builds_found(self, workspace: Workspace, floor: int) -> None:
        """All jobs of the workspace were observed; numbers up to `floor` are taken by others."""
        if (entry := self._workspaces.get(workspace.uid)) is not None:
            entry.searched = True
            entry.floor = max(entry.floor, floor)

    def refused(self, decision: WorkspaceDecision, message: str, now: Instant) -> None:
        """The API server does not let it be done."""
        uid = subject(decision)
        entry = self._workspaces.get(uid) or self._templates.get(uid)
        if entry is not None:
            entry.refusal = _Refusal(message, now.monotonic + REFUSED_SECONDS)

    def settled(self, decision: WorkspaceDecision) -> None:
        """The decision was carried out, or refused."""
        uid = subject(decision)
        self._under_way.discard(uid)
        self._attend(uid)

    # --- what follows ---

    def decide(self, now: Instant) -> Iterator[WorkspaceDecision]:
        """What is due; each decision is under way until it is `settled`."""
        self._attention.update(dict.fromkeys(self._clock.pop_due(now.monotonic)))
        while self._attention:
            uid, _ = self._attention.popitem()
            if uid in self._under_way:
                continue
            if (decision := self._decide_one(uid, now)) is not None:
                self._under_way.add(uid)
                yield decision

    def next_wake(self) -> float | None:
        """When to call `decide` even if nothing is observed, on the monotonic clock; None if never."""
        first = self._clock.peek()
        return None if first is None else first[0]

    # --- what is known ---

    def holds(self, job_uid: str) -> bool:
        """Whether a job must not be deleted yet: its end is not told by its workspace or template."""
        owner, which = self._jobs.get(job_uid, (None, 0))
        if owner is None:
            return False
        if isinstance(which, int):
            workspace = self._workspaces.get(owner)
            return workspace is not None and workspace.workspace is not None and which in workspace.builds
        template = self._templates.get(owner)
        if template is None or template.template is None:
            return False
        version = template.template.status.version(which)
        return which == template.wanted if version is None else version.phase is VersionPhase.IMPORTING

    def live_jobs(self) -> dict[str, tuple[str, str]]:
        """The jobs that have not ended as far as is known, by uid, each with its namespace and name."""
        builds = (build for entry in self._workspaces.values() for build in entry.builds.values())
        imports = (job for entry in self._templates.values() for job in entry.imports.values())
        live = {build.job_uid: (build.namespace, build.record.job) for build in builds if not build.record.ended}
        return live | {job.job_uid: (job.namespace, job.job) for job in imports if job is not None and not job.ended}

    def templates(self) -> Iterator[Template]:
        """All templates, as last observed."""
        return (entry.template for entry in self._templates.values() if entry.template is not None)

    def workspaces(self) -> Iterator[Workspace]:
        """All workspaces, as last observed."""
        return (entry.workspace for entry in self._workspaces.values() if entry.workspace is not None)

    # --- inside ---

    def _decide_one(self, uid: str, now: Instant) -> WorkspaceDecision | None:
        if (workspace := self._workspaces.get(uid)) is not None:
            if workspace.workspace is None:
                return None
            return self._due(uid, workspace, self._plan_workspace(workspace.workspace, workspace, now), now)
        if (template := self._templates.get(uid)) is not None and template.template is not None:
            plan = self._plan_template(template.template, template, now)
            template.wanted = plan.wanted or template.wanted
            return self._due(uid, template, plan, now)
        return None

    def _plan_workspace(self, workspace: Workspace, entry: _WorkspaceEntry, now: Instant) -> WorkspacePlan:
        template = self._templates.get(self._template_uids.get((workspace.namespace, workspace.template), ""))
        facts = BuildFacts(entry.builds, entry.floor, entry.searched, _message(entry.refusal, now))
        return plan_workspace(workspace, template.template if template is not None else None, facts, now)

    def _plan_template(self, template: Template, entry: _TemplateEntry, now: Instant) -> TemplatePlan:
        uids = self._made_from.get((template.namespace, template.name), set())
        facts = TemplateFacts(
            reading=entry.reading,
            kept=frozenset(entry.kept),
            discarded=frozenset(entry.discarded),
            imports=entry.imports,
            workspaces=len(uids),
            versions_in_use=frozenset(self._versions_of(uids)),
            refusal=_message(entry.refusal, now),
        )
        return plan_template(template, facts, now)

    def _due(
        self, uid: str, entry: _TemplateEntry | _WorkspaceEntry, plan: WorkspacePlan | TemplatePlan, now: Instant
    ) -> WorkspaceDecision | None:
        """The decision, unless it is a status that may wait for further changes; and when to look again."""
        looks = [] if plan.look_again_in is None else [now.monotonic + plan.look_again_in]
        if entry.refusal is not None and entry.refusal.until > now.monotonic:
            looks.append(entry.refusal.until)
        decision: WorkspaceDecision | None = plan.decision
        if isinstance(decision, UpdateTemplateStatus | UpdateWorkspaceStatus) and plan.delay > 0:
            if entry.status_due is None:
                entry.status_due = now.monotonic + plan.delay
            if now.monotonic < entry.status_due:
                looks.append(entry.status_due)
                decision = None
        if decision is not None or plan.decision is None:
            entry.status_due = None
        if looks:
            self._clock.put(uid, min(looks))
        else:
            self._clock.discard(uid)
        return decision

    def _versions_of(self, uids: Iterable[str]) -> Iterator[str]:
        for uid in uids:
            entry = self._workspaces[uid]
            if (workspace := entry.workspace) is None:
                continue
            records = (workspace.status.latest_build, workspace.status.last_run)
            versions = [workspace.pinned_version, *(each.version for each in records if each is not None)]
            versions.extend(build.record.version for build in entry.builds.values())
            yield from (version for version in versions if version is not None)

    def _forget_told_builds(self, entry: _WorkspaceEntry) -> None:
        """Drop ended builds that the status tells of, so that what is remembered stays small."""
        if entry.workspace is None:
            return
        status = entry.workspace.status
        told = {each for each in (status.latest_build, status.last_run) if each is not None}
        latest = status.latest_build.number if status.latest_build is not None else 0
        run = status.last_run.number if status.last_run is not None else 0
        for number, build in list(entry.builds.items()):
            is_past = number < latest and (build.record.started is None or number < run)
            if build.record.ended and (build.record in told or is_past):
                del entry.builds[number]
                self._jobs.pop(build.job_uid, None)

    def _forget_told_imports(self, entry: _TemplateEntry) -> None:
        """Drop ended imports that the status tells of."""
        if entry.template is None:
            return
        status = entry.template.status
        for name, job in list(entry.imports.items()):
            version = status.version(name)
            if job is not None and job.ended and version is not None and version.phase is not VersionPhase.IMPORTING:
                del entry.imports[name]
                self._jobs.pop(job.job_uid, None)

    def _attend(self, uid: str) -> None:
        self._attention[uid] = None

    def _attend_workspaces_of(self, template: Template) -> None:
        self._attention.update(dict.fromkeys(self._made_from.get((template.namespace, template.name), ())))

    def _attend_template_at(self, place: tuple[str, str]) -> None:
        if (uid := self._template_uids.get(place)) is not None:
            self._attend(uid)

    def _forget(self, uid: str) -> None:
        self._gone[uid] = None
        if len(self._gone) > MOST_GONE:
            del self._gone[next(iter(self._gone))]
        self._attention.pop(uid, None)
        self._clock.discard(uid)


def _is_told_as_ended(workspace: Workspace | None, number: int) -> bool:
    """Whether the workspace's status has a later build, or this one's end."""
    latest = workspace.status.latest_build if workspace is not None else None
    return latest is not None and (number < latest.number or (number == latest.number and latest.ended))


def _message(refusal: _Refusal | None, now: Instant) -> str | None:
    return refusal.message if refusal is not None and now.monotonic < refusal.until else None
