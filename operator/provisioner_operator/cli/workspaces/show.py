"""`workspaces show` and `templates show`: everything about one workspace or template."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from provisioner_operator.api.v1alpha1.enums import Approval, StatusCondition
from provisioner_operator.cli.errors import require
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.output.table import safe
from provisioner_operator.cli.output.times import moment
from provisioner_operator.cli.session import Session
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, meta_of
from provisioner_operator.kube.workspace_states import workspace_state

_EXPECTED = {
    StatusCondition.READY: "True",
    StatusCondition.AVAILABLE: "True",
    StatusCondition.RECONCILING: "False",
    StatusCondition.STALLED: "False",
    StatusCondition.OUTDATED: "False",
    StatusCondition.DRIFTED: "False",
}
"""Condition statuses that need no attention."""
_REPEATING = (StatusCondition.RECONCILING, StatusCondition.STALLED)
"""Conditions whose message is that of Ready."""
_SHOWN = 20
"""Most resources, and most versions, to list; the rest is counted."""


def show_workspace(session: Session, name: str, form: str | None) -> None:
    """Print the workspace."""
    _show(session, paths.workspace(session.namespace, name), form, is_template=False)


def show_template(session: Session, name: str, form: str | None) -> None:
    """Print the template."""
    _show(session, paths.template(session.namespace, name), form, is_template=True)


def _show(session: Session, path: str, form: str | None, *, is_template: bool) -> None:
    if form is not None:
        require(
            formats.is_for_programs(formats.checked(form)),
            f"`show` has no form {form!r}. Choose from: json, yaml, name, jsonpath=TEMPLATE; or leave out -o for text.",
        )
    body = session.cluster.get(path)
    if form is not None:
        formats.write_one(sys.stdout, form, body)
        return
    lines = describe_template(body, utc=session.utc) if is_template else describe_workspace(body, utc=session.utc)
    for line in lines:
        session.terminal.out.print(line)


def describe_workspace(body: Body, *, utc: bool) -> Iterator[Text]:
    """Yield the workspace in lines of text."""
    state, spec, status = workspace_state(body), body["spec"], body.get("status") or {}
    phase = str(status.get("phase") or "")
    yield Text.assemble((state.meta.name, "bold"), f" in {state.meta.namespace}: ", (safe(phase), "bold"))
    version = str(status.get("version") or "")
    desired = {"Start": "running", "Stop": "stopped", "Delete": "deleted"}[state.desired_transition]
    yield from _facts(
        {
            "Template": f"{state.template} {version}".strip(),
            "Pinned to": state.pinned_version or "",
            "Update policy": state.update_policy,
            "Approval": "required" if spec.get("approval") == Approval.REQUIRED else "",
            "Owner": str(spec.get("owner") or ""),
            "Desired": desired,
            "Stops at": _time(status.get("stopsAt"), utc=utc),
            "Parameters": _values(status.get("parameters")),
            "Drift checked": _time((status.get("drift") or {}).get("checkedAt"), utc=utc),
        }
    )
    yield from _conditions(status)
    builds = {each["number"]: each for each in (status.get("lastRun"), status.get("latestBuild")) if each}
    yield from _section("Builds", [_build(each, utc=utc) for _, each in sorted(builds.items(), reverse=True)])
    yield from _section("Outputs", [f"{each['name']} = {each['value']}" for each in status.get("outputs") or ()])
    yield from _section("Resources", _resources(status))
    yield from _section("Drift", _resources(status.get("drift") or {}))


def describe_template(body: Body, *, utc: bool) -> Iterator[Text]:
    """Yield the template in lines of text."""
    meta, spec, status = meta_of(body), body["spec"], body.get("status") or {}
    active = str(status.get("activeVersion") or "no version yet")
    yield Text.assemble((meta.name, "bold"), f" in {meta.namespace}: ", (safe(active), "bold"))
    yield from _facts(
        {
            "Description": str(spec.get("description") or ""),
            "Provisioner": str(spec.get("provisioner") or ""),
            "Tags": " ".join(f"{key}={value}" for key, value in sorted((spec.get("tags") or {}).items())),
            "Parameters": ", ".join(str(each["name"]) for each in spec.get("parameters") or ()),
            "Workspaces": str(status.get("workspaces") or 0),
        }
    )
    yield from _conditions(status)
    versions = list(reversed(status.get("versions") or ()))
    lines = [_version(each, active, utc=utc) for each in versions[:_SHOWN]]
    more = [f"and {len(versions) - _SHOWN} more; -o json shows all"] if len(versions) > _SHOWN else []
    yield from _section("Versions", [*lines, *more])


def _facts(facts: Mapping[str, str]) -> Iterator[Text]:
    for name, value in facts.items():
        if value:
            yield Text.assemble((f"  {name + ':':<15}", "dim"), safe(value))


def _conditions(status: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what needs attention, or is in progress."""
    for each in status.get("conditions") or ():
        is_expected = each.get("status") == _EXPECTED.get(each.get("type"))
        if is_expected or each.get("type") in _REPEATING or not each.get("message"):
            continue
        yield Text.assemble((f"  {each['reason']}: ", "bold yellow"), safe(str(each["message"])))


def _section(title: str, lines: list[str]) -> Iterator[Text]:
    if lines:
        yield Text(title, "bold")
        yield from (Text(f"  {safe(line)}") for line in lines)


def _build(build: Mapping[str, Any], *, utc: bool) -> str:
    reason = build.get("reason")
    parts = [
        _time(build.get("finishedAt") or build.get("startedAt"), utc=utc),
        f"{build['job']}: {build['transition']}",
        str(build.get("version") or ""),
        f"{build['phase']}{f' ({reason})' if reason and reason != build['phase'] else ''}",
    ]
    return "  ".join(each for each in parts if each)


def _version(version: Mapping[str, Any], active: str, *, utc: bool) -> str:
    mark = ", active" if version["name"] == active else ""
    message = f": {version['message']}" if version.get("message") else ""
    return f"{_time(version['createdAt'], utc=utc)}  {version['name']}: {version['phase']}{mark}{message}"


def _values(values: Any) -> str:
    return ", ".join(f"{each['name']}={each['value']}" for each in values or ())


def _resources(status: Mapping[str, Any]) -> list[str]:
    found = [f"{each['action']:<8} {each['address']}" for each in status.get("resources") or ()]
    return [*found[:_SHOWN], f"and {len(found) - _SHOWN} more; -o json shows all"] if len(found) > _SHOWN else found


def _time(written: Any, *, utc: bool) -> str:
    return moment(datetime.fromisoformat(written).timestamp(), utc=utc) if written else ""
