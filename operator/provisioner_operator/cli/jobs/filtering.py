"""Selections of jobs from the options of `jobs list` and `jobs cancel`."""

import time
from collections.abc import Sequence

from provisioner_operator.cli.errors import require
from provisioner_operator.cli.view.job_filter import Selection, parse_statuses, parse_type


def selection_of(
    *,
    statuses: Sequence[str],
    initiator: str | None,
    tags: Sequence[tuple[str, str]],
    type_name: str | None,
    template: str | None,
    workspace: str | None,
    daemon: str | None,
    since: float | None,
) -> Selection:
    """Return the selection of `jobs list`; `since` is an age in seconds. Raises UsageError."""
    phases, stuck = parse_statuses(statuses)
    return Selection(
        phases=phases,
        stuck=stuck,
        initiator=initiator,
        type=parse_type(type_name),
        template=template,
        workspace=workspace,
        daemon=daemon,
        tags=frozenset(tags),
        since=None if since is None else time.time() - since,
    )


def checked_targets(
    names: Sequence[str], statuses: Sequence[str], tags: Sequence[tuple[str, str]], selector: str | None
) -> Selection:
    """Return the selection of `jobs cancel`. Raises UsageError unless jobs are given either by name or by properties."""
    phases, stuck = parse_statuses(statuses)
    has_properties = bool(selector or statuses or tags)
    require(names or has_properties, "Name the jobs to cancel, or select them with --selector, --status or --tag.")
    require(not (names and has_properties), "Name the jobs to cancel, or select them by their properties, not both.")
    return Selection(phases=phases, stuck=stuck, tags=frozenset(tags))
