"""Build the patches by which users start, stop, rebuild, update and configure a workspace, and import a template. Pure.

Used by the command line and the web server. Each patch tests the uid and the fields that it replaces, so that it changes
only what its author saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, Transition, UpdatePolicy
from provisioner_operator.core.model.json_patch import Field, JsonPatch
from provisioner_operator.core.model.json_value import JsonValue
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, NotPossibleError

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """Desired state of a workspace, and its latest build."""

    meta: Metadata
    template: str
    running: bool
    deleting: bool
    rebuild_generation: int
    pinned_version: str | None
    update_policy: UpdatePolicy
    latest_job: str
    """Name of the latest build's job; empty if there is none."""
    latest_transition: str
    latest_version: str
    outdated: str
    """Message of the condition Outdated while it is True; else empty."""
    parameters: Mapping[str, str] | None = None
    """Chosen values, in the order of the spec; None if the spec has no such field."""
    autostop_seconds: int | None = None
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE

    @property
    def desired_transition(self) -> Transition:
        """Transition that a rebuild repeats."""
        if self.deleting:
            return Transition.DELETE
        return Transition.START if self.running else Transition.STOP

    @property
    def is_autostopped(self) -> bool:
        """Whether it was stopped although its spec says `running`, by spec.autostopSeconds."""
        return self.desired_transition is Transition.START and self.latest_transition == Transition.STOP


@dataclass(frozen=True, slots=True)
class TemplateState:
    """Import generation of a template, and its versions."""

    meta: Metadata
    import_generation: int
    active_version: str
    import_job: str
    """Name of the job that imports, or imported, the newest version."""


def rebuild_patch(workspace: WorkspaceState, parameters: Mapping[str, str] = _NO_PARAMETERS) -> JsonPatch:
    """Return the change that repeats the latest build, with these values; those that are not given stay.

    Raises NothingToChangeError if there is nothing to repeat.
    """
    if workspace.desired_transition is Transition.STOP and not workspace.latest_job:
        raise NothingToChangeError(Cause.NEVER_STARTED, "It was never started.")
    return _patch(workspace, *_parameter_changes(workspace, parameters), _again(workspace))


def running_patch(workspace: WorkspaceState, *, running: bool) -> JsonPatch:
    """Return the change that starts or stops the workspace.

    Raises NotPossibleError if it is being deleted, NothingToChangeError if its spec already asks for this state.
    """
    _require_kept(workspace)
    if running and workspace.is_autostopped:
        return rebuild_patch(workspace)
    if workspace.running is running:
        state = "running" if running else "stopped"
        raise NothingToChangeError(Cause.DESIRED_ALREADY, f"It is already set to be {state}.")
    return _patch(workspace, _Change("/spec/running", workspace.running, running))


def start_patch(workspace: WorkspaceState, *, parameters: Mapping[str, str], version: str | None = None) -> JsonPatch:
    """Return the change that starts the workspace with these values and this version; what is not given stays.

    Where all of this is desired already, it repeats the start. Raises NotPossibleError if the workspace is being deleted.
    """
    _require_kept(workspace)
    changes = [*_parameter_changes(workspace, parameters)]
    if version not in {None, workspace.pinned_version}:
        changes.append(_pin(workspace, version))
    if not workspace.running:
        changes.append(_Change("/spec/running", old=False, new=True))
    elif not changes or workspace.is_autostopped:
        changes.append(_again(workspace))
    return _patch(workspace, *changes)


def stop_patch(workspace: WorkspaceState) -> JsonPatch:
    """Return the change that stops the workspace, or repeats the stop.

    Raises NotPossibleError if it is being deleted, NothingToChangeError if it was never started.
    """
    _require_kept(workspace)
    return running_patch(workspace, running=False) if workspace.running else rebuild_patch(workspace)


def update_patch(workspace: WorkspaceState, active: str) -> JsonPatch:
    """Return the change that builds the workspace with the active version of its template.

    Raises NotPossibleError if the template has none, NothingToChangeError if the workspace uses it, or moves by itself.
    """
    if not active:
        raise NotPossibleError(
            Cause.NO_ACTIVE_VERSION,
            f"Template {workspace.template} has no active version yet.",
            name=workspace.template,
        )
    follows = workspace.update_policy is not UpdatePolicy.MANUAL and not workspace.deleting
    moves_by_itself = workspace.pinned_version is None and follows
    if active == (workspace.pinned_version or workspace.latest_version or active):
        raise NothingToChangeError(Cause.VERSION_IN_USE, f"It uses the active version {active} already.")
    if moves_by_itself and workspace.desired_transition is Transition.STOP:
        raise _moves_by_itself(
            f"It moves to {active} when it is started: its updatePolicy is {workspace.update_policy}."
        )
    if moves_by_itself and workspace.update_policy is UpdatePolicy.ALWAYS:
        raise _moves_by_itself(f"It moves to {active} by itself: its updatePolicy is Always.")
    if moves_by_itself:
        return rebuild_patch(workspace)
    # A destroy is repeated only if it is asked for again.
    return _patch(workspace, _pin(workspace, active), *([_again(workspace)] if workspace.deleting else []))


def autostop_patch(workspace: WorkspaceState, seconds: int | None) -> JsonPatch:
    """Return the change of `spec.autostopSeconds`, None for no autostop. Raises NothingToChangeError if it is set already."""
    return _configured(workspace, *_if_new("/spec/autostopSeconds", workspace.autostop_seconds, seconds))


def update_policy_patch(workspace: WorkspaceState, policy: UpdatePolicy) -> JsonPatch:
    """Return the change of `spec.updatePolicy`. Raises NothingToChangeError if it is set already."""
    return _configured(workspace, *_if_new("/spec/updatePolicy", workspace.update_policy, policy))


def deletion_policy_patch(workspace: WorkspaceState, policy: DeletionPolicy) -> JsonPatch:
    """Return the change of `spec.deletionPolicy`. Raises NothingToChangeError if it is set already."""
    return _configured(workspace, *_if_new("/spec/deletionPolicy", workspace.deletion_policy, policy))


def import_patch(template: TemplateState) -> JsonPatch:
    """Return the change that imports the present source as a new version."""
    generation = template.import_generation
    return JsonPatch(
        tests=(("/metadata/uid", template.meta.uid), ("/spec/importGeneration", generation)),
        sets=(("/spec/importGeneration", generation + 1),),
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """New value of a field, and the value that it replaces; None for an absent field."""

    path: str
    old: JsonValue
    new: JsonValue


def _patch(workspace: WorkspaceState, *changes: _Change) -> JsonPatch:
    tests: list[Field] = [("/metadata/uid", workspace.meta.uid), *((each.path, each.old) for each in changes)]
    return JsonPatch(
        tests=tuple(tests),
        sets=tuple((each.path, each.new) for each in changes if each.new is not None),
        removes=tuple(each.path for each in changes if each.new is None),
    )


def _configured(workspace: WorkspaceState, *changes: _Change) -> JsonPatch:
    if not changes:
        raise NothingToChangeError(Cause.AS_REQUESTED, "It has these settings already.")
    return _patch(workspace, *changes)


def _if_new(path: str, old: JsonValue, new: JsonValue) -> tuple[_Change, ...]:
    return () if old == new else (_Change(path, old, new),)


def _again(workspace: WorkspaceState) -> _Change:
    generation = workspace.rebuild_generation
    return _Change("/spec/rebuildGeneration", generation, generation + 1)


def _pin(workspace: WorkspaceState, version: str | None) -> _Change:
    return _Change("/spec/templateRef/version", workspace.pinned_version, version)


def _parameter_changes(workspace: WorkspaceState, parameters: Mapping[str, str]) -> tuple[_Change, ...]:
    chosen = workspace.parameters or {}
    if parameters.items() <= chosen.items():
        return ()
    old = None if workspace.parameters is None else _as_list(chosen)
    return (_Change("/spec/parameters", old, _as_list({**chosen, **parameters})),)


def _as_list(parameters: Mapping[str, str]) -> JsonValue:
    return [{"name": name, "value": value} for name, value in parameters.items()]


def _require_kept(workspace: WorkspaceState) -> None:
    if workspace.deleting:
        raise NotPossibleError(Cause.BEING_DELETED, "It is being deleted: nothing but its destruction can be built.")


def _moves_by_itself(message: str) -> NothingToChangeError:
    return NothingToChangeError(Cause.MOVES_BY_ITSELF, message)
