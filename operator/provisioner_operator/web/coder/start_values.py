"""Values of a start as Coder's client sends them: all of them, though only those that differ are meant as a change."""

from collections.abc import Iterable
from uuid import UUID

from provisioner_operator.api.v1alpha1.enums import UpdatePolicy
from provisioner_operator.api.v1alpha1.workspace import Workspace
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.convert.template_names import find_template
from provisioner_operator.web.coder.convert.template_names import object_of as template_of
from provisioner_operator.web.coder.models.base import NIL
from provisioner_operator.web.coder.models.workspaces import WorkspaceBuildParameter
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.problems import Problem


def parameters_to_set(row: ObjectRow, wanted: Iterable[WorkspaceBuildParameter]) -> dict[str, str]:
    """Return the values that differ from those that the workspace has: a default stays a default."""
    present = {each.name: each.value for each in convert.parameters(row)}
    return {each.name: each.value for each in wanted if present.get(each.name) != each.value}


def version_to_pin(row: ObjectRow, wanted: UUID | None, index: ClusterIndex) -> str | None:
    """Return the version to pin; None if a start uses the wanted one anyway. Raises Problem for one of another template.

    A pinned version would keep the workspace from ever moving by its updatePolicy.
    """
    if wanted in (None, NIL):
        return None
    model = convert.object_of(row)
    template = find_template(index, row.namespace, model.spec.template_ref.name)
    status = None if template is None else template_of(template).status
    names = [each.name for each in status.versions] if status is not None else []
    found = next((name for name in names if ids.version_id(row.namespace, name) == wanted), None)
    if found is None:
        raise Problem(
            400,
            "The template of the workspace has no such version.",
            validations=[("template_version_id", f"{wanted} is no version of template {model.spec.template_ref.name}")],
        )
    return None if found in _left_to_the_spec(model, status.active_version if status is not None else None) else found


def _left_to_the_spec(model: Workspace, active: str | None) -> frozenset[str | None]:
    """Return the versions that a client names without a wish of its own.

    For a workspace that moves by itself, these are the active one, and the one that it was built with (`convert.workspace`).
    """
    pinned, built = model.spec.template_ref.version, model.status.version
    if pinned is not None:
        return frozenset({pinned})
    if not model.status.completed_build:
        return frozenset({active})
    return frozenset({built}) if model.spec.update_policy is UpdatePolicy.MANUAL else frozenset({active, built})
