"""Names and picture of a template, as jobs, daemons and workspaces show them. Pure."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from provisioner_operator.api.v1alpha1.template import WorkspaceTemplate
from provisioner_operator.web.coder.convert.readable import is_readable, refusing
from provisioner_operator.web.coder.models.base import NIL
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow


@dataclass(frozen=True, slots=True)
class TemplateNames:
    """The template that something belongs to; empty texts and the nil UUID stand for none."""

    id: UUID = NIL
    name: str = ""
    display_name: str = ""
    icon: str = ""


_KEPT = 256
"""Number of templates that are kept parsed: each job of a list shows the names of one."""


def template_names(index: ClusterIndex, namespace: str, name: str | None) -> TemplateNames:
    """Return the names of a template, which may have been deleted."""
    if not name:
        return TemplateNames()
    row = find_template(index, namespace, name)
    return TemplateNames(name=name, display_name=name) if row is None else names_of(row)


def find_template(index: ClusterIndex, namespace: str, name: str) -> ObjectRow | None:
    """Return a template that exists and can be read."""
    row = index.templates.named(namespace, name)
    return row if row is not None and is_readable(row, object_of) else None


@lru_cache(maxsize=_KEPT)
@refusing
def object_of(row: ObjectRow) -> WorkspaceTemplate:
    """Return a template's model. Raises UnparseableObjectError."""
    return WorkspaceTemplate.model_validate(row.body)


def names_of(row: ObjectRow) -> TemplateNames:
    """Return the names of a template of the index."""
    spec = object_of(row).spec
    return TemplateNames(
        id=UUID(row.uid),
        name=row.name,
        display_name=spec.display_name or row.name,
        icon=spec.icon or "",
    )
