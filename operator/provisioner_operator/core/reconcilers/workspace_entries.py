"""Entries of the workspace cache: the observations about one template and about one workspace."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from provisioner_operator.api.v1alpha1.enums import VersionPhase
from provisioner_operator.core.model.backoff import Backoff
from provisioner_operator.core.workspaces.records import (
    JOB_DELETED,
    VANISHED,
    Build,
    Import,
    PlanJob,
    Template,
    Workspace,
)
from provisioner_operator.core.workspaces.template_source import Reading, digest_of, files_of


@dataclass(slots=True)
class TemplateEntry:
    """Observations about one template, and its backoffs."""

    template: Template | None = None
    """None while only its jobs were observed."""
    reading: Reading | None = None
    kept: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    imports: dict[str, Import | None] = field(default_factory=dict)
    wanted: str | None = None
    backoff: Backoff | None = None
    """Backoff of the next step, if it was refused."""
    status_backoff: Backoff | None = None
    """Backoff of the status, if it was refused; it holds back nothing else."""
    status_due: float | None = None
    _digest: tuple[int, Reading | None, str] | None = None
    """Digest of the source, with the generation and the reading that it is of."""

    def drop_reported(self) -> list[str]:
        """Drop the ended imports that the template's status records; return the uids of their jobs."""
        if self.template is None:
            return []
        status, dropped = self.template.status, []
        for name, job in list(self.imports.items()):
            version = status.version(name)
            if job is not None and job.ended and version is not None and version.phase is not VersionPhase.IMPORTING:
                del self.imports[name]
                dropped.append(job.job_uid)
        return dropped

    def job_deleted(self, version_name: str, job_uid: str) -> None:
        """Remove the import of this version, unless it is a later one whose predecessor's deletion is reported only now."""
        job = self.imports.get(version_name)
        if job is not None and job.job_uid == job_uid:
            del self.imports[version_name]

    def holds(self, version_name: str) -> bool:
        """Return whether the template's status does not record the end of this version's import yet."""
        if self.template is None:
            return False
        version = self.template.status.version(version_name)
        return version_name == self.wanted if version is None else version.phase is VersionPhase.IMPORTING

    def unfinished_jobs(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the imports that were not observed to have ended: the uid, and the namespace and name of each."""
        unfinished = (job for job in self.imports.values() if job is not None and not job.ended)
        return ((job.job_uid, (job.namespace, job.job)) for job in unfinished)

    def source_digest(self, template: Template) -> str:
        """Return the digest of the template's source, which is computed once: a source may have hundreds of kilobytes."""
        known = self._digest
        if known is not None and known[0] == template.generation and known[1] is self.reading:
            return known[2]
        digest = digest_of(template, files_of(template, self.reading))
        self._digest = (template.generation, self.reading, digest)
        return digest


@dataclass(slots=True)
class WorkspaceEntry:
    """Observations about one workspace, and its backoffs."""

    workspace: Workspace | None = None
    """None while only its jobs were observed."""
    builds: dict[int, Build] = field(default_factory=dict)
    """Builds by number, also of deleted jobs, until the status records what became of them."""
    plan: PlanJob | None = None
    """The latest job that plans a build for approval, even if it was deleted since."""
    floor: int = 0
    """Highest build number that any job has taken."""
    searched: bool = False
    """Whether all its jobs were listed in this term of leadership."""
    checked: bool = False
    """Whether the API server answered with the workspace in this term of leadership."""
    backoff: Backoff | None = None
    """Backoff of the next step, if it was refused."""
    status_backoff: Backoff | None = None
    """Backoff of the status, if it was refused; it holds back nothing else."""
    status_due: float | None = None

    def drop_reported(self) -> list[str]:
        """Drop the ended builds that the workspace's status records; return the uids of their jobs."""
        if self.workspace is None:
            return []
        status, dropped = self.workspace.status, []
        reported = {each for each in (status.latest_build, status.last_run) if each is not None}
        latest = status.latest_build.number if status.latest_build is not None else 0
        run = status.last_run.number if status.last_run is not None else 0
        for number, build in list(self.builds.items()):
            is_past = number < latest and (not build.record.may_have_begun or number < run)
            # Another controller may have seen more of a deleted job than this one.
            is_settled = build.record.reason in {JOB_DELETED, VANISHED} and self.is_reported_as_ended(number)
            if build.record.ended and (build.record in reported or is_past or is_settled):
                del self.builds[number]
                dropped.append(build.job_uid)
        return dropped

    def build_deleted(self, build: Build) -> None:
        """Record the last state of a build whose job was deleted."""
        known = self.builds.get(build.record.number)
        if known is not None and known.job_uid == build.job_uid:
            self.builds[build.record.number] = replace(build, record=build.record.deleted())

    def job_deleted(self, number: int, job_uid: str) -> None:
        """Keep the build until the status records it: nothing else shows that it may have made resources."""
        if self.plan is not None and self.plan.job_uid == job_uid:
            self.plan = replace(self.plan, record=self.plan.record.deleted())
        build = self.builds.get(number)
        if build is None or build.job_uid != job_uid:
            return  # it is a later job, whose predecessor's deletion is reported only now
        if self.workspace is None or self.is_reported_as_ended(number):
            del self.builds[number]
        else:
            self.builds[number] = replace(build, record=build.record.vanished())

    def is_reported_as_ended(self, number: int) -> bool:
        """Return whether the workspace's status records a later build, or the end of this one."""
        latest = self.workspace.status.latest_build if self.workspace is not None else None
        return latest is not None and (number < latest.number or (number == latest.number and latest.ended))

    def holds(self, number: int) -> bool:
        """Return whether the workspace's status does not record the end of this build yet."""
        if self.workspace is None:
            return False
        plan = self.plan
        is_unrecorded = plan is not None and plan.record.number == number and self.workspace.status.plan != plan.record
        return number in self.builds or (is_unrecorded and self.workspace.needs_approval)

    def unfinished_jobs(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the builds that were not observed to have ended: the uid, and the namespace and name of each."""
        unfinished = (build for build in self.builds.values() if not build.record.ended)
        plans = () if self.plan is None or self.plan.record.ended else (self.plan,)
        return ((each.job_uid, (each.namespace, each.record.job)) for each in (*unfinished, *plans))

    def versions_in_use(self) -> set[str]:
        """Return the template's versions that the workspace asks for, or that its latest builds were made from."""
        versions = {build.record.version for build in self.builds.values()}
        if self.workspace is not None:
            status = self.workspace.status
            records = (status.latest_build, status.last_run, status.plan)
            versions |= {self.workspace.pinned_version, *(each.version for each in records if each is not None)}
        if self.plan is not None:
            versions.add(self.plan.record.version)
        return {version for version in versions if version is not None}
