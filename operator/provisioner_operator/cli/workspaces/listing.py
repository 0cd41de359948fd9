"""`workspaces list` and `templates list`: what the jobs are for. Over plain JSON, as far as these kinds are installed."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import ALWAYS, Cell, Column, chosen, lines
from provisioner_operator.cli.output.times import duration
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.ordering import natural


@dataclass(frozen=True, slots=True)
class Row:
    """One line: an object as it is written, and the time."""

    body: Mapping[str, Any]
    now: float


def at(body: Any, *path: str) -> str:
    """The text that stands there; empty if there is none."""
    for key in path:
        body = body.get(key) if isinstance(body, Mapping) else None
    return "" if body is None or isinstance(body, Mapping | list) else str(body)


def ready(body: Mapping[str, Any]) -> tuple[str, str, str]:
    """Status, reason and message of the condition Ready; empty if there is none."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    found: Mapping[str, Any] = next((each for each in conditions if each.get("type") == "Ready"), {})
    return at(found, "status"), at(found, "reason"), at(found, "message")


def workspace_columns(*, namespaced: bool) -> list[Column[Row]]:
    """All columns in their order."""
    return [
        *_namespace(namespaced=namespaced),
        Column("Name", lambda row: at(row.body, "metadata", "name"), ALWAYS),
        Column("Status", lambda row: at(row.body, "status", "phase"), ALWAYS),
        Column("Template", lambda row: at(row.body, "spec", "templateRef", "name"), 60),
        Column("Owner", lambda row: at(row.body, "spec", "owner"), 55),
        Column("Build", lambda row: at(row.body, "status", "buildNumber"), 50),
        Column("Job", lambda row: at(row.body, "status", "latestBuild", "job"), 65),
        Column("Ready", _ready, 70),
        Column("Age", _age, 40),
        Column("Message", lambda row: ready(row.body)[2], 10, wide=True),
    ]


def template_columns(*, namespaced: bool) -> list[Column[Row]]:
    """All columns in their order."""
    return [
        *_namespace(namespaced=namespaced),
        Column("Name", lambda row: at(row.body, "metadata", "name"), ALWAYS),
        Column("Active version", lambda row: at(row.body, "status", "activeVersion"), 60),
        Column("Workspaces", lambda row: at(row.body, "status", "workspaces"), 50),
        Column("Ready", _ready, 70),
        Column("Age", _age, 40),
        Column("Message", lambda row: ready(row.body)[2], 10, wide=True),
    ]


def list_workspaces(session: Session, names: Iterable[str], form: str) -> None:
    """Print the Workspaces. Raises NotFoundError if the kind is not installed."""
    _list(
        session,
        loading.workspaces_path,
        workspace_columns(namespaced=session.all_namespaces),
        names,
        form,
        "workspaces",
    )


def list_templates(session: Session, names: Iterable[str], form: str) -> None:
    """Print the WorkspaceTemplates. Raises NotFoundError if the kind is not installed."""
    _list(
        session, loading.templates_path, template_columns(namespaced=session.all_namespaces), names, form, "templates"
    )


def _list(
    session: Session,
    path: Callable[[str | None], str],
    columns: Sequence[Column[Row]],
    names: Iterable[str],
    form: str,
    what: str,
) -> None:
    shown = chosen(columns, names, wide=form == "wide")
    bodies = loading.bodies(session.cluster, path(session.scope))
    if formats.is_for_programs(form):
        formats.write_list(sys.stdout, form, bodies)
        return
    found = list(bodies)
    rows = [Row(body, session.cluster.now()) for body in found]
    rows.sort(key=lambda row: (at(row.body, "metadata", "namespace"), natural(at(row.body, "metadata", "name"))))
    if rows:
        session.terminal.show(lines(shown, rows, width=session.terminal.width))
    else:
        session.terminal.note(f"No {what} found.")


def _namespace(*, namespaced: bool) -> list[Column[Row]]:
    return [Column("Namespace", lambda row: at(row.body, "metadata", "namespace"), 70)] if namespaced else []


def _ready(row: Row) -> Cell:
    status, reason, _ = ready(row.body)
    return Cell(status if status == "True" or not reason else reason, "green" if status == "True" else "yellow")


def _age(row: Row) -> str:
    created = at(row.body, "metadata", "creationTimestamp")
    return duration(row.now - datetime.fromisoformat(created).timestamp()) if created else ""
