"""Lines of the list of workspaces, and one workspace. Pure, from the object as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from provisioner_operator.api.v1alpha1.enums import Phase, StatusCondition, WorkspacePhase
from provisioner_operator.core.model.request_errors import RequestError
from provisioner_operator.core.workspaces.requests import WorkspaceState, update_patch
from provisioner_operator.kube.workspace_states import workspace_state
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.jobs.detail import Fact, Output
from provisioner_operator.web.page.text import web_link
from provisioner_operator.web.page.times import Moment, moment_of
from provisioner_operator.web.page.words import AWAY, PHASES, WORKSPACE_PHASES, Mark
from provisioner_operator.web.page.workspaces.rights import WorkspaceRights

ACTIONS = ("start", "stop", "rebuild", "update", "delete")
"""Those of a workspace's buttons, in their order."""


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a workspace."""

    number: int
    job: str
    href: str
    transition: str
    version: str
    status: Mark


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """One line of the list."""

    key: str
    org: str
    name: str
    href: str
    status: Mark
    message: str
    """Reason why it is not as its spec asks for; empty if it is."""
    is_stalled: bool
    template: str
    version: str
    outdated: bool
    newer: str
    """Version that an update moves it to; empty if there is none, or it moves by itself."""
    owner: str
    build: Build | None
    stops_at: Moment | None
    running: bool
    """Whether it is to run: its spec asks for that, and its autostop has not stopped it."""
    was_built: bool
    deleting: bool
    change_denial: str
    """Reason for which the user cannot change it now; empty if there is none."""
    delete_denial: str

    def action(self, name: str) -> str:
        """Return the address of the form that changes it."""
        return paths.workspace_action(self.org, self.name, name)

    def offers(self, action: str) -> bool:
        """Return whether the action makes sense now."""
        if self.deleting:
            return False
        if action == "delete":
            return True
        if action == "update":
            return bool(self.newer)
        if action == "rebuild":
            return self.running or self.was_built
        return (action == "stop") == self.running

    def denial(self, action: str) -> str:
        """Return the reason for which the user cannot take the action now; empty if there is none."""
        return self.delete_denial if action == "delete" else self.change_denial

    def for_rights(self, rights: WorkspaceRights) -> Self:
        """Return the line as a user with these rights sees it."""
        return replace(
            self,
            change_denial=rights.denial("patch", self.org, self.owner),
            delete_denial=rights.denial("delete", self.org, self.owner),
        )

    @property
    def denials(self) -> list[str]:
        """Reasons for which the user cannot take what is offered now, each once."""
        return list(dict.fromkeys(self.denial(each) for each in ACTIONS if self.offers(each) and self.denial(each)))


@dataclass(frozen=True, slots=True)
class WorkspaceDetail:
    """One workspace as its page shows it."""

    line: WorkspaceLine
    facts: tuple[Fact, ...]
    parameters: tuple[tuple[str, str], ...]
    builds: tuple[Build, ...]
    outputs: tuple[Output, ...]
    resources: tuple[tuple[str, str, str], ...]


def workspace_line(
    body: Mapping[str, Any], active: str, rights: WorkspaceRights | None, *, now: float | None
) -> WorkspaceLine:
    """Return the line of a workspace, given the active version of its template. Without rights, nothing can be changed."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    org, name, owner = meta["namespace"], meta["name"], str(spec.get("owner") or "")
    state = workspace_state(body)
    outdated = _condition(status, StatusCondition.OUTDATED).get("status") == "True"
    ready, stalled = _condition(status, StatusCondition.READY), _condition(status, StatusCondition.STALLED)
    line = WorkspaceLine(
        key=meta["uid"],
        org=org,
        name=name,
        href=paths.workspace(org, name),
        status=WORKSPACE_PHASES[WorkspacePhase(status.get("phase") or WorkspacePhase.PENDING)],
        message="" if ready.get("status") == "True" else str(ready.get("message") or ""),
        is_stalled=stalled.get("status") == "True",
        template=str(spec["templateRef"]["name"]),
        version=str(status.get("version") or ""),
        outdated=outdated,
        newer=active if outdated and _moves(state, active) else "",
        owner=owner,
        build=_build(org, status.get("latestBuild")),
        stops_at=moment_of(status.get("stopsAt"), now),
        running=state.running and not state.is_autostopped,
        was_built=bool(state.latest_job),
        deleting=bool(meta.get("deletionTimestamp")),
        change_denial=AWAY,
        delete_denial=AWAY,
    )
    return line if rights is None else line.for_rights(rights)


def workspace_detail(
    body: Mapping[str, Any], line: WorkspaceLine, builds: tuple[Build, ...], now: float
) -> WorkspaceDetail:
    """Return the page of a workspace; `builds` are its jobs, newest first."""
    spec, status = body["spec"], body.get("status") or {}
    pinned = str(spec["templateRef"].get("version") or "")
    facts = (
        Fact("Template", line.template),
        Fact("Version", line.version),
        Fact("Pinned to", pinned),
        Fact("Update policy", str(spec.get("updatePolicy") or "Manual")),
        Fact("Owner", line.owner),
        Fact("Desired", "deleted" if line.deleting else "running" if line.running else "stopped"),
        Fact("Created", "", moment=moment_of(body["metadata"].get("creationTimestamp"), now)),
        Fact("Stops", "", moment=line.stops_at),
    )
    return WorkspaceDetail(
        line=line,
        facts=tuple(each for each in facts if each.value or each.moment),
        parameters=tuple((str(each["name"]), str(each["value"])) for each in status.get("parameters") or ()),
        builds=builds,
        outputs=tuple(
            Output(str(each["name"]), str(each["value"]), web_link(str(each["value"])))
            for each in status.get("outputs") or ()
        ),
        resources=tuple(
            (str(each["action"]), str(each["address"]), str(each["type"])) for each in status.get("resources") or ()
        ),
    )


def _moves(workspace: WorkspaceState, active: str) -> bool:
    """Return whether an update would change anything."""
    try:
        update_patch(workspace, active)
    except RequestError:
        return False
    return True


def _build(org: str, build: Mapping[str, Any] | None) -> Build | None:
    if not build:
        return None
    return Build(
        number=int(build["number"]),
        job=str(build["job"]),
        href=paths.job(org, str(build["job"])),
        transition=str(build["transition"]),
        version=str(build.get("version") or ""),
        status=PHASES[Phase(build["phase"])],
    )


def _condition(status: Mapping[str, Any], type_: StatusCondition) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((each for each in status.get("conditions") or () if each.get("type") == type_), {})
    return found
