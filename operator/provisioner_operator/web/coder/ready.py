"""Refuse requests until the index knows every kind: an empty list would be a lie.

They do not say how much was read: that would tell how many objects of foreign namespaces there are.
"""

from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.problems import RETRY_SECONDS, Problem


async def require_index(context: Context, _caller: CallerOf) -> None:
    """Raise Problem: 401 to whoever is not signed in, 503 to all others while the index is being loaded."""
    if not context.index.is_ready:
        raise Problem(
            503,
            "The server is reading the cluster's objects: try again.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
