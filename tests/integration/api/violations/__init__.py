"""Ways to break each validation rule of the CRDs, as rows of tables.

Rows that create are tried without storing anything; rows that change are tried on a job in a given phase, assigned to the
daemon `daemon` unless it is `fresh`, or on a workspace.
"""

from integration.api.violations.frozen import FROZEN, WORKSPACE_CHANGES
from integration.api.violations.inputs import INPUTS
from integration.api.violations.jobs import SPECS
from integration.api.violations.pools import POOL_ROWS
from integration.api.violations.queues import QUEUE_ROWS
from integration.api.violations.row import Change, Creation
from integration.api.violations.statuses import STATUSES
from integration.api.violations.tags import TAGS
from integration.api.violations.workspaces import TEMPLATE_ROWS, WORKSPACE_ROWS

CREATIONS: tuple[Creation, ...] = (
    *TAGS,
    *INPUTS,
    *(row for row in SPECS if isinstance(row, Creation)),
    *POOL_ROWS,
    *QUEUE_ROWS,
    *TEMPLATE_ROWS,
    *WORKSPACE_ROWS,
)
CHANGES: tuple[Change, ...] = (
    *FROZEN,
    *(row for row in SPECS if isinstance(row, Change)),
    *STATUSES,
    *WORKSPACE_CHANGES,
)
