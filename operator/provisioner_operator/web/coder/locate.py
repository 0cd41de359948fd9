"""Find objects by the ids of Coder's API, for those who may see them; for others they do not exist (404)."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from provisioner_operator.api.v1alpha1.names import JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.api.v1alpha1.template import TemplateVersion
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert.readable import is_readable, readable
from provisioner_operator.web.coder.convert.template_names import object_of as template_object
from provisioner_operator.web.coder.convert.templates import versions
from provisioner_operator.web.coder.convert.workspaces import object_of as workspace_object
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow
from provisioner_operator.web.problems import Problem

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def not_found() -> Problem:
    """Return the answer for what does not exist, or may not be seen."""
    return Problem(404, "Resource not found or you do not have access to this resource")


def as_uuid(text: str) -> UUID | None:
    """Return a UUID, or None if the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def namespace_of(text: str, index: ClusterIndex) -> str:
    """Return the namespace of this name or UID, whether or not it exists or the user may see it. Raises Problem for no name."""
    uid = as_uuid(text)
    namespace = text if uid is None else index.namespace_of_uid(str(uid))
    if namespace is None or not _NAME.fullmatch(namespace):
        raise not_found()
    return namespace


async def organization_of(text: str, index: ClusterIndex, caller: Caller, resource: str = JOBS) -> str:
    """Return the namespace of this name or UID. Raises Problem unless the user may list that resource there."""
    namespace = namespace_of(text, index)
    # Asked also about a namespace that does not exist: a quicker answer would tell which do.
    if not await caller.may("list", resource, namespace) or index.namespace_uid(namespace) is None:
        raise not_found()
    return namespace


async def job_of(uid: UUID, index: ClusterIndex, caller: Caller, namespace: str | None = None) -> JobRow:
    """Return the job of this UID. Raises Problem unless the user may get it, and it is of the namespace, if given."""
    row = index.jobs.get(str(uid))
    if row is None or namespace not in (None, row.job.namespace):
        raise not_found()
    if not await caller.may("get", JOBS, row.job.namespace, row.job.name):
        raise not_found()
    return row


async def workspace_of(uid: UUID, index: ClusterIndex, caller: Caller) -> ObjectRow:
    """Return the workspace of this UID. Raises Problem unless the user may get it."""
    return await _visible(index.workspaces.get(str(uid)), workspace_object, caller, WORKSPACES)


async def template_of(uid: UUID, index: ClusterIndex, caller: Caller) -> ObjectRow:
    """Return the template of this UID. Raises Problem unless the user may get it."""
    return await _visible(index.templates.get(str(uid)), template_object, caller, TEMPLATES)


async def _visible(
    row: ObjectRow | None, parse: Callable[[ObjectRow], object], caller: Caller, resource: str
) -> ObjectRow:
    """Return the object if it exists, can be read, and the user may get it. Raises Problem otherwise."""
    if row is None or not is_readable(row, parse) or not await caller.may("get", resource, row.namespace, row.name):
        raise not_found()
    return row


def templates_in(index: ClusterIndex, namespaces: Collection[str]) -> list[ObjectRow]:
    """Return the templates of these namespaces that can be read, by name."""
    return readable(index.templates.of(namespaces), template_object)


@dataclass(frozen=True, slots=True)
class LocatedVersion:
    """A version, and the template that records it."""

    template: ObjectRow
    version: TemplateVersion


async def version_of(version: UUID, index: ClusterIndex, caller: Caller) -> LocatedVersion:
    """Return the version of this id among the templates that the user may list. Raises Problem."""
    for row in templates_in(index, await caller.visible(TEMPLATES)):
        for each in versions(row):
            if ids.version_id(row.namespace, each.name) == version:
                return LocatedVersion(row, each)
    raise not_found()
