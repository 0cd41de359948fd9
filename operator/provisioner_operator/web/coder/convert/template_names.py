"""Names and picture of a template, as jobs, daemons and workspaces show them. Pure."""

from dataclasses import dataclass
from uuid import UUID

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
    version: str = ""


def template_names(index: ClusterIndex, namespace: str, name: str | None) -> TemplateNames:
    """Return the names of a template, which may have been deleted."""
    if not name:
        return TemplateNames()
    row = index.templates.named(namespace, name)
    return TemplateNames(name=name, display_name=name) if row is None else names_of(row)


def names_of(row: ObjectRow, version: str = "") -> TemplateNames:
    """Return the names of a template of the index."""
    spec = row.body["spec"]
    return TemplateNames(
        id=UUID(row.uid),
        name=row.name,
        display_name=spec.get("displayName") or row.name,
        icon=spec.get("icon") or "",
        version=version,
    )
