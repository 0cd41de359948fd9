"""`pools list`: the pools and the state of their daemons."""

import sys
from collections.abc import Iterable

from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import chosen, lines
from provisioner_operator.cli.pools import table
from provisioner_operator.cli.pools.table import PoolRow
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import age_of


def list_pools(session: Session, column_names: Iterable[str], form: str) -> None:
    """Print the pools. Raises NotFoundError or ForbiddenError if they cannot be listed."""
    columns = chosen(table.columns(namespaced=session.all_namespaces), column_names, wide=form == "wide")
    # Not `loading.pools`, which hides a missing kind or permission: here that is the answer.
    bodies = session.cluster.list(paths.pools(session.scope))
    if formats.is_for_programs(form):
        formats.write_list(sys.stdout, form, bodies)
        return
    now = session.cluster.now()
    found = loading.pools_of(bodies, session.terminal.note)
    rows = [PoolRow(pool, age_of(body, now)) for body, pool in found]
    if rows:
        session.terminal.show(lines(columns, rows, width=session.terminal.width))
    else:
        session.terminal.note("No provisioner pools found.")
