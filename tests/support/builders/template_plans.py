"""Plans of one template with defaults, so that a test names only relevant facts."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import version_name
from provisioner_operator.core.workspaces.decisions import (
    TemplateDecision,
    UpdateTemplateStatus,
)
from provisioner_operator.core.workspaces.records import SourceFiles, Template, TemplateStatus
from provisioner_operator.core.workspaces.template_plan import TemplateFacts, TemplatePlan, plan_template
from provisioner_operator.core.workspaces.template_source import (
    digest_of,
)
from support.builders.core import at
from support.builders.workspaces import an_import

NEW = TemplateStatus()


def wanted_name(template: Template) -> str:
    files = SourceFiles(template.files) if template.files is not None else None
    return version_name(template.name, digest_of(template, files))


def planned_template(template: Template, *, now: float = 0, **facts: Any) -> TemplatePlan:
    return plan_template(template, TemplateFacts(**{"listed": True} | facts), at(now))


def decided_template(template: Template, **options: Any) -> TemplateDecision | None:
    return planned_template(template, **options).decision


def written_status(template: Template, **options: Any) -> TemplateStatus:
    decision = decided_template(template, **options)
    assert isinstance(decision, UpdateTemplateStatus)
    return decision.status


def says(status: TemplateStatus, condition: str = "Ready") -> tuple[str, str]:
    found = next(each for each in status.conditions if each.type == condition)
    return found.status, found.reason


def imported(template: Template, phase: Phase = Phase.COMPLETED, **fields: Any) -> dict[str, Any]:
    """That the template's files are kept, and how its import ended."""
    name = wanted_name(template)
    return {"kept": frozenset({name}), "imports": {name: an_import(name, phase=phase, **fields)}}
