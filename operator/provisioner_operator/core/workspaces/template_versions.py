"""Derive the versions of a template from its source and its imports: phases, the active one, and retention.

Used by `template_plan`. The active version is the one that the spec asks for once its import has completed; until then,
and if it fails, the one that was active before.
"""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase
from provisioner_operator.api.v1alpha1.limits import LONGEST_RECORDED_VALUE, MOST_VERSION_BYTES, MOST_VERSIONS_IN_USE
from provisioner_operator.api.v1alpha1.names import import_job_name, version_name
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.workspaces.records import Import, SourceFiles, Template, TemplateStatus, Version
from provisioner_operator.core.workspaces.status import version_json
from provisioner_operator.core.workspaces.template_faults import template_faults


def have_room(versions: Sequence[Version]) -> bool:
    """Return whether a template's status has room for all these versions."""
    if len(versions) > MOST_VERSIONS_IN_USE:
        return False
    return sum(len(json.dumps(version_json(each))) for each in versions) <= MOST_VERSION_BYTES


def without_spare(versions: Sequence[Version], needed: AbstractSet[str | None]) -> tuple[Version, ...]:
    """Return the versions that fit into the status: the oldest of those that nothing needs are left out."""
    excess = len(versions) - MOST_VERSIONS_IN_USE
    spare = [each.name for each in versions if each.name not in needed][: max(excess, 0)]
    return tuple(each for each in versions if each.name not in spare)


def wanted_version(template: Template, files: SourceFiles | None, digest: str, now: Instant) -> Version:
    """Return the version that the spec asks for, as the status has it, or as it will be created."""
    name = version_name(template.name, digest)
    known = template.status.version(name)
    if known is not None:
        if known.phase is VersionPhase.FAILED and known.superseded is not None:
            # It may have been judged while it was superseded, without variables that the template has regained since.
            known = replace(known, phase=VersionPhase.IMPORTING, message=None)
        # The variables' values may change at any time, and are no part of the name.
        return replace(known, variables=_recorded_variables(template))
    job = import_job_name(name)
    return Version(
        name,
        VersionPhase.IMPORTING,
        job,
        now.wall,
        provisioner=template.provisioner,
        git=template.git,
        files=files is not None,
        parameters=template.parameters,
        variables=_recorded_variables(template),
        state=template.state,
    )


def _recorded_variables(template: Template) -> tuple[JsonObject, ...]:
    """Return the template's variables that a version records: the status has no room for long values."""
    return tuple(each for each in template.variables if len(str(each.get("value", ""))) <= LONGEST_RECORDED_VALUE)


def current_versions(
    template: Template, wanted: Version, imports: Mapping[str, Import | None], now: Instant
) -> list[Version]:
    """Return all versions in the phases that their imports report, the wanted one last and the others superseded."""
    others = [
        replace(each, superseded=each.superseded if each.superseded is not None else now.wall)
        for each in template.status.versions
        if each.name != wanted.name
    ]
    everything = (*others, replace(wanted, superseded=None))
    return [as_imported(template, each, imports.get(each.name)) for each in everything]


def as_imported(template: Template, version: Version, job: Import | None) -> Version:
    """Return the version in the phase that its import reports; one with faults of its own has failed all the same."""
    if version.phase is not VersionPhase.IMPORTING or job is None or not job.ended:
        return version
    if job.phase is Phase.COMPLETED and (faults := template_faults(template, version, job.variables)):
        return replace(version, phase=VersionPhase.FAILED, message=" ".join(faults))
    if job.phase is Phase.COMPLETED:
        # Builds take the commit that was imported, wherever the branch has moved since.
        git = version.git if version.git is None or job.commit is None else {**version.git, "commit": job.commit}
        return replace(version, phase=VersionPhase.READY, git=git, message=None)
    return replace(version, phase=VersionPhase.FAILED, message=job.message)


def active_version(status: TemplateStatus, versions: Sequence[Version], wanted: Version) -> str | None:
    """Return the name of the version that new builds use; None while no import has completed."""
    ready = [each.name for each in versions if each.phase is VersionPhase.READY]
    if wanted.name in ready or status.active_version not in ready:
        return ready[-1] if ready else None
    return status.active_version


def discard_in(
    version: Version, needed: AbstractSet[str | None], template: Template, now: Instant, *, crowded: bool
) -> float | None:
    """Return the seconds until the version is discarded; None if it is kept. At once where there are too many."""
    if version.name in needed or version.superseded is None or version.phase is VersionPhase.IMPORTING:
        return None
    if crowded:
        return 0.0
    return max(version.superseded + template.version_retention - now.wall, 0.0)
