"""Plan the next step for a template: keep its source, import it as a version, write its status, discard versions.

Pure; called by the workspace reconciler whenever something about the template may have changed. A version is named by a
digest of its source, and so are the ConfigMap that keeps its files and the job that imports it: repeating a step
changes nothing, and a lost status is derived again.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, StatusCondition, TemplateReason, VersionPhase
from provisioner_operator.api.v1alpha1.limits import MOST_VERSIONS
from provisioner_operator.api.v1alpha1.names import IN_USE_FINALIZER
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.instant import Instant
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
from provisioner_operator.core.workspaces.records import Import, SourceFiles, Template, TemplateStatus, Version
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from provisioner_operator.core.workspaces.status import object_conditions
from provisioner_operator.core.workspaces.template_source import Reading, digest_of, files_of, must_read, next_reading
from provisioner_operator.core.workspaces.template_versions import (
    active_version,
    as_imported,
    current_versions,
    discard_in,
    have_room,
    wanted_version,
    without_spare,
)

WORKSPACE_COUNT_SECONDS = 2.0
"""Longest delay of a write that changes nothing but the number of workspaces; none if that is 0, as the template may go then."""


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """Observations about a template beyond its object."""

    reading: Reading | None = None
    kept: frozenset[str] = frozenset()
    """Versions whose files are certainly kept."""
    discarded: frozenset[str] = frozenset()
    """Versions whose files are gone."""
    imports: Mapping[str, Import | None] = field(default_factory=dict)
    """Import jobs by version; None where there is certainly no job."""
    listed: bool = False
    """Whether the namespace's workspaces were listed in this term of leadership; otherwise an unknown one may exist."""
    workspaces: int = 0
    unreadable_workspaces: int = 0
    """Workspaces of the namespace that cannot be parsed: they may use the template, and any of its versions."""
    versions_in_use: frozenset[str] = frozenset()
    digest: str | None = None
    """Digest of the source, if it was computed before."""
    refused: RefusedStep | None = None
    """Step that the API server refused, during its backoff."""


@dataclass(frozen=True, slots=True)
class TemplatePlan:
    """Decision that is due for a template, and the seconds after which to plan again if nothing changes."""

    decision: TemplateDecision | None = None
    requeue_after: float | None = None
    delay: float = 0.0
    """Seconds that a write of the status may wait for further changes."""
    wanted: str | None = None
    """Name of the version that the spec asks for, once that is known."""


def plan_template(template: Template, facts: TemplateFacts, now: Instant) -> TemplatePlan:
    """Return the next step; one that the API server refused is not repeated before its backoff ends."""
    plan = _plan(template, facts, now)
    if facts.refused is None or not facts.refused.blocks(plan.decision):
        return plan
    if facts.refused.transient:
        return replace(plan, decision=None)
    # Ends of imports are recorded all the same: builds must not wait for a version that cannot be imported.
    versions = tuple(as_imported(template, each, facts.imports.get(each.name)) for each in template.status.versions)
    active = active_version(template.status, versions, versions[-1]) if versions else None
    recorded = replace(template, status=_with_versions(template.status, versions, active, facts))
    message = f"{facts.refused.message}{_remains_active(active)}"
    status = _with_conditions(recorded, facts, TemplateReason.WRITE_REFUSED, message, under_way=False, now=now)
    return replace(_write(template, status, plan.requeue_after), wanted=plan.wanted)


def _plan(template: Template, facts: TemplateFacts, now: Instant) -> TemplatePlan:
    if template.deleting:
        return _end(template, facts, now)
    if must_read(template, facts.reading, now):
        return TemplatePlan(ReadSource(template))
    files = files_of(template, facts.reading)
    look = next_reading(template, facts.reading, now)
    if files is not None and files.missing is not None:
        return _write(template, _unavailable(template, facts, files.missing, now), look)
    wanted = wanted_version(template, files, facts.digest or digest_of(template, files), now)
    plan = _plan_version(template, wanted, files, facts, now)
    looks = [each for each in (look, plan.requeue_after) if each is not None]
    return replace(plan, requeue_after=min(looks, default=None), wanted=wanted.name)


def _plan_version(
    template: Template, wanted: Version, files: SourceFiles | None, facts: TemplateFacts, now: Instant
) -> TemplatePlan:
    """Return the next step towards this version."""
    if IN_USE_FINALIZER not in template.finalizers:
        return TemplatePlan(HoldTemplate(template))
    versions = current_versions(template, wanted, facts.imports, now)
    active = active_version(template.status, versions, wanted)
    needed = {wanted.name, active, *facts.versions_in_use}
    if facts.unreadable_workspaces:
        needed.update(each.name for each in versions)
    is_new = template.status.version(wanted.name) is None
    if is_new and not have_room([each for each in versions if each.name in needed]):
        return _write(template, _without_room(template, wanted, facts, now), None)
    if (step := _import(template, wanted, files, facts)) is not None:
        return TemplatePlan(step)
    crowded = len(versions) > MOST_VERSIONS or (is_new and not have_room(versions))
    kept, step, look = _retention(template, versions, needed, facts, now, crowded=crowded)
    status = _status(template, without_spare(kept, needed), active, wanted, facts, now)
    # A list may take long, or fail: what has changed is written first if the status has room for it.
    may_wait = isinstance(step, FindWorkspaces) and have_room(kept) and _is_news(template.status, status)
    if step is not None and not may_wait:
        return TemplatePlan(step, look)
    return _write(template, status, look)


def _retention(
    template: Template,
    versions: Sequence[Version],
    needed: AbstractSet[str | None],
    facts: TemplateFacts,
    now: Instant,
    *,
    crowded: bool,
) -> tuple[list[Version], DiscardVersion | FindWorkspaces | None, float | None]:
    """Return the versions that the status keeps, the step towards discarding another, and the seconds until one is due.

    A step that is refused is left out, since new versions must not wait for old ones, unless the status has no room.
    """
    kept: list[Version] = []
    steps: list[DiscardVersion | FindWorkspaces] = []
    look = None
    for version in versions:
        due = discard_in(version, needed, template, now, crowded=crowded)
        if due is None or due > 0:
            look = min((each for each in (look, due) if each is not None), default=None)
        elif not facts.listed:
            steps.append(FindWorkspaces(template))
        elif version.files and version.name not in facts.discarded:
            steps.append(DiscardVersion(template, version.name))
        else:
            continue
        kept.append(version)
    # Before the list, not even the status may lose a version.
    if facts.refused is not None and (facts.listed or have_room(kept)):
        steps = [each for each in steps if not facts.refused.blocks(each)]
    return kept, next(iter(steps), None), look


# --- the import ---


def _import(
    template: Template, wanted: Version, files: SourceFiles | None, facts: TemplateFacts
) -> TemplateDecision | None:
    is_known = template.status.version(wanted.name) is not None
    if files is not None and not is_known and wanted.name not in facts.kept:
        return KeepFiles(template, wanted.name, files)
    if wanted.phase is not VersionPhase.IMPORTING or facts.imports.get(wanted.name) is not None:
        return None
    if is_known and wanted.name not in facts.imports:
        return FindImport(template, wanted)
    return ImportVersion(template, wanted)


# --- the status ---


def _end(template: Template, facts: TemplateFacts, now: Instant) -> TemplatePlan:
    """Release a deleted template once no workspace needs it."""
    if IN_USE_FINALIZER not in template.finalizers:
        return TemplatePlan()
    if not facts.workspaces and not facts.unreadable_workspaces:
        return TemplatePlan(ReleaseTemplate(template) if facts.listed else FindWorkspaces(template))
    count = "1 workspace" if facts.workspaces == 1 else f"{facts.workspaces} workspaces"
    unreadable = f", and {facts.unreadable_workspaces} that cannot be parsed" if facts.unreadable_workspaces else ""
    message = f"The template is being deleted; it remains until no workspace uses it ({count} left{unreadable})."
    return _write(
        template, _with_conditions(template, facts, TemplateReason.IN_USE, message, under_way=True, now=now), None
    )


def _unavailable(template: Template, facts: TemplateFacts, missing: str, now: Instant) -> TemplateStatus:
    message = f"{missing}{_remains_active(template.status.active_version)}"
    return _with_conditions(template, facts, TemplateReason.SOURCE_UNAVAILABLE, message, under_way=False, now=now)


def _without_room(template: Template, wanted: Version, facts: TemplateFacts, now: Instant) -> TemplateStatus:
    active = template.status.active_version
    message = (
        f"Version {wanted.name} is not imported: workspaces use {len(facts.versions_in_use)} versions of the template, and "
        "its status has no room for another. Move workspaces to a newer version (spec.updatePolicy, or "
        f"spec.templateRef.version), or declare less in spec.parameters and spec.variables.{_remains_active(active)}"
    )
    return _with_conditions(template, facts, TemplateReason.TOO_MANY_VERSIONS, message, under_way=False, now=now)


def _status(
    template: Template,
    versions: tuple[Version, ...],
    active: str | None,
    wanted: Version,
    facts: TemplateFacts,
    now: Instant,
) -> TemplateStatus:
    template = replace(template, status=_with_versions(template.status, versions, active, facts))
    current = next(each for each in versions if each.name == wanted.name)
    reason, message = _describe(current)
    if current.phase is not VersionPhase.READY:
        message += _remains_active(active)
    if reason is TemplateReason.IMPORTED and facts.refused is not None and not facts.refused.transient:
        # Everything but the files of an old version is in its desired state.
        reason, message = TemplateReason.WRITE_REFUSED, facts.refused.message
    return _with_conditions(template, facts, reason, message, under_way=reason is TemplateReason.IMPORTING, now=now)


def _with_versions(
    status: TemplateStatus, versions: tuple[Version, ...], active: str | None, facts: TemplateFacts
) -> TemplateStatus:
    """Return the status with these versions, and with what the import of the active one found."""
    status = replace(status, versions=versions, active_version=active)
    job = facts.imports.get(active or "")
    return status if job is None or not job.ended else replace(status, variables=job.variables, resources=job.resources)


def _describe(version: Version) -> tuple[TemplateReason, str]:
    match version.phase:
        case VersionPhase.READY:
            return TemplateReason.IMPORTED, f"Version {version.name} is imported."
        case VersionPhase.FAILED:
            message = (
                f"The import of version {version.name} (job {version.import_job}) did not succeed: "
                f"{version.message or 'no reason was reported.'} Fix the template, or raise spec.importGeneration to "
                "import it again."
            )
            return TemplateReason.IMPORT_FAILED, message
        case _:
            return TemplateReason.IMPORTING, f"Version {version.name} is being imported by job {version.import_job}."


def _with_conditions(
    template: Template, facts: TemplateFacts, reason: TemplateReason, message: str, *, under_way: bool, now: Instant
) -> TemplateStatus:
    """Return the template's status with these conditions."""
    status = template.status
    ready = reason is TemplateReason.IMPORTED
    conditions = object_conditions(
        status.conditions, ready=ready, reason=reason, message=message, under_way=under_way, now=now.wall
    )
    active = status.active_version
    conditions = with_condition(
        conditions,
        StatusCondition.AVAILABLE,
        ConditionStatus.FALSE if active is None else ConditionStatus.TRUE,
        TemplateReason.NO_VERSION if active is None else TemplateReason.IMPORTED,
        "No version has been imported yet." if active is None else f"Version {active} is active.",
        now.wall,
    )
    return replace(status, workspaces=facts.workspaces, observed_generation=template.generation, conditions=conditions)


def _remains_active(active: str | None) -> str:
    return "" if active is None else f" Version {active} remains active."


def _is_news(former: TemplateStatus, status: TemplateStatus) -> bool:
    """Return whether more than conditions and the number of workspaces has changed.

    Conditions alone also change because a list was refused, or because its backoff has ended.
    """
    return replace(status, workspaces=former.workspaces, conditions=former.conditions) != former


def _write(template: Template, status: TemplateStatus, look: float | None) -> TemplatePlan:
    if status == template.status:
        return TemplatePlan(requeue_after=look)
    may_wait = status.workspaces > 0 and replace(status, workspaces=template.status.workspaces) == template.status
    return TemplatePlan(UpdateTemplateStatus(template, status), look, WORKSPACE_COUNT_SECONDS if may_wait else 0.0)
