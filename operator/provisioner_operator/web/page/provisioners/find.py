"""One daemon as the index has it, for the forms that change it."""

from http import HTTPStatus

from provisioner_operator.api.v1alpha1.names import DAEMONS
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.page.requests import require_name, require_ready, require_visible
from provisioner_operator.web.problems import Problem


async def find_daemon(context: WebContext, caller: Caller, org: str, name: str) -> ObjectRow:
    """Return the daemon. Raises Problem (404), MissingRightProblem."""
    require_ready(context)
    await require_visible(caller, DAEMONS, require_name(org))
    row = context.index.daemons.named(org, require_name(name))
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no provisioner {name} in organization {org}.")
    return row
