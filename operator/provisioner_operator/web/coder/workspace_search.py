"""Search for workspaces: conditions judged on what is stored, so that only the workspaces of a page are converted. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, Phase, StatusCondition, Transition
from provisioner_operator.web.coder.convert.words import workspace_status
from provisioner_operator.web.coder.convert.workspaces import builds_of
from provisioner_operator.web.coder.models.workspaces import WorkspaceStatus
from provisioner_operator.web.coder.parameters import search_terms
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import Body, ObjectRow
from provisioner_operator.web.problems import Problem

_CONDITIONS = frozenset({"owner", "name", "template", "status", "organization", "outdated"})


def conditions(text: str) -> dict[str, str]:
    """Return the conditions of a search. Raises Problem for one that does not exist."""
    terms = search_terms(text)
    unknown = sorted(terms.keys() - _CONDITIONS)
    if unknown:
        raise Problem(
            400,
            "Invalid workspace search query.",
            validations=[("q", f"{unknown[0]!r} is not a valid condition: use {', '.join(sorted(_CONDITIONS))}")],
        )
    return terms


def selected(
    terms: Mapping[str, str], index: ClusterIndex, namespaces: Collection[str], job_namespaces: Collection[str]
) -> Iterator[ObjectRow]:
    """Yield the workspaces that meet the conditions, by name; also those that this version cannot read.

    Jobs count only in `job_namespaces`, those whose jobs the user may list.
    """
    for row in index.workspaces.of(namespaces):
        if (
            terms.get("name", "") in row.name
            and terms.get("organization", row.namespace) in (row.namespace, index.namespace_uid(row.namespace))
            and _meets_others(terms, row, index, shows_jobs=row.namespace in job_namespaces)
        ):
            yield row


def _meets_others(terms: Mapping[str, str], row: ObjectRow, index: ClusterIndex, *, shows_jobs: bool) -> bool:
    """Return whether a workspace meets the conditions that need its body."""
    if terms.keys() <= {"name", "organization"}:
        return True
    body = row.body
    owner, template = owner_of(body).lower(), body["spec"]["templateRef"]["name"]
    return (
        terms.get("owner", owner) == owner
        and terms.get("template", template) == template
        and ("outdated" not in terms or terms["outdated"] == _outdated(body))
        and ("status" not in terms or terms["status"] == latest_status(row, body, index, shows_jobs=shows_jobs))
    )


def owner_of(body: Body) -> str:
    """Return the owner of a workspace; empty if it has none."""
    return str(body["spec"].get("owner") or "")


def latest_status(row: ObjectRow, body: Body, index: ClusterIndex, *, shows_jobs: bool) -> WorkspaceStatus | None:
    """Return the status of the latest build, as `convert.workspaces.latest_build` finds it; None if it cannot be read."""
    recorded: Mapping[str, Any] = _status(body).get("latestBuild") or {}
    job = next(iter(builds_of(row, index)), None) if shows_jobs else None
    if job is not None and (job.build_number or 0) >= recorded.get("number", 0):
        return workspace_status(job.job.phase, job.job.transition or Transition.START)
    try:
        phase = Phase(recorded.get("phase", Phase.PENDING))
        return workspace_status(phase, Transition(recorded.get("transition", Transition.START)))
    except ValueError:
        return None  # of another version


def _outdated(body: Body) -> str:
    conditions = _status(body).get("conditions") or ()
    is_outdated = any(
        each.get("type") == StatusCondition.OUTDATED and each.get("status") == ConditionStatus.TRUE
        for each in conditions
    )
    return "true" if is_outdated else "false"


def _status(body: Body) -> Mapping[str, Any]:
    return body.get("status") or {}
