"""What a template needs next: its source kept and imported as a version, its status written, old versions discarded.

Pure; asked by `workspace_mirror` whenever something about the template may have changed. A version is named by a digest of
what it is made of, and so are the ConfigMap that keeps its files and the job that imports it: whatever is done twice is
done once, and a status that was lost comes back the same.

The version in force is the one that the spec makes, once its import completed; until then, and if it fails, the one that
was in force before.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    Phase,
    StatusCondition,
    TemplateReason,
    VersionPhase,
)
from provisioner_operator.api.v1alpha1.limits import MOST_VERSIONS
from provisioner_operator.api.v1alpha1.names import IN_USE_FINALIZER, import_job_name, version_name
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.workspaces.decisions import (
    DiscardVersion,
    FindImport,
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

SOURCE_RETRY_SECONDS = 30.0
"""How soon a ConfigMap that was not there is looked for again."""
SOURCE_REREAD_SECONDS = 600.0
"""How soon one that was there is read again: it may have changed without the template."""
COUNTS_SECONDS = 2.0
"""How old the count of workspaces may become."""
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ConfigMap held, and when and for which generation of the template it was read."""

    files: SourceFiles
    generation: int
    at: float
    """On the monotonic clock."""


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What is known of a template beside its object."""

    reading: Reading | None = None
    kept: frozenset[str] = frozenset()
    """Versions whose files are surely kept."""
    discarded: frozenset[str] = frozenset()
    """Versions whose files are gone."""
    imports: Mapping[str, Import | None] = field(default_factory=dict)
    """By version; None where there is surely no job."""
    workspaces: int = 0
    versions_in_use: frozenset[str] = frozenset()
    refused: RefusedStep | None = None
    """The step that the API server refused, while it is too early to try it again."""


@dataclass(frozen=True, slots=True)
class TemplatePlan:
    """What to do about a template now, and when to look again if nothing changes, in seconds."""

    decision: TemplateDecision | None = None
    requeue_after: float | None = None
    delay: float = 0.0
    """A status may wait so long for further changes."""
    wanted: str | None = None
    """The version that the spec makes, once that is known."""


def plan_template(template: Template, facts: TemplateFacts, now: Instant) -> TemplatePlan:
    """Return the next step; one that the API server refused is not made before its pause is over."""
    plan = _plan(template, facts, now)
    if facts.refused is None or not facts.refused.blocks(plan.decision):
        return plan
    if facts.refused.transient:
        return replace(plan, decision=None)
    message = f"{facts.refused.message}{_still_in_force(template.status.active_version)}"
    status = _said(template, facts, TemplateReason.WRITE_REFUSED, message, under_way=False, now=now)
    return replace(_write(template, status, plan.requeue_after), wanted=plan.wanted)


def _plan(template: Template, facts: TemplateFacts, now: Instant) -> TemplatePlan:
    if template.deleting:
        return _end(template, facts, now)
    if template.config_map is not None and _is_stale(facts.reading, template, now):
        return TemplatePlan(ReadSource(template))
    files = _files_of(template, facts)
    look = _next_reading(template, facts, now)
    if files is not None and files.missing is not None:
        return _write(template, _unavailable(template, facts, files.missing, now), look)
    wanted = _wanted(template, files, now)
    plan = _plan_version(template, wanted, files, facts, now)
    looks = [each for each in (look, plan.requeue_after) if each is not None]
    return replace(plan, requeue_after=min(looks, default=None), wanted=wanted.name)


def _plan_version(
    template: Template, wanted: Version, files: SourceFiles | None, facts: TemplateFacts, now: Instant
) -> TemplatePlan:
    """The next step towards this version."""
    if IN_USE_FINALIZER not in template.finalizers:
        return TemplatePlan(HoldTemplate(template))
    if (step := _import(template, wanted, files, facts)) is not None:
        return TemplatePlan(step)
    versions = _versions(template, wanted, facts, now)
    active = _active(template.status, versions, wanted)
    spared = {wanted.name, active, *facts.versions_in_use}
    kept: list[Version] = []
    look = None
    for version in versions:
        due = _discard_in(version, spared, template, len(versions), now)
        if due is None or due > 0:
            look = min((each for each in (look, due) if each is not None), default=None)
            kept.append(version)
        elif version.files and version.name not in facts.discarded:
            discard = DiscardVersion(template, version.name)
            if facts.refused is None or not facts.refused.blocks(discard):
                return TemplatePlan(discard)
            kept.append(version)  # and go on: new versions must not wait for old ones
    return _write(template, _status(template, tuple(kept), active, wanted, facts, now), look)


def digest_of(template: Template, files: SourceFiles | None) -> str:
    """What a version is named by: all that its import depends on, but for tags and times."""
    made_of = [
        template.provisioner,
        template.import_generation,
        template.git,
        None if files is None else {"data": files.data, "binaryData": files.binary_data},
    ]
    canonical = json.dumps(made_of, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


# --- the source ---


def _is_stale(reading: Reading | None, template: Template, now: Instant) -> bool:
    if reading is None or reading.generation != template.generation:
        return True
    return now.monotonic >= reading.at + _reread_after(reading)


def _reread_after(reading: Reading) -> float:
    return SOURCE_REREAD_SECONDS if reading.files.missing is None else SOURCE_RETRY_SECONDS


def _next_reading(template: Template, facts: TemplateFacts, now: Instant) -> float | None:
    if template.config_map is None or facts.reading is None:
        return None
    return max(facts.reading.at + _reread_after(facts.reading) - now.monotonic, 0.0)


def _files_of(template: Template, facts: TemplateFacts) -> SourceFiles | None:
    if template.config_map is not None:
        return None if facts.reading is None else facts.reading.files
    return None if template.files is None else SourceFiles(template.files)


def _wanted(template: Template, files: SourceFiles | None, now: Instant) -> Version:
    """The version that the spec makes, as it is known or as it will be."""
    name = version_name(template.name, digest_of(template, files))
    known = template.status.version(name)
    if known is not None:
        return known
    return Version(
        name,
        VersionPhase.IMPORTING,
        import_job_name(name),
        now.wall,
        git=template.git,
        files=files is not None,
    )


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


def _versions(template: Template, wanted: Version, facts: TemplateFacts, now: Instant) -> list[Version]:
    """All versions, the wanted one last, each as its import says."""
    others = [
        replace(each, superseded=each.superseded if each.superseded is not None else now.wall)
        for each in template.status.versions
        if each.name != wanted.name
    ]
    return [_as_imported(each, facts.imports.get(each.name)) for each in (*others, replace(wanted, superseded=None))]


def _as_imported(version: Version, job: Import | None) -> Version:
    if version.phase is not VersionPhase.IMPORTING or job is None or not job.ended:
        return version
    if job.phase is Phase.COMPLETED:
        git = version.git if version.git is None or job.commit is None else {**version.git, "commit": job.commit}
        return replace(version, phase=VersionPhase.READY, git=git, message=None)
    return replace(version, phase=VersionPhase.FAILED, message=job.message)


def _active(status: TemplateStatus, versions: list[Version], wanted: Version) -> str | None:
    ready = [each.name for each in versions if each.phase is VersionPhase.READY]
    if wanted.name in ready or status.active_version not in ready:
        return ready[-1] if ready else None
    return status.active_version


def _discard_in(
    version: Version, spared: set[str | None], template: Template, count: int, now: Instant
) -> float | None:
    """In how many seconds the version is to go; None if it stays."""
    if version.name in spared or version.superseded is None or version.phase is VersionPhase.IMPORTING:
        return None
    if count > MOST_VERSIONS:
        return 0.0
    return max(version.superseded + template.version_retention - now.wall, 0.0)


# --- the status ---


def _end(template: Template, facts: TemplateFacts, now: Instant) -> TemplatePlan:
    """A deleted template goes when no workspace needs it."""
    if IN_USE_FINALIZER not in template.finalizers:
        return TemplatePlan()
    if not facts.workspaces:
        return TemplatePlan(ReleaseTemplate(template))
    message = (
        f"The template is deleted, and goes when the {facts.workspaces} workspaces that are made from it are gone."
    )
    return _write(template, _said(template, facts, TemplateReason.IN_USE, message, under_way=True, now=now), None)


def _unavailable(template: Template, facts: TemplateFacts, missing: str, now: Instant) -> TemplateStatus:
    message = f"{missing}{_still_in_force(template.status.active_version)}"
    return _said(template, facts, TemplateReason.SOURCE_UNAVAILABLE, message, under_way=False, now=now)


def _status(
    template: Template,
    versions: tuple[Version, ...],
    active: str | None,
    wanted: Version,
    facts: TemplateFacts,
    now: Instant,
) -> TemplateStatus:
    status = replace(template.status, versions=versions[-MOST_VERSIONS:], active_version=active)
    job = facts.imports.get(active or "")
    if job is not None and job.ended:
        status = replace(status, variables=job.variables, resources=job.resources)
    template = replace(template, status=status)
    current = next(each for each in versions if each.name == wanted.name)
    match current.phase:
        case VersionPhase.READY:
            reason, message = TemplateReason.IMPORTED, f"Version {current.name} is imported."
        case VersionPhase.FAILED:
            reason = TemplateReason.IMPORT_FAILED
            message = (
                f"The import of version {current.name} (job {current.import_job}) ended without success: "
                f"{current.message or 'it does not say why.'} Correct the source, or raise spec.importGeneration to "
                f"import it again.{_still_in_force(active)}"
            )
        case _:
            reason = TemplateReason.IMPORTING
            message = f"Version {current.name} is being imported by job {current.import_job}.{_still_in_force(active)}"
    if reason is TemplateReason.IMPORTED and facts.refused is not None and not facts.refused.transient:
        # All but an old version's files is as it should be.
        reason, message = TemplateReason.WRITE_REFUSED, facts.refused.message
    return _said(template, facts, reason, message, under_way=reason is TemplateReason.IMPORTING, now=now)


def _said(
    template: Template, facts: TemplateFacts, reason: TemplateReason, message: str, *, under_way: bool, now: Instant
) -> TemplateStatus:
    """The template's status with these conditions."""
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
        "No version can be built yet." if active is None else f"Version {active} is in force.",
        now.wall,
    )
    return replace(status, workspaces=facts.workspaces, observed_generation=template.generation, conditions=conditions)


def _still_in_force(active: str | None) -> str:
    return "" if active is None else f" Version {active} stays in force."


def _write(template: Template, status: TemplateStatus, look: float | None) -> TemplatePlan:
    if status == template.status:
        return TemplatePlan(requeue_after=look)
    only_counts = replace(status, workspaces=template.status.workspaces) == template.status
    return TemplatePlan(UpdateTemplateStatus(template, status), look, COUNTS_SECONDS if only_counts else 0.0)
