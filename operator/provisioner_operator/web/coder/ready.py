"""Refuse requests until the index knows every kind: an empty list would be a lie."""

from provisioner_operator.web.dependencies import Context
from provisioner_operator.web.problems import RETRY_SECONDS, Problem


async def require_index(context: Context) -> None:
    """Raise Problem (503) while the index is being loaded."""
    if not context.index.is_ready:
        read = ", ".join(f"{count} {plural}" for plural, count in context.index.loading.items())
        raise Problem(
            503,
            "The server is reading the cluster's objects: try again.",
            f"Read so far: {read or 'nothing'}.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
