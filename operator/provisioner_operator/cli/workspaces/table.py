"""Rows and columns of the lists of workspaces and templates. Pure.

Read from plain JSON: these lists show only a few fields, also of objects that this version's models refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.enums import StatusCondition
from provisioner_operator.cli.output.table import ALWAYS, Cell, Column
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.kube.object_states import Body, age_of, meta_of


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the object; empty if there is none."""

    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """One line of the list of workspaces."""

    namespace: str
    name: str
    phase: str
    template: str
    owner: str
    build: str
    job: str
    outdated: str
    drifted: str
    ready: Condition
    age: float


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One line of the list of templates."""

    namespace: str
    name: str
    active_version: str
    workspaces: str
    ready: Condition
    age: float


def workspace_row(body: Body, now: float) -> WorkspaceRow:
    """Return the line of a workspace."""
    meta = meta_of(body)
    return WorkspaceRow(
        namespace=meta.namespace,
        name=meta.name,
        phase=_text(body, "status", "phase"),
        template=_text(body, "spec", "templateRef", "name"),
        owner=_text(body, "spec", "owner"),
        build=_text(body, "status", "buildNumber"),
        job=_text(body, "status", "latestBuild", "job"),
        outdated=_condition(body, StatusCondition.OUTDATED).status,
        drifted=_condition(body, StatusCondition.DRIFTED).status,
        ready=_condition(body, StatusCondition.READY),
        age=age_of(body, now),
    )


def template_row(body: Body, now: float) -> TemplateRow:
    """Return the line of a template."""
    meta = meta_of(body)
    return TemplateRow(
        namespace=meta.namespace,
        name=meta.name,
        active_version=_text(body, "status", "activeVersion"),
        workspaces=_text(body, "status", "workspaces"),
        ready=_condition(body, StatusCondition.READY),
        age=age_of(body, now),
    )


def workspace_columns(*, namespaced: bool) -> list[Column[WorkspaceRow]]:
    """Return all columns in their order."""
    namespace = [Column[WorkspaceRow]("Namespace", lambda row: row.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.name, ALWAYS),
        Column("Status", lambda row: row.phase, ALWAYS),
        Column("Template", lambda row: row.template, 60),
        Column("Owner", lambda row: row.owner, 55),
        Column("Build", lambda row: row.build, 50),
        Column("Job", lambda row: row.job, 65),
        Column("Ready", lambda row: _ready_cell(row.ready), 70),
        Column("Outdated", lambda row: _warning_cell(row.outdated), 60),
        Column("Drifted", lambda row: _warning_cell(row.drifted), 20, wide=True),
        Column("Age", lambda row: duration(row.age), 40),
        Column("Message", lambda row: row.ready.message, 10, wide=True),
    ]


def template_columns(*, namespaced: bool) -> list[Column[TemplateRow]]:
    """Return all columns in their order."""
    namespace = [Column[TemplateRow]("Namespace", lambda row: row.namespace, 70)] if namespaced else []
    return [
        *namespace,
        Column("Name", lambda row: row.name, ALWAYS),
        Column("Active version", lambda row: row.active_version, 60),
        Column("Workspaces", lambda row: row.workspaces, 50),
        Column("Ready", lambda row: _ready_cell(row.ready), 70),
        Column("Age", lambda row: duration(row.age), 40),
        Column("Message", lambda row: row.ready.message, 10, wide=True),
    ]


def by_name(row: WorkspaceRow | TemplateRow) -> tuple[object, ...]:
    """Return the sort key of the natural order of names."""
    return (row.namespace, natural(row.name))


def _warning_cell(status: str) -> Cell:
    return Cell(status, "yellow" if status == "True" else "")


def _ready_cell(ready: Condition) -> Cell:
    is_ready = ready.status == "True"
    return Cell(ready.status if is_ready or not ready.reason else ready.reason, "green" if is_ready else "yellow")


def _condition(body: Body, type_: StatusCondition) -> Condition:
    conditions = (body.get("status") or {}).get("conditions") or ()
    found: Mapping[str, Any] = next((each for each in conditions if each.get("type") == type_), {})
    return Condition(_text(found, "status"), _text(found, "reason"), _text(found, "message"))


def _text(value: Any, *path: str) -> str:
    """Return the value at this path as text; empty if there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "" if value is None or isinstance(value, Mapping | list) else str(value)
