"""`workspaces list` and `templates list`: the objects that jobs are created for."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import Column, chosen, lines
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.cli.workspaces import table
from provisioner_operator.cli.workspaces.table import TemplateRow, WorkspaceRow
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body

_Row = TypeVar("_Row", WorkspaceRow, TemplateRow)


def list_workspaces(session: Session, names: Iterable[str], form: str) -> None:
    """Print the Workspaces. Raises NotFoundError if the kind is not installed."""
    columns = table.workspace_columns(namespaced=session.all_namespaces)
    if not _list(session, paths.workspaces(session.scope), columns, table.workspace_row, names, form):
        session.terminal.note("No workspaces found.")


def list_templates(session: Session, names: Iterable[str], form: str) -> None:
    """Print the WorkspaceTemplates. Raises NotFoundError if the kind is not installed."""
    columns = table.template_columns(namespaced=session.all_namespaces)
    if not _list(session, paths.templates(session.scope), columns, table.template_row, names, form):
        session.terminal.note("No templates found.")


def _list(
    session: Session,
    path: str,
    columns: Sequence[Column[_Row]],
    row_of: Callable[[Body, float], _Row],
    names: Iterable[str],
    form: str,
) -> bool:
    """Print a collection; returns False if a table would be empty."""
    shown = chosen(columns, names, wide=form == "wide")
    bodies = loading.bodies(session.cluster, path)
    if formats.is_for_programs(form):
        formats.write_list(sys.stdout, form, bodies)
        return True
    found = list(bodies)
    now = session.cluster.now()
    rows = sorted((row_of(body, now) for body in found), key=table.by_name)
    if rows:
        session.terminal.show(lines(shown, rows, width=session.terminal.width))
    return bool(rows)
